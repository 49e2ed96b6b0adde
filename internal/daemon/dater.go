package daemon

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// Timing says where the times of a sensor's frames come from.
type Timing struct {
	// Source is adc, the device itself; arrival, when the frames came; or given:
	// every frame comes when the nominal rate says.
	Source string
	// Stated says that the source, a source.Dated, may say when its sound was
	// captured: that is the UTC of its frames then.
	Stated bool
	// LatencyErr is how wrong the constant latency of the source may be.
	LatencyErr time.Duration
	// Floor is the least error of a time that is measured; 0: the estimator's.
	Floor time.Duration
}

// The words of Timing.Source.
const (
	FromDevice  = "adc"
	FromArrival = "arrival"
	Given       = "given"
)

const (
	maxTurn  = 500 // ppm by which the line of the anchors may turn at once
	maxParts = 16  // parts of a hole that wait for its end to be dated

	// A device that does not date its sound is known to the millisecond no more,
	// for as long as the estimator looks back.
	inexactErr  = int64(9 * time.Millisecond)
	inexactLong = int64(time.Minute)

	// What comes in pieces tells of a rate when there are many.
	arrivalsTell = int64(time.Minute)
)

// A dater says when the frames of one stream were captured, and how wrong that
// may be: it observes the packets as they come and writes the ledger, an anchor
// for each second of positions, and a segment behind each hole. What it has
// written stands, so it writes about a hole and about the first frames only
// when a second of sound behind it is known. It belongs to the pump.
//
// Positions are those of the stream, times steady, see timekeeper.
type dater struct {
	ledger *clock.Ledger
	time   *timekeeper
	source string // see Timing
	rate   int64
	est    *clock.Estimator // nil: times are given
	feed   *clock.Feed      // of est
	watch  clock.Watch
	opened int64 // the newest anchor's time when the source was heard; 0: not yet
	base   int64 // the time of position 0, as long as nothing was observed; given: for ever

	due    audio.Pos // of the next anchor; 0: there is none yet
	newest int64     // the time of the newest anchor
	parts  []part    // of the hole behind the newest anchor, in their order
	heard  bool      // sound came behind them
	turned int64     // the turn of the clock that was last taken note of
	bent   int64     // ns by which the next anchor is worse for it
	doubt  int64     // ns by which all anchors are worse
	looked int64     // when the clocks had been looked at, at the newest packet
	vague  int64     // until then the device did not date its sound, or not long ago

	origin      atomic.Int64  // M of position 0, as long as there is no anchor
	ppm, ppmErr atomic.Uint64 // float64 bits: of the device's rate
	err         atomic.Int64  // ns, of the newest anchor
	lostErr     atomic.Int64  // frames by which the holes may be longer or shorter, all together
	verdict     atomic.Int32  // clock.Verdict
	inexact     atomic.Bool   // times come from arrivals, for want of those of the device
}

// part is a hole, or as much of one as has one cause and lies in one session.
type part struct {
	to    audio.Pos
	lost  int64
	cause audio.Cause
	at    int64 // its end, if that is known by the clock; else 0
}

func newDater(s Sensor, k *timekeeper, labels *clock.Labels) (*dater, error) {
	ledger, err := clock.NewLedger(clock.LedgerConfig{Rate: s.Format.Rate, LatencyErr: int64(s.Timing.LatencyErr), Labels: labels})
	if err != nil {
		return nil, err
	}
	d := &dater{ledger: ledger, time: k, source: s.Timing.Source, rate: int64(s.Format.Rate), parts: make([]part, 0, maxParts), turned: -1, vague: math.MinInt64}
	if s.Timing.Source != Given {
		d.est = clock.NewEstimator(s.Format.Rate, clock.EstimatorOptions{Floor: int64(s.Timing.Floor)})
		d.feed = clock.NewFeed(d.est, k.zero.Steady())
		ppm, err := d.est.Rate()
		d.ppm.Store(math.Float64bits(ppm))
		d.ppmErr.Store(math.Float64bits(err))
	}
	return d, nil
}

// observe takes a packet that ends at a position, whose last frame was captured
// when CLOCK_MONOTONIC was mono, exactly if the device says so. To be called
// before turns and rows of what lies before its end.
func (d *dater) observe(end audio.Pos, mono int64, exact bool) {
	d.heard = true
	at := d.time.steady(mono)
	if d.source == FromDevice && !exact {
		d.vague = at + inexactLong
	}
	d.inexact.Store(at < d.vague)
	d.looked = d.time.known()
	if d.est != nil {
		d.feed.Add(d.time.track.Load(), end, mono)
	}
	if d.due == 0 {
		at, _ := d.at(0)
		d.origin.Store(d.m(at))
	}
}

// anew says that the source was opened anew: what was said about its rate does
// not count for it.
func (d *dater) anew() {
	d.watch, d.opened = clock.Watch{}, 0
	d.verdict.Store(int32(clock.Sound))
}

// frames is how many frames the device yields between two times.
func (d *dater) frames(from, to int64) int64 {
	if d.est == nil {
		return nominalFrames(max(0, to-from), d.rate)
	}
	n, _ := d.est.Frames(from, to, 0)
	return n
}

// at is when the boundary before p was, and how wrong that may be, in ns: as
// steady time, or M if times are given.
func (d *dater) at(p audio.Pos) (at, err int64) {
	if d.est == nil {
		return d.base + nominalTime(int64(p), d.rate), 0
	}
	at, err = d.est.At(p)
	if err == math.MaxInt64 { // nothing was observed yet: the stream begins with a hole
		return d.base + nominalTime(int64(p), d.rate), int64(firstErr)
	}
	return at, err
}

// end is when the last frame before p was captured, which the packet of the newest
// frames said was at: that may be later, and is not earlier.
func (d *dater) end(p audio.Pos, at int64) int64 {
	if d.est == nil {
		return at
	}
	line, err := d.est.At(p)
	if err == math.MaxInt64 {
		return at
	}
	return min(line, at)
}

// m is M of a time that at returned.
func (d *dater) m(at int64) int64 {
	if d.est == nil {
		return at
	}
	return d.time.m(at)
}

// judge takes note of the rate of the device.
func (d *dater) judge() {
	if d.est == nil {
		return
	}
	ppm, err := d.est.Rate()
	d.ppm.Store(math.Float64bits(ppm))
	d.ppmErr.Store(math.Float64bits(err))
	if d.opened == 0 {
		d.opened = d.newest
	}
	if d.source == FromArrival && d.newest-d.opened < arrivalsTell {
		return
	}
	d.verdict.Store(int32(d.watch.Judge(ppm, err, d.newest)))
}

// by is where times come from now, in the words of Timing.Source.
func (d *dater) by() string {
	if d.inexact.Load() {
		return FromArrival
	}
	return d.source
}

// drift is how many ppm faster than nominal the device is, and by how many that
// may be wrong. It may be asked from any goroutine.
func (d *dater) drift() (ppm, err float64) {
	return math.Float64frombits(d.ppm.Load()), math.Float64frombits(d.ppmErr.Load())
}

// nominalFrames is how many frames fit into ns, and nominalTime how many ns
// frames last, both at the nominal rate and rounded down.
func nominalFrames(ns, rate int64) int64 {
	return ns/1e9*rate + ns%1e9*rate/1e9
}

func nominalTime(frames, rate int64) int64 {
	return frames/rate*1e9 + frames%rate*1e9/rate
}
