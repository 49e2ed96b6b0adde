//go:build !linux

package clock

import "time"

// Monotonic is the time since the first reading of this process, in ns: where
// there is no CLOCK_MONOTONIC to read, readings must not cross processes.
func (System) Monotonic() int64 { return int64(time.Since(start)) }

var start = time.Now()

// coarse is how far the two clocks that time.Now reads may be apart, in ns:
// some systems move their wall clock once in a timer interrupt.
const coarse = int64(16 * time.Millisecond)

// Read takes the time package's monotonic clock for all but the wall clock:
// slews and suspends are not seen, and steps from tens of milliseconds on.
func (System) Read() Reading {
	now := time.Now()
	m := int64(now.Sub(start))
	return Reading{Boot: m, Mono: m, Raw: m, Real: now.UnixNano(), Err: coarse}
}

// Sync knows nothing: there is no one call to ask.
func (System) Sync() Sync { return Sync{} }
