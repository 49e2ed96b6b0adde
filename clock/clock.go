// Package clock tells the time of the machine. Everything that decides by
// time is given a Clock, so that a test can pass its own.
package clock

import (
	"context"
	"time"
)

// A Clock reads the machine's clocks. Its methods may be called from any
// goroutine at once.
type Clock interface {
	// Monotonic is CLOCK_MONOTONIC in nanoseconds. It never steps, and all
	// processes of one boot share it, so a reading may cross a pipe. It stands
	// still while the machine is suspended, and NTP slews it.
	Monotonic() int64
	// UTC is the wall clock. It may step.
	UTC() time.Time
	// Sleep returns nil once Monotonic has reached until, or the context's
	// error if that ends first.
	Sleep(ctx context.Context, until int64) error
	// Read reads all clocks as of one instant. It takes longer than Monotonic,
	// and allocates nothing.
	Read() Reading
	// Sync is what the system believes about its wall clock.
	Sync() Sync
}

// NextTick is the first multiple of step behind now, a reading of Monotonic in
// ns: if now is one itself, the next. All that happens at intervals happens at
// multiples of them, so that one wake-up serves all.
func NextTick(now int64, step time.Duration) int64 {
	return now - now%int64(step) + int64(step)
}

// System is the clock of the machine. Beside Linux, its Read knows Monotonic
// and the wall clock only, and its Sync nothing.
type System struct{}

var _ Clock = System{}

// UTC is the wall clock.
func (System) UTC() time.Time { return time.Now().UTC() }

// Sleep waits until Monotonic has reached until.
func (s System) Sleep(ctx context.Context, until int64) error {
	return sleep(ctx, time.Duration(until-s.Monotonic()))
}

// Bubble is a clock that follows the time package. It is for tests that run in
// a testing/synctest bubble, where the time package is faked and system calls
// are not. Make it with NewBubble.
type Bubble struct{ zero time.Time }

var _ Clock = Bubble{}

// NewBubble returns a clock whose Monotonic is 1 s now.
func NewBubble() Bubble { return Bubble{time.Now().Add(-time.Second)} }

// Monotonic is the time since the zero of the bubble's clock, in ns.
func (b Bubble) Monotonic() int64 { return int64(time.Since(b.zero)) }

// UTC is the bubble's wall clock.
func (Bubble) UTC() time.Time { return time.Now().UTC() }

// Read derives all clocks from the bubble's: none is slewed, stepped or
// suspended.
func (b Bubble) Read() Reading {
	m := b.Monotonic()
	return Reading{Boot: m, Mono: m, Raw: m, Real: time.Now().UnixNano()}
}

// Sync says that the bubble's wall clock is right.
func (Bubble) Sync() Sync { return Sync{Known: true, On: true} }

// Sleep waits in the bubble's time.
func (b Bubble) Sleep(ctx context.Context, until int64) error {
	return sleep(ctx, time.Duration(until-b.Monotonic()))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
