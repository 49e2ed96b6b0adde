package sink_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
)

// crampedBatched is a bucket whose drafts wait for a pass, and have no room
// while it is told so.
type crampedBatched struct {
	*batched
	with error // of Create and Write; nil: there is room
	in   func()
}

type crampedBatchedDraft struct {
	sink.Draft
	b *crampedBatched
}

func (b *crampedBatched) Create(ctx context.Context, name string) (sink.Draft, error) {
	if b.with != nil {
		return nil, b.with
	}
	d, err := b.batched.Create(ctx, name)
	return &crampedBatchedDraft{d, b}, err
}

func (d *crampedBatchedDraft) Write(p []byte) (int, error) {
	if d.b.with != nil {
		return 0, d.b.with
	}
	return d.Draft.Write(p)
}

func (d *crampedBatchedDraft) Abort(keep bool) error {
	if d.b.in != nil {
		d.b.in()
	}
	return d.Draft.Abort(keep)
}

// TestWhatIsWholeIsKeptWhateverTheNextChunkMeets: it waits for its name, and
// that the disk is full or breaks now says nothing of it. So no frame of it is
// given again, and none becomes a hole if the ring has lost it meanwhile.
func TestWhatIsWholeIsKeptWhateverTheNextChunkMeets(t *testing.T) {
	for _, errno := range []error{syscall.ENOSPC, syscall.EIO, syscall.EMFILE} {
		b := &crampedBatched{batched: newBatched()}
		r := record(t, b)
		err := errors.Join(r.Write(t.Context(), ramp(0, 60, s16)), sink.Pass(t.Context(), r), r.Write(t.Context(), ramp(60, 140, s16)))
		if err != nil || r.Durable() != 60 || r.Chunks() != 0 {
			t.Fatalf("%v, durable %d, %d chunks", err, r.Durable(), r.Chunks())
		}
		b.with = errno
		for range 3 {
			if err := r.Write(t.Context(), ramp(200, 10, s16)); !errors.Is(err, errno) {
				t.Fatal(err)
			}
			if from := r.Restart(t.Context()); from != 200 {
				t.Fatalf("%v: to be given again from %d, want 200", errno, from)
			}
		}
		if err := errors.Join(r.Hole(t.Context(), 300, audio.Disk), sink.Pass(t.Context(), r)); err != nil || r.Chunks() != 2 || r.Durable() != 500 {
			t.Fatalf("%v: %v, %d chunks, durable %d", errno, err, r.Chunks(), r.Durable())
		}
		b.with = nil
		if err := errors.Join(r.Write(t.Context(), ramp(500, 50, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 550 {
			t.Fatalf("%v: %v, durable %d", errno, err, r.Durable())
		}
		if got, want := blocksOf(t, b), []int64{0, 200, 1000}; !slices.Equal(got, want) {
			t.Errorf("%v: blocks %v, want %v", errno, got, want)
		}
	}
}

// TestWhatIsWholeIsInDoubtIfASyncFailed: then it is given again, whatever the
// error was that is answered with Restart.
func TestWhatIsWholeIsInDoubtIfASyncFailed(t *testing.T) {
	for _, who := range []string{"its own", "another's"} {
		b := &crampedBatched{batched: newBatched()}
		r := record(t, b)
		if err := r.Write(t.Context(), ramp(0, 150, s16)); err != nil {
			t.Fatal(err)
		}
		b.fail = errors.New("disk on fire")
		if who == "its own" {
			_ = sink.Pass(t.Context(), r)
		} else {
			_ = b.SyncAll(t.Context())
		}
		b.with = syscall.ENOSPC
		if err := r.Write(t.Context(), ramp(150, 10, s16)); err == nil {
			t.Fatal("a write without room said nothing")
		}
		b.with = nil
		if from := r.Restart(t.Context()); from != 0 {
			t.Errorf("%s: to be given again from %d", who, from)
		}
		if err := errors.Join(r.Write(t.Context(), ramp(0, 160, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 160 {
			t.Errorf("%s: %v, durable %d", who, err, r.Durable())
		}
		checkStoredOnce(t, b, 160)
	}
}

// TestAPassClaimsNothingThatARestartTookBack: it began before, and ends in the
// middle of the Restart that abandons the open chunk.
func TestAPassClaimsNothingThatARestartTookBack(t *testing.T) {
	b := &crampedBatched{batched: newBatched()}
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 250, s16)); err != nil {
		t.Fatal(err)
	}
	begun, leave, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	b.during = func() { close(begun); <-leave }
	go func() { over <- sink.Pass(context.WithoutCancel(t.Context()), r) }()
	<-begun
	b.with = syscall.EIO
	if err := r.Write(t.Context(), ramp(250, 10, s16)); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	b.in = func() {
		b.in = nil // the first Abort is that of the open chunk
		close(leave)
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
	from := r.Restart(t.Context())
	if r.Durable() > from || from != 200 {
		t.Errorf("to be given again from %d, durable %d", from, r.Durable())
	}
	b.with, b.in = nil, nil
	if err := errors.Join(r.Write(t.Context(), ramp(200, 60, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 260 {
		t.Errorf("%v, durable %d", err, r.Durable())
	}
	checkStoredOnce(t, b, 260)
}
