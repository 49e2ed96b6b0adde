package buffer

import (
	"errors"
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// Errors that callers branch on.
var (
	// ErrTooManyReaders says that every place of the ring is taken.
	ErrTooManyReaders = errors.New("all places for readers are taken")
	// ErrOutside is what LostError and FutureError have in common: the ring
	// does not hold what was asked for.
	ErrOutside = errors.New("outside of what the ring holds")
	// ErrReaderClosed says that a reader was used after Close.
	ErrReaderClosed = errors.New("the reader is closed")
)

// A LostError says that frames that were asked for do not exist: they were
// overwritten, or never captured.
type LostError struct {
	Want audio.Span // what was asked for
	// Lost begins where the loss meets Want, and ends where sound goes on, at
	// the head, or where the next loss begins; it is not cut at the end of Want.
	Lost  audio.Span
	Cause audio.Cause
	Holds audio.Span // what the ring held, as Bounds
}

func (e *LostError) Error() string {
	how := "was never captured"
	if e.Cause == audio.Overrun {
		how = "was overwritten"
	}
	return fmt.Sprintf("asked for %v: %v %s (%v), the ring holds %v", e.Want, e.Lost, how, e.Cause, e.Holds)
}

// Unwrap returns ErrOutside.
func (e *LostError) Unwrap() error { return ErrOutside }

// A FutureError says that frames that were asked for have not been captured
// yet, and that nothing before them is lost.
type FutureError struct {
	Want audio.Span
	Head audio.Pos // the end of what there is
}

func (e *FutureError) Error() string {
	return fmt.Sprintf("asked for %v: the head is at %d", e.Want, e.Head)
}

// Unwrap returns ErrOutside.
func (e *FutureError) Unwrap() error { return ErrOutside }
