package clock

import "time"

// A Reading is what the clocks of the machine show at one instant, in ns.
type Reading struct {
	Boot int64 // CLOCK_BOOTTIME: never stepped; NTP slews it, and it counts suspend
	Mono int64 // CLOCK_MONOTONIC: as Boot, but it stands still in suspend
	Raw  int64 // CLOCK_MONOTONIC_RAW: never stepped nor slewed; it stands still in suspend
	Real int64 // CLOCK_REALTIME, since 1970: stepped, and slewed as Boot is

	// Err is a half width: while Boot was Boot, each of the others was what is
	// said here, give or take Err.
	Err int64
}

// Suspended is how long the machine was suspended since it booted, give or
// take Err.
func (r Reading) Suspended() int64 { return r.Boot - r.Mono }

// Steady is CLOCK_MONOTONIC_RAW and the time in suspend: time that nobody
// steps or slews, without gaps. The rate of a device is measured on it.
func (r Reading) Steady() int64 { return r.Raw + r.Suspended() }

// SteadyAt is Steady at the instant at which CLOCK_MONOTONIC was mono, shortly
// before r. A slew makes it wrong by its rate times that time: 0.5 us at 500
// ppm and 1 ms. What comes from before a suspend, and is read behind it, is
// dated after it: late, never early.
func (r Reading) SteadyAt(mono int64) int64 { return r.Steady() - (r.Mono - mono) }

// A Change is what happened to the clocks between two readings.
type Change struct {
	Step    int64 // ns by which CLOCK_REALTIME was set forward; negative: back
	Suspend int64 // ns that the machine was suspended
}

// What a change must exceed to be one.
const (
	leastStep    = int64(time.Microsecond) // beyond both half widths: a slew moves the two alike
	leastSuspend = int64(time.Millisecond)
)

// Since is what happened after the reading before. CLOCK_REALTIME and
// CLOCK_BOOTTIME are slewed alike and both count suspend, so their difference
// changes when somebody sets the clock, and at a leap second that repeats, and
// not otherwise.
func (r Reading) Since(before Reading) Change {
	var c Change
	step := (r.Real - r.Boot) - (before.Real - before.Boot)
	if max(step, -step) > leastStep+r.Err+before.Err {
		c.Step = step
	}
	if s := r.Suspended() - before.Suspended(); s > leastSuspend+r.Err+before.Err {
		c.Suspend = s
	}
	return c
}

// Unsynchronised is how far the wall clock may be wrong, in ns, if nothing
// keeps it right: the kernel's own number for that.
const Unsynchronised = int64(16 * time.Second)

// Sync is what the system believes about its wall clock.
type Sync struct {
	Known bool // the system could be asked; if not, nothing is believed
	On    bool // the clock is kept right: NTP, PTP or the like disciplines it

	// MaxErr is how far it may be wrong, in ns, if On.
	MaxErr int64
}

// Err is how far the wall clock may be wrong, in ns.
func (s Sync) Err() int64 {
	if !s.On {
		return max(Unsynchronised, s.MaxErr)
	}
	return s.MaxErr
}
