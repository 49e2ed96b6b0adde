package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic is CLOCK_MONOTONIC in nanoseconds.
func (System) Monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		// Linux has had this clock since 2.6 and the argument is a constant.
		panic("clock_gettime(CLOCK_MONOTONIC): " + err.Error())
	}
	return int64(ts.Sec)*int64(time.Second) + int64(ts.Nsec)
}
