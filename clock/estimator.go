package clock

import (
	"math"

	"github.com/ingestd/ingestd/audio"
)

// EstimatorOptions are what is known of a device before it is heard.
type EstimatorOptions struct {
	// PriorPPM is how much faster than nominal the device was when it was last
	// heard. It counts until four seconds of this stream are known.
	PriorPPM float64
	// PriorErrPPM is how far PriorPPM may be wrong. 0 means 500, which is right
	// for a device that was never heard.
	PriorErrPPM float64
	// Floor is the least error in ns that At states. 0 means DefaultFloor; a
	// device on USB wants USBFloor.
	Floor int64
}

const (
	DefaultFloor int64 = 20_000    // ns
	USBFloor     int64 = 1_000_000 // ns: packets move in frames of the bus, 1 ms long
)

// An Estimator tells when the boundaries between frames were captured, from the
// times at which packets of frames came.
//
// It works on one time scale that nobody slews: CLOCK_MONOTONIC_RAW with the
// time of all suspends added, in ns. On a clock that NTP slews, a change of the
// clock cannot be told from one of the device, and the line follows a minute
// late. The Estimator reads no clock.
//
// Why a line under the earliest arrivals: packets come late and never early, so
// the truth lies on or under every point of position and arrival, and the
// earliest arrival of a second is nearly on it. A filter of the mean would
// inherit the mean lateness. From each second of positions the earliest point
// is kept, and a line is fitted to the last 60 and then again to those on or
// under it. What shifts all arrivals alike, such as the latency of a driver,
// cannot be seen in them.
//
// A hole may be longer or shorter than it was thought, so behind it a new
// segment begins, whose offset comes from its own points alone. Its slope does
// not: until it has 16 minima, those of earlier segments share the slope of its
// line, each segment with an offset of its own. Until it has four, the line
// has the last known slope and goes through its lowest point.
//
// Floats live inside only, and are small because they are relative to the
// first point. All that is returned as a position or a time is an integer.
//
// An Estimator belongs to one goroutine. It never allocates once it is made.
type Estimator struct {
	rate     int64
	floor    float64     // ns
	priorErr float64     // ns/s
	s0       audio.Pos   // the first point
	t0       int64       // its time, ns
	observed bool        // there is a first point
	minima   [60]minimum // the first n, oldest first
	n        int
	own      int     // how many of them are of the present segment
	segment  int64   // numbers the segments
	empty    bool    // the next point begins a segment
	started  float64 // x of its first point
	low      point   // its lowest point, while own < fewest
	second   int64   // which second of the segment the open bin is
	open     bin
	line     line
}

const (
	fewest = 4  // minima that a segment must have to be given a line of its own
	alone  = 16 // minima from which on it needs no others for its slope
)

// A point is a position and a time, relative to the first point and to the
// nominal rate.
type point struct {
	x float64 // nominal s from s0 to the boundary
	y float64 // ns that it came later than t0 and x say
}

// A minimum is the lowest point of a second.
type minimum struct {
	point
	height  float64 // ns above the truth, as the gap to the second lowest has it; negative if there was none
	late    float64 // ns that the latest point lay above the line
	segment int64
	fits    bool
}

// A bin is a second that is not over.
type bin struct {
	points int64
	lowest point
	above  float64 // of the lowest: y less slope times x from the beginning of the bin
	second float64 // the same of the second lowest
	from   float64 // x of the first
	to     float64 // x of the last
	latest float64 // ns that the latest lay above the line
}

// NewEstimator returns an Estimator of a device of rate frames a second.
func NewEstimator(rate int, o EstimatorOptions) *Estimator {
	e := &Estimator{rate: int64(rate), floor: float64(o.Floor), priorErr: 1e3 * o.PriorErrPPM, empty: true}
	if o.Floor == 0 {
		e.floor = float64(DefaultFloor)
	}
	if o.PriorErrPPM == 0 {
		e.priorErr = 500e3
	}
	e.line = line{slope: slope(o.PriorPPM), slopeErr: e.priorErr, height: -1}
	return e
}

// Observe takes a packet: end is the boundary behind its last frame, at is when
// that was captured or, where that is not known, when the packet came. Ends
// increase. It costs some ns, and some hundred where a second of positions
// ends.
func (e *Estimator) Observe(end audio.Pos, at int64) {
	if !e.observed {
		e.observed, e.s0, e.t0 = true, end, at
	}
	p := e.point(end, at)
	if e.empty {
		e.empty, e.started, e.low, e.own = false, p.x, p, 0
		e.line.x, e.line.y = p.x, p.y
		e.segment++
	}
	second := int64(p.x - e.started)
	if e.open.points > 0 && second != e.second {
		e.shut()
	}
	above := p.y - e.line.at(p.x)
	if above < 0 && e.own < fewest {
		e.low, e.line.x, e.line.y = p, p.x, p.y
		above = 0
	}
	e.second = second
	e.open.add(p, above, e.line.slope)
}

// Restart begins a new segment: the positions of what is observed from now on
// may be wrong by a constant against those before. It is for holes, after which
// time is known better than length. Until the next packet At answers by the old
// line: ask it for the beginning of the hole; about a second later, for its end.
func (e *Estimator) Restart() {
	if e.empty {
		return
	}
	if e.open.points > 0 && e.open.to-e.open.from >= 0.5 {
		e.shut()
	}
	e.open.points = 0 // the earliest of less time would not be like the others
	e.empty = true
}

// point places a boundary and a time against the first point. The nominal time
// of the boundary is rounded down to a ns.
func (e *Estimator) point(p audio.Pos, at int64) point {
	nominal := e.nominal(p)
	return point{float64(nominal) / 1e9, float64(at - e.t0 - nominal)}
}

// nominal is how many ns the frames from s0 to p last at the nominal rate,
// rounded down.
func (e *Estimator) nominal(p audio.Pos) int64 {
	s, frames := int64(p-e.s0)/e.rate, int64(p-e.s0)%e.rate
	if frames < 0 {
		s, frames = s-1, frames+e.rate
	}
	return s*1e9 + frames*1e9/e.rate
}

// add puts a point into the bin.
func (b *bin) add(p point, late, slope float64) {
	if b.points == 0 {
		*b = bin{from: p.x, above: math.Inf(1), second: math.Inf(1)}
	}
	b.points++
	b.to, b.latest = p.x, max(b.latest, late)
	above := p.y - slope*(p.x-b.from)
	switch {
	case above < b.above:
		b.lowest, b.above, b.second = p, above, b.above
	case above < b.second:
		b.second = above
	}
}

// shut makes a minimum of the open bin and fits the line anew.
func (e *Estimator) shut() {
	b := &e.open
	m := minimum{point: b.lowest, height: -1, late: b.latest, segment: e.segment}
	if b.points > 1 {
		// Of n points as late as exp(s), the lowest is s/n late and the gap is s/(n-1).
		m.height = (b.second - b.above) * float64(b.points-1) / float64(b.points)
	}
	b.points = 0
	if e.n == len(e.minima) {
		copy(e.minima[:], e.minima[1:])
		e.n--
	}
	e.minima[e.n] = m
	e.n++
	e.own = min(e.own+1, e.n)
	e.fit()
}
