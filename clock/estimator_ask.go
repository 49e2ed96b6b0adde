package clock

import (
	"math"
	"math/bits"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// How far the rate of a device wanders: wander in a second, maxWander in the
// long run. Quartz in a room stays below both.
const (
	wander    = 20.0   // ns/s per s: 0.02 ppm in a second
	maxWander = 5000.0 // ns/s: 5 ppm
)

// unknownLate is how late a packet may be if none has been seen.
const unknownLate = 20 * time.Millisecond

// At tells when the boundary before frame p was captured, and how wrong that
// may be, both in ns. The time is rounded to the nearest ns, the error up. Both
// are by the line of the present segment, of which p should be, and grow worse
// with the distance of p from what was observed. Before the first packet it
// knows nothing and returns 0 and the greatest error.
func (e *Estimator) At(p audio.Pos) (at, err int64) {
	if !e.observed {
		return 0, math.MaxInt64
	}
	nominal := e.nominal(p)
	x := float64(nominal) / 1e9
	return e.t0 + nominal + round(e.line.at(x)), up(e.errAt(x))
}

// errAt is the error in ns of the line at x.
func (e *Estimator) errAt(x float64) float64 {
	l := &e.line
	if e.own >= fewest {
		beyond := max(0, l.from-x, x-l.to)
		return max(e.floor, l.err) + l.away(beyond)
	}
	// The line goes through the lowest point of the s seconds seen so far. That
	// is as late as the lowest of one second, divided by s. A first burst may be
	// late as a whole.
	seen := e.open.to - e.started
	height := l.height
	if height < 0 {
		height = float64(unknownLate) / 20
	}
	err := 7 * height / min(fewest, max(seen, 1.0/16)) // e^-7 is 1 in 1,000
	if seen < 0.25 {
		err += float64(e.Late())
	}
	from := math.Abs(x - e.low.x)
	return max(e.floor, err) + l.away(from) + maxWander*from
}

// away is how much the error grows in ns at s seconds from what was observed.
func (l *line) away(s float64) float64 { return s * (l.slopeErr + min(maxWander, wander/2*s)) }

// Rate tells how many ppm faster than nominal the device is, and how wrong that
// may be.
func (e *Estimator) Rate() (ppm, err float64) {
	ratio := 1 / (1 + 1e-9*e.line.slope) // 1, but for a source that lies
	return 1e6 * (ratio - 1), 1e-3 * ratio * ratio * (e.line.slopeErr + wander*float64(len(e.minima))/2)
}

// Late is how late in ns a single packet may come: the latest of the last
// 60 seconds of sound against the line. So of as many packets as there were,
// about one comes later.
func (e *Estimator) Late() int64 {
	if e.n == 0 && e.open.points < 16 {
		return int64(unknownLate)
	}
	late := e.line.late
	if e.open.points > 0 {
		late = max(late, e.open.latest)
	}
	return up(late)
}

// Frames is how many frames the device yields between two instants, rounded to
// the nearest and never negative, and by how many that may be wrong. It tells
// how long a hole was; err is how wrong the two instants may be together.
//
// A hole must be given its length at once: from is then At of its beginning and
// to the time of the first packet behind it less the length of that packet,
// wrong by Late. It comes out too long by as much as that packet is late. A
// second later At of its end is known better, and so is how wrong that was.
func (e *Estimator) Frames(from, to, err int64) (frames, wrong int64) {
	d := max(0, to-from)
	hi, lo := bits.Mul64(uint64(d), uint64(e.rate))
	whole, rest := bits.Div64(hi, lo, 1e9) // rate < 2^30, so it fits
	s := float64(d) / 1e9
	ppm := faster(e.line.slope)
	frames = max(0, int64(whole)+round(float64(rest)/1e9+s*float64(e.rate)*ppm*1e-6))
	ns := float64(err) + e.line.away(s)
	return frames, 1 + up(ns*float64(e.rate)/1e9)
}

// round is the nearest integer, halves up, and up the next one. What a source
// that lies could make of them is cut to 62 bits.
func round(x float64) int64 { return int64(math.Floor(min(max(x, -1<<62), 1<<62) + 0.5)) }
func up(x float64) int64    { return int64(math.Ceil(min(x, 1<<62))) }
