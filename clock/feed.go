package clock

import "github.com/ingestd/ingestd/audio"

// A Feed gives an Estimator the packets of a stream, whose times are of
// CLOCK_MONOTONIC, on a scale that nobody slews. It keeps each until the clocks
// were read behind it: what they did meanwhile is known then, and one packet that
// is dated too early would spoil the line for a minute. Where the rate of the
// clock has changed it leaves packets out. It belongs to one goroutine, and
// allocates nothing.
type Feed struct {
	est  *Estimator
	zero int64 // ns of Steady that are 0 of the Estimator
	wait [feedRoom]struct {
		end  audio.Pos
		mono int64
	}
	n     int
	given bool // a packet of this segment
}

// feedRoom is room for as many packets as come between two readings; if it is
// too small the oldest is not kept longer.
const feedRoom = 64

// NewFeed returns a Feed of an Estimator whose times count from the Steady zero.
func NewFeed(e *Estimator, zero int64) *Feed { return &Feed{est: e, zero: zero} }

// Add takes the packet that ends at a position, whose last frame was captured, or
// which arrived, when CLOCK_MONOTONIC was mono, in ns. It gives the Estimator
// what is known by now.
func (f *Feed) Add(t *Track, end audio.Pos, mono int64) {
	if f.n == feedRoom {
		f.observe(t, 1)
	}
	f.wait[f.n].end, f.wait[f.n].mono = end, mono
	f.n++
	known := 0
	for known < f.n && f.wait[known].mono <= t.Last().Mono {
		known++
	}
	f.observe(t, known)
}

// Flush gives the Estimator what is waiting, as well as it is known, if it has
// nothing else of this segment.
func (f *Feed) Flush(t *Track) {
	if !f.given {
		f.observe(t, f.n)
	}
}

// Restart begins a new segment, see Estimator.Restart. What is waiting is
// forgotten.
func (f *Feed) Restart() {
	f.n, f.given = 0, false
	f.est.Restart()
}

// Drop forgets what is waiting.
func (f *Feed) Drop() { f.n = 0 }

func (f *Feed) observe(t *Track, n int) {
	for _, w := range f.wait[:n] {
		if !t.Bent(w.mono) {
			f.est.Observe(w.end, t.Steady(w.mono)-f.zero)
			f.given = true
		}
	}
	f.n = copy(f.wait[:], f.wait[n:f.n])
}
