// Package clocktest is a machine whose clocks a test steps, slews and
// suspends. It does what the clocks of Linux do: CLOCK_REALTIME and
// CLOCK_BOOTTIME are slewed together, CLOCK_MONOTONIC_RAW never is, and
// neither it nor CLOCK_MONOTONIC counts the time in suspend.
package clocktest

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ingestd/ingestd/clock"
)

// A Clock is a machine. Time passes in Advance only, or with the time package,
// by how it was made. All its methods may be called from any goroutine at once.
type Clock struct {
	born  time.Time // of the time package; zero: time passes in Advance
	start int64     // Unix ns of the true time at which the machine was made

	mu        sync.Mutex
	awake     int64 // ns of true time that passed, suspend aside
	raw       rated
	mono      rated
	ppb       int64 // by which RAW is fast
	slew      int64 // ppb by which the others are faster than RAW
	suspended int64 // ns
	off       int64 // REALTIME - BOOTTIME, ns
	sync      clock.Sync
	err       int64
	noise     *rand.Rand
	script    []event
	acting    bool          // an event of the script is being done, and the present is its instant
	changed   chan struct{} // closed and made anew whenever a clock moves by itself
}

var _ clock.Clock = (*Clock)(nil)

// rated is a clock of a rate: at from ns of awake time it was at.
type rated struct{ from, at, ppb int64 }

func (r rated) read(awake int64) int64 {
	d := awake - r.from
	return r.at + d + mulDiv(d, r.ppb, 1e9)
}

// turn gives the clock another rate without moving it.
func (r *rated) turn(awake, ppb int64) { *r = rated{awake, r.read(awake), ppb} }

// mulDiv is d*ppb/per, rounded towards 0, for a d that is not negative.
func mulDiv(d, ppb int64, per uint64) int64 {
	hi, lo := bits.Mul64(uint64(d), uint64(max(ppb, -ppb)))
	q, _ := bits.Div64(hi, lo, per)
	if ppb < 0 {
		return -int64(q)
	}
	return int64(q)
}

// uptime is what the clocks that count from the boot show at first, in ns.
const uptime = int64(100 * time.Second)

// New returns a machine that was booted 100 s ago and whose wall clock is right
// and synchronised at start. Time passes in Advance.
func New(start time.Time) *Clock {
	return &Clock{
		start: start.UnixNano(), off: start.UnixNano() - uptime,
		raw: rated{at: uptime}, mono: rated{at: uptime},
		sync: clock.Sync{Known: true, On: true}, changed: make(chan struct{}),
	}
}

// NewFollowing is New at the time package's present time, with which time
// passes from then on: for a testing/synctest bubble. Timers of the package
// are neither slewed nor suspended.
func NewFollowing() *Clock {
	c := New(time.Now())
	c.born = time.Now()
	return c
}

// settle brings the clocks to the present, and does what the script has for
// until then. mu is held.
func (c *Clock) settle() {
	if !c.born.IsZero() && !c.acting {
		c.advance(int64(time.Since(c.born)) - c.awake)
	}
}

// read settles, and returns a reading without noise. mu is held.
func (c *Clock) read() clock.Reading {
	c.settle()
	m := c.mono.read(c.awake)
	boot := m + c.suspended
	return clock.Reading{Boot: boot, Mono: m, Raw: c.raw.read(c.awake), Real: boot + c.off}
}

// Monotonic is CLOCK_MONOTONIC, in ns.
func (c *Clock) Monotonic() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read().Mono
}

// UTC is CLOCK_REALTIME.
func (c *Clock) UTC() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, c.read().Real).UTC()
}

// Read has the half width and the noise that Noise has set.
func (c *Clock) Read() clock.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.read()
	if r.Err = c.err; c.err > 0 {
		for _, at := range []*int64{&r.Mono, &r.Raw, &r.Real} {
			*at += c.noise.Int64N(2*c.err+1) - c.err
		}
	}
	return r
}

// Sync is what SetSync has set.
func (c *Clock) Sync() clock.Sync {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	return c.sync
}

// Truth is the true time, whatever the wall clock says.
func (c *Clock) Truth() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	return time.Unix(0, c.start+c.awake+c.suspended).UTC()
}

// Sleep waits until Monotonic has been advanced to until. Who waits while the
// time is moved past until by more wakes late, as on a real machine.
func (c *Clock) Sleep(ctx context.Context, until int64) error {
	for {
		c.mu.Lock()
		left, changed, ppb := until-c.read().Mono, c.changed, c.mono.ppb
		c.mu.Unlock()
		if left <= 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		c.nap(ctx, max(1, mulDiv(left, 1e9, uint64(1e9+ppb))), changed)
	}
}

// nap waits until a clock moved by itself, or the context ended, or, where time
// passes by itself, that long in ns.
func (c *Clock) nap(ctx context.Context, ns int64, changed <-chan struct{}) {
	var due <-chan time.Time
	if !c.born.IsZero() {
		t := time.NewTimer(time.Duration(ns))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-due:
	case <-changed:
	case <-ctx.Done():
	}
}
