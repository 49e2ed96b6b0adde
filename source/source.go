// Package source says what yields the frames of a sensor. The drivers are the
// folders below it; what they all promise is tested by source/sourcetest.
package source

import (
	"context"
	"fmt"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// A Source yields the frames of one sensor, in order. It belongs to one
// goroutine: no two of its methods run at once.
type Source interface {
	// Format is fixed while the source is open.
	Format() audio.Format

	// Read fills a prefix of p, whose length is a multiple of the frame, with
	// the next whole frames, and waits until there is at least one. The rest
	// of p may be overwritten; no reference to p is kept. It returns in one of
	// these ways:
	//
	//	Frames > 0, nil         frames; Lost may be > 0: the frames missing just before them
	//	Frames = 0, Lost > 0, nil   a loss is known and no frame behind it yet
	//	0, io.EOF               the stream is over; every later call returns the same
	//	0, ctx.Err()            the context ended; the source is as if Read had not been called
	//	0, any other error      the source broke, see Fault; Close it and open it anew
	//
	// Frames and an error never come together: with an error the Packet is
	// zero. A context that has ended before the call takes no frame; the end
	// of the stream goes before it. With an empty p it returns 0, nil at once,
	// whatever else is true. After Close it must not be called.
	Read(ctx context.Context, p []byte) (Packet, error)

	// Close ends the source and frees what it holds, child processes
	// included. It may be called more than once.
	Close() error
}

// Packet says what one Read delivered.
type Packet struct {
	Frames int         // frames written to p
	Lost   int64       // frames missing just before them, within this stream
	Cause  audio.Cause // of Lost
	At     int64       // CLOCK_MONOTONIC ns at which the last of Frames was captured; never goes back; 0 without Frames
	Exact  bool        // At comes from the device; else it is worked out from arrivals
	First  bool        // these are the first frames since the source was opened: once, and only with Frames
}

// A Dated source knows when its first frame was captured in the world that it
// replays: a WAV file with a stated or given start. Sources that capture now
// are not Dated, or answer false.
type Dated interface {
	Source
	// Start is the time of the first frame since the source was opened.
	Start() (time.Time, bool)
}

// Reason says how a source broke, for the metric of restarts.
type Reason string

// The reasons. The list is closed.
const (
	Exit    Reason = "exit"    // the capture process ended by itself
	Abort   Reason = "abort"   // it was ended by a signal that was not ours
	Stall   Reason = "stall"   // frames stopped coming
	Hang    Reason = "hang"    // the process stopped answering
	Timeout Reason = "timeout" // it did not get ready in time
	Flood   Reason = "flood"   // it wrote messages without end
	Rate    Reason = "rate"    // frames came much faster than the rate says
	Failed  Reason = "error"   // anything else: refused, not found, unreadable
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{Exit, Abort, Stall, Hang, Timeout, Flood, Rate, Failed}
}

// A Fault is a source that broke or could not be opened. Its text is what the
// user reads: what is wrong with which device, and what to do about it; it
// does not name the sensor.
type Fault struct {
	Reason Reason
	Err    error
}

// Faultf returns a Fault. Its format is that of fmt.Errorf.
func Faultf(reason Reason, format string, args ...any) *Fault {
	return &Fault{reason, fmt.Errorf(format, args...)}
}

func (f *Fault) Error() string { return f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }
