package clock

import "math"

// What the Estimator is measured against. All of them begin anew at a hole and
// keep their rate where they have one.

// dll is the delay-locked loop of F. Adriaensen, "Using a DLL to filter time":
// of second order, critically damped as there, hz wide.
type dll struct {
	hz, rate float64
	began    int64
	last     int64
	t1, e2   float64 // ns: when the next packet is due, and how long one lasts
	frames   float64
}

func newDLL(s *sim, hz float64) *dll { return &dll{hz: hz, rate: s.rate, began: s.began} }

func (d *dll) take(p packet) (at, ppm float64) {
	now := float64(p.at - d.began)
	frames := float64(int64(p.end) - d.last)
	d.last = int64(p.end)
	if d.e2 == 0 {
		d.frames, d.e2 = frames, 1e9*frames/d.rate
		d.t1 = now
	}
	if p.hole {
		d.t1 = now
	}
	omega := 2 * math.Pi * d.hz * d.frames / d.rate
	e := now - d.t1
	at = d.t1
	d.t1 += math.Sqrt2*omega*e + d.e2
	d.e2 += omega * omega * e
	return at, 1e6 * (1e9*d.frames/d.rate/d.e2 - 1)
}

// firstArrival counts on from the first packet at the nominal rate.
type firstArrival struct {
	rate  float64
	began int64
	p     packet
}

func (f *firstArrival) take(p packet) (at, ppm float64) {
	if p.hole || f.p.at == 0 {
		f.p = p
	}
	return float64(f.p.at-f.began) + 1e9*float64(p.end-f.p.end)/f.rate, 0
}

// newestArrival says that a packet ended when it came.
type newestArrival struct{ began int64 }

func (n newestArrival) take(p packet) (at, ppm float64) { return float64(p.at - n.began), 0 }

// leastSquares is a line through all points, each of which weighs 1/e after
// memory seconds.
type leastSquares struct {
	rate, memory       float64
	began              int64
	p                  packet
	w, x, y, xx, xy, b float64 // sums about the last point and the slope, s and ns
}

func (l *leastSquares) take(p packet) (at, ppm float64) {
	if p.hole || l.p.at == 0 {
		l.w, l.x, l.y, l.xx, l.xy = 0, 0, 0, 0, 0
		l.p = p
	}
	// The sums move to the new point.
	dx := float64(p.end-l.p.end) / l.rate
	dy := float64(p.at-l.p.at) - 1e9*dx
	l.xy += -dy*l.x - dx*l.y + dx*dy*l.w
	l.xx += -2*dx*l.x + dx*dx*l.w
	l.x -= dx * l.w
	l.y -= dy * l.w
	l.p = p
	fade := math.Exp(-dx / l.memory)
	l.w, l.x, l.y, l.xx, l.xy = 1+fade*l.w, fade*l.x, fade*l.y, fade*l.xx, fade*l.xy
	if v := l.xx - l.x*l.x/l.w; v > 1e-3 {
		l.b = (l.xy - l.x*l.y/l.w) / v
	}
	return float64(p.at-l.began) + (l.y-l.b*l.x)/l.w, faster(l.b)
}
