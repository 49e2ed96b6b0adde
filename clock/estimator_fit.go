package clock

import "math"

// A line is where the boundaries lie: y + slope*(X-x) at X.
type line struct {
	x, y     float64
	slope    float64 // ns/s: 1,000 are 1 ppm slower than nominal
	slopeErr float64 // ns/s, by the scatter of the minima
	from, to float64 // x of the minima that it was fitted to
	err      float64 // ns, by the same scatter
	height   float64 // ns that the minima lie above the truth, as their gaps have it; negative if unknown
	late     float64 // ns that the latest point of the last 60 minima lay above it
}

func (l *line) at(x float64) float64 { return l.y + l.slope*(x-l.x) }

// slope is the slope in ns/s of a device that is ppm faster than nominal, and
// faster is the other way round.
func slope(ppm float64) float64    { return 1e9 * (1/(1+1e-6*ppm) - 1) }
func faster(slope float64) float64 { return 1e6 * (1/(1+1e-9*slope) - 1) }

// fit puts the line under the minima. While the segment has fewer than four it
// learns only how they scatter.
func (e *Estimator) fit() {
	l, all := &e.line, e.minima[:e.n]
	l.height, l.late = scatter(all)
	if e.own < fewest {
		return
	}
	own := all[e.n-e.own:]
	if e.own >= alone {
		all = own
	}
	for i := range all {
		all[i].fits = true
	}
	first := regress(all)
	mark(all, first.slope)
	r := regress(all)
	if r.sxx == 0 { // no two of a segment are on or under
		r.sxx, r.slope = first.sxx, first.slope
	}
	l.x, l.y, l.slope = r.x, r.y, max(r.slope, -999_999_999) // time goes on, whatever a source says
	l.from, l.to = own[0].x, own[len(own)-1].x
	std, n := l.deviation(own)
	if e.own < alone { // so few tell little of their scatter
		std = max(std, l.height)
	}
	l.slopeErr = 4 * std / math.Sqrt(r.sxx)
	l.err = 4 * std * (1 + 2/n)
}

// scatter returns the mean height and the greatest lateness.
func scatter(all []minimum) (height, late float64) {
	n := 0.0
	for i := range all {
		if h := all[i].height; h >= 0 {
			height, n = height+h, n+1
		}
		late = max(late, all[i].late)
	}
	if n == 0 {
		return -1, late
	}
	return height / n, late
}

type regression struct {
	slope, sxx float64
	x, y       float64 // the middle of the last segment
}

// regress fits, by least squares, lines of one slope to the minima that fit,
// one to each segment.
func regress(all []minimum) (r regression) {
	sxy := 0.0
	for from := 0; from < len(all); {
		var n, x, y, xx, xy float64
		o, i := all[from], from
		for ; i < len(all) && all[i].segment == o.segment; i++ {
			if !all[i].fits {
				continue
			}
			dx, dy := all[i].x-o.x, all[i].y-o.y
			n, x, y, xx, xy = n+1, x+dx, y+dy, xx+dx*dx, xy+dx*dy
		}
		r.sxx += xx - x*x/n
		sxy += xy - x*y/n
		r.x, r.y = o.x+x/n, o.y+y/n
		from = i
	}
	if r.sxx > 0 {
		r.slope = sxy / r.sxx
	}
	return r
}

// mark sets fits for the minima that lie on or under the lines of their
// segments. That is at least one of each.
func mark(all []minimum, slope float64) {
	for from := 0; from < len(all); {
		o, sum, i := all[from], 0.0, from
		for ; i < len(all) && all[i].segment == o.segment; i++ {
			sum += all[i].y - o.y - slope*(all[i].x-o.x)
		}
		mean := sum/float64(i-from) + 1 // to a ns, lest rounding leaves out all
		for j := from; j < i; j++ {
			all[j].fits = all[j].y-o.y-slope*(all[j].x-o.x) <= mean
		}
		from = i
	}
}

// deviation is the standard deviation from the line of the minima that fit, and
// how many these are. Where the last five all lie above the line it is at least
// a quarter of their least height: the device may have lost frames in silence.
func (l *line) deviation(own []minimum) (std, n float64) {
	least, squares := math.Inf(1), 0.0
	for i := range own {
		d := own[i].y - l.at(own[i].x)
		if own[i].fits {
			squares, n = squares+d*d, n+1
		}
		if i >= len(own)-5 {
			least = min(least, d)
		}
	}
	return max(math.Sqrt(squares/n), least/4), n
}
