package source

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/ingestd/ingestd/clock"
)

// Admit is the gate of a source that goes as fast as its frames are taken: it
// waits until at least one frame may be delivered and returns how many may be,
// 1 to frames, or the context's error. It reserves nothing: what is not
// delivered is asked for again.
type Admit func(ctx context.Context, frames int) (int, error)

// DefaultBatch is how much sound a paced source delivers at a time. Wake-ups
// are most of what recording costs: a quarter of a second is four of them, the
// same ones for all sources of a process and for those who read them.
const DefaultBatch = 250 * time.Millisecond

// MaxSpeed is the fastest pace that is not simply unpaced.
const MaxSpeed = 1e6

const (
	minSpeed = 1e-3
	minTick  = 10 * time.Millisecond
	perNano  = int64(time.Second) * 1000 // a rate is in thousandths of a frame per second
)

// PaceConfig says how a source that could go faster is to deliver.
type PaceConfig struct {
	Clock clock.Clock // nil: the machine's
	Rate  int         // frames per second
	Speed float64     // 1: real time, N: N times faster, 0: unpaced
	Batch time.Duration
	Admit Admit // asked at speed 0 only; nil: no gate
}

// A Pace lets a source that could go faster deliver like a device. Frame n is
// due at start + n/(rate × speed), so that nothing adds up over years. Frames
// are delivered at ticks, the multiples of the batch on the monotonic clock:
// all sources of a process wake at the same instants. At more than real time
// ticks are closer, down to 10 ms. It belongs to one goroutine.
type Pace struct {
	clock   clock.Clock
	start   int64 // monotonic ns at which frame 0 begins
	rate    int64
	fast    int64 // rate × speed in thousandths; 0: unpaced
	tick    time.Duration
	horizon int64 // frames that were due at the last tick
	admit   Admit
}

// NewPace returns a pace that starts now.
func NewPace(c PaceConfig) (*Pace, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Batch == 0 {
		c.Batch = DefaultBatch
	}
	switch {
	case c.Rate < 1:
		return nil, Faultf(Failed, "rate %d Hz is no rate", c.Rate)
	case c.Speed != 0 && !(c.Speed >= minSpeed && c.Speed <= MaxSpeed):
		return nil, Faultf(Failed, "speed %v is out of range: use 1 for real time, 0 for unpaced, else %v to %v", c.Speed, minSpeed, float64(MaxSpeed))
	case c.Batch < time.Millisecond || c.Batch > time.Hour:
		return nil, Faultf(Failed, "batch %v is out of range 1ms to 1h", c.Batch)
	}
	p := &Pace{clock: c.Clock, start: c.Clock.Monotonic(), rate: int64(c.Rate), tick: c.Batch, admit: c.Admit}
	p.fast = int64(math.Round(float64(c.Rate) * c.Speed * 1000))
	if c.Speed > 1 {
		p.tick = max(time.Duration(float64(c.Batch)/c.Speed), min(c.Batch, minTick))
	}
	if c.Speed != 0 && p.fast == 0 {
		return nil, Faultf(Failed, "speed %v is too slow for %d Hz", c.Speed, c.Rate)
	}
	return p, nil
}

// Take waits until at least one frame behind the first pos is due and returns
// how many are, at most want, which is at least 1. A source that ends after
// end frames (0: it does not) gets its last ones at their own deadline, not at
// the next tick. The error is the context's, or the gate's.
func (p *Pace) Take(ctx context.Context, pos, end int64, want int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if p.fast == 0 {
		if p.admit == nil {
			return want, nil
		}
		n, err := p.admit(ctx, want)
		if err != nil {
			return 0, err
		}
		if n < 1 || n > want {
			return 0, fmt.Errorf("the gate admitted %d of %d frames", n, want)
		}
		return n, nil
	}
	for p.horizon <= pos {
		wake := clock.NextTick(p.due(pos+1)-1, p.tick) // a deadline at a tick is met there
		if end > pos {
			wake = min(wake, p.due(end))
		}
		if err := p.clock.Sleep(ctx, wake); err != nil {
			return 0, err
		}
		p.horizon = mulDiv(p.clock.Monotonic()-p.start, p.fast, perNano)
	}
	return int(min(p.horizon-pos, int64(want))), nil
}

// At is the nominal time at which the first pos frames were captured: the
// start and pos/rate, whatever the speed.
func (p *Pace) At(pos int64) int64 {
	return p.start + mulDiv(pos, int64(time.Second), p.rate)
}

// due is the first ns at which n frames have passed.
func (p *Pace) due(n int64) int64 {
	ns := mulDiv(n, perNano, p.fast)
	if mulDiv(ns, p.fast, perNano) < n {
		ns++
	}
	return p.start + ns
}

// mulDiv is a × b / c, rounded down, for a, b ≥ 0 and c > 0; what does not fit
// is the largest int64.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(min(q, math.MaxInt64))
}
