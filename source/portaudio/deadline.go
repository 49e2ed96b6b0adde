package portaudio

import "time"

// deadline is the instant d from now for the deadline of a pipe, which is in
// package time's own time. What is decided by time asks a Clock.
func deadline(d time.Duration) time.Time { return time.Now().Add(d) }
