// Package sourcetest is the suite of source.Source: each sentence of the
// contract, asked of a driver through many patterns of reading.
package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ingestd/ingestd/source"
)

// Want says what one opened source yields.
type Want struct {
	Bytes  []byte // its sound from the first frame on; nil: any sound
	Frames int64  // how many frames to read of any sound; not used with Bytes
	Ends   bool   // behind them the stream is over; else it goes on, or waits
	Lossy  bool   // frames may be lost; else each loss is a fault
}

// Open opens the driver anew, from its first frame on. What it makes for the
// source it frees by t.Cleanup; the suite closes the source.
type Open func(t *testing.T) (source.Source, Want)

// Test runs the suite on a driver. Each check opens it anew.
func Test(t *testing.T, open Open) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			if err := run(t, open, c.check, patience); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWaiting runs the checks of a Read that waits. Each source that open
// returns has no frame to give for the next minute.
func TestWaiting(t *testing.T, open Open) {
	for _, c := range waitingChecks() {
		t.Run(c.name, func(t *testing.T) {
			if err := run(t, open, c.check, patience); err != nil {
				t.Error(err)
			}
		})
	}
}

// patience is how long a check may take before its source counts as stuck.
const patience = 30 * time.Second

type check struct {
	name  string
	check func(s source.Source, w Want) error
}

// run opens a source, checks it and closes it. A check that does not come to
// an end is left behind: its source is broken.
func run(t *testing.T, open Open, check func(source.Source, Want) error, patience time.Duration) error {
	s, w := open(t)
	done := make(chan error, 1)
	go func() {
		err := check(s, w)
		done <- errors.Join(err, s.Close())
	}()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return fmt.Errorf("stuck for %v", patience)
	}
}

func checks() []check {
	all := []check{
		{"FormatIsFixed", formatIsFixed},
		{"EmptyReadReturnsAtOnce", emptyRead},
		{"EndedContextTakesNothing", endedContext},
		{"CloseTwice", closeTwice},
		{"CloseUnread", func(source.Source, Want) error { return nil }},
	}
	for _, p := range patterns() {
		all = append(all,
			check{"Read/" + p.name, func(s source.Source, w Want) error { return readAll(s, w, p.sizes, false) }},
			check{"ReadWithCancelling/" + p.name, func(s source.Source, w Want) error { return readAll(s, w, p.sizes, true) }})
	}
	return all
}

func waitingChecks() []check {
	return []check{
		{"CancelledWhileWaiting", cancelledWhileWaiting},
		{"ClosedAfterWaiting", func(s source.Source, w Want) error {
			return errors.Join(cancelledWhileWaiting(s, w), s.Close())
		}},
	}
}

func formatIsFixed(s source.Source, w Want) error {
	f := s.Format()
	if err := f.Check(); err != nil {
		return fmt.Errorf("Format: %w", err)
	}
	return readAll(formatWatch{s}, w, func(int) int { return 64 }, false)
}

// formatWatch turns a change of format into an error.
type formatWatch struct{ source.Source }

func (s formatWatch) Read(ctx context.Context, p []byte) (source.Packet, error) {
	before := s.Format()
	pk, err := s.Source.Read(ctx, p)
	if after := s.Format(); before != after {
		return source.Packet{}, fmt.Errorf("Format was %v, after a Read it is %v", before, after)
	}
	return pk, err
}

// emptyRead mixes reads of nothing into reads of everything: they return at
// once, before the first frame and behind the last one too.
func emptyRead(s source.Source, w Want) error {
	return readAll(s, w, func(i int) int { return i % 2 * 100 }, false)
}

func endedContext(s source.Source, w Want) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := make([]byte, 64*s.Format().FrameBytes())
	for range 3 {
		pk, err := s.Read(ctx, p)
		if pk != (source.Packet{}) || !errors.Is(err, context.Canceled) {
			return fmt.Errorf("Read with an ended context: %+v, %v", pk, err)
		}
	}
	return readAll(s, w, func(int) int { return 64 }, false)
}

func closeTwice(s source.Source, w Want) error {
	p := make([]byte, s.Format().FrameBytes())
	if _, err := s.Read(context.Background(), p); err != nil && len(w.Bytes) > 0 {
		return fmt.Errorf("first Read: %w", err)
	}
	for i := range 2 {
		if err := s.Close(); err != nil {
			return fmt.Errorf("Close number %d: %w", i+1, err)
		}
	}
	return nil
}

// cancelledWhileWaiting ends the context of a Read in flight, by a deadline
// and by a cancel.
func cancelledWhileWaiting(s source.Source, _ Want) error {
	p := make([]byte, 64*s.Format().FrameBytes())
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	if pk, err := s.Read(ctx, p); pk != (source.Packet{}) || !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("Read whose context ended while it waited: %+v, %v", pk, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if pk, err := s.Read(ctx, p); pk != (source.Packet{}) || !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Read whose context was cancelled while it waited: %+v, %v", pk, err)
	}
	return nil
}
