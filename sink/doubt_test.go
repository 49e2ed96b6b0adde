package sink_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// TestAnErrorOfTheDiskIsKnownToAll: the disk tells an error once, and whoever
// is told, the sound of all is in doubt.
func TestAnErrorOfTheDiskIsKnownToAll(t *testing.T) {
	b := newBatched()
	s := open(t, b, sink.DefaultLayout, "wav")
	var r [2]*sink.Recorder
	for i, id := range []string{"a", "b"} {
		var err error
		if r[i], err = s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: id, Format: s16, ChunkFrames: 100}); err != nil {
			t.Fatal(err)
		}
		if err := r[i].Write(t.Context(), ramp(0, 50, s16)); err != nil {
			t.Fatal(err)
		}
	}
	b.fail = errors.New("disk on fire")
	if err := r[0].Close(t.Context(), 0); err == nil {
		t.Fatal("a close that was not durable said nothing")
	}
	if err := sink.Pass(t.Context(), r[1]); err == nil || r[1].Durable() != 0 {
		t.Errorf("the other: %v, durable %d", err, r[1].Durable())
	}
	if from := r[1].Restart(t.Context()); from != 0 {
		t.Errorf("the other is to be given again from %d", from)
	}
	if err := errors.Join(r[1].Write(t.Context(), ramp(0, 50, s16)), sink.Pass(t.Context(), r[1])); err != nil || r[1].Durable() != 50 {
		t.Errorf("written anew: %v, durable %d", err, r[1].Durable())
	}
}

// between lets a pass begin inside an Abort of a Restart.
type between struct {
	*batched
	aborts int
	inside func()
}

type betweenDraft struct {
	sink.Draft
	b *between
}

func (b *between) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.batched.Create(ctx, name)
	return &betweenDraft{d, b}, err
}

func (d *betweenDraft) Abort(keep bool) error {
	d.b.aborts++
	if d.b.inside != nil {
		d.b.inside()
	}
	return d.Draft.Abort(keep)
}

// TestAPassInTheMiddleOfARestartClaimsNothing looks at every Abort of one.
func TestAPassInTheMiddleOfARestartClaimsNothing(t *testing.T) {
	for at := 1; ; at++ {
		b := &between{batched: newBatched()}
		r := record(t, b)
		if err := r.Write(t.Context(), ramp(0, 250, s16)); err != nil {
			t.Fatal(err)
		}
		b.fail = errors.New("disk on fire")
		if err := sink.Pass(t.Context(), r); err == nil {
			t.Fatal("the pass said nothing")
		}
		begun, leave, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		b.inside = func() {
			if b.aborts != at {
				return
			}
			b.during = func() { close(begun); <-leave }
			go func() { over <- sink.Pass(context.WithoutCancel(t.Context()), r) }()
			<-begun
		}
		from := r.Restart(t.Context())
		if b.aborts < at {
			return
		}
		close(leave)
		<-over
		if r.Durable() > from || from != 0 {
			t.Errorf("abort %d: to be given again from %d, durable %d", at, from, r.Durable())
		}
	}
}

// cramped is a bucket whose drafts have no room while they are told so.
type cramped struct {
	*mem.Bucket
	full   bool
	stuck  error  // of what is written over
	inside func() // called behind each Write that had room
}

type crampedDraft struct {
	sink.Draft
	b *cramped
}

func (b *cramped) Create(ctx context.Context, name string) (sink.Draft, error) {
	if b.full {
		return nil, syscall.ENOSPC
	}
	d, err := b.Bucket.Create(ctx, name)
	return &crampedDraft{d, b}, err
}

func (d *crampedDraft) Write(p []byte) (int, error) {
	if d.b.full {
		return 0, syscall.ENOSPC
	}
	if d.b.inside != nil {
		defer d.b.inside()
	}
	return d.Draft.Write(p)
}

func (d *crampedDraft) WriteAt(p []byte, off int64) (int, error) {
	if d.b.stuck != nil {
		return 0, d.b.stuck
	}
	return d.Draft.WriteAt(p, off)
}

// TestWhatWasWrittenBeforeADiskWasFullIsKept, even if what follows is lost: no
// durable frame becomes a hole.
func TestWhatWasWrittenBeforeADiskWasFullIsKept(t *testing.T) {
	b := &cramped{Bucket: mem.New()}
	r := record(t, b)
	if err := errors.Join(r.Write(t.Context(), ramp(0, 150, s16)), r.Sync(t.Context())); err != nil {
		t.Fatal(err)
	}
	b.full = true
	for range 3 {
		if err := r.Write(t.Context(), ramp(150, 20, s16)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("a write without room: %v", err)
		}
		if from := r.Restart(t.Context()); from != 150 {
			t.Fatalf("to be given again from %d, want 150", from)
		}
	}
	b.full = false
	err := errors.Join(r.Hole(t.Context(), 400, audio.Disk), r.Write(t.Context(), ramp(550, 50, s16)), r.Close(t.Context(), 0))
	if err != nil || r.Durable() != 600 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	var got []byte
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for k, err := range s.Keys(t.Context(), sink.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Data...)
	}
	if want := append(ramp(0, 150, s16), ramp(550, 50, s16)...); string(got) != string(want) {
		t.Errorf("%d frames stored, want 200", len(got)/2)
	}
}

// TestAChunkWithoutSoundGetsNoName: there was room for its header, and for no
// frame before the ring lost them.
func TestAChunkWithoutSoundGetsNoName(t *testing.T) {
	for _, close := range []bool{false, true} {
		b := &cramped{Bucket: mem.New()}
		r := record(t, b)
		b.inside = func() { b.full = true }
		if err := r.Write(t.Context(), ramp(0, 50, s16)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("a write without room: %v", err)
		}
		if from := r.Restart(t.Context()); from != 0 {
			t.Fatalf("to be given again from %d", from)
		}
		b.full, b.inside = false, nil
		want := []int64{}
		if !close {
			want = append(want, 400)
			if err := errors.Join(r.Hole(t.Context(), 200, audio.Disk), r.Write(t.Context(), ramp(200, 50, s16))); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if got := blocksOf(t, b); !slices.Equal(got, want) {
			t.Errorf("closed at once %v: blocks %v, want %v", close, got, want)
		}
	}
}

// TestAChunkIsMadeWholeWhenThereIsRoomForIt: where nothing is written in place,
// its header needs some too.
func TestAChunkIsMadeWholeWhenThereIsRoomForIt(t *testing.T) {
	s24 := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S24} // a pad byte behind odd chunks
	b := &cramped{Bucket: mem.New()}
	s := open(t, b, sink.DefaultLayout, "wav")
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s24, ChunkFrames: 99})
	if err != nil {
		t.Fatal(err)
	}
	again := func(what string, at int64, act func() error) {
		t.Helper()
		b.stuck = syscall.ENOSPC
		for range 3 {
			if err := act(); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%s without room: %v", what, err)
			}
			if from := r.Restart(t.Context()); from != at {
				t.Fatalf("%s: to be given again from %d, want %d", what, from, at)
			}
		}
		b.stuck = nil
	}
	give := func(from, to int64) error { return r.Write(t.Context(), ramp(from, to-from, s24)) }
	if err := give(0, 60); err != nil {
		t.Fatal(err)
	}
	b.stuck = syscall.ENOSPC
	if err := give(60, 99); !errors.Is(err, syscall.ENOSPC) || r.Restart(t.Context()) != 99 {
		t.Fatalf("the end of a chunk without room: %v", err)
	}
	again("a write", 99, func() error { return give(99, 130) })
	if err := give(99, 130); err != nil || r.Chunks() != 1 {
		t.Fatalf("%v, %d chunks", err, r.Chunks())
	}
	again("a hole", 130, func() error { return r.Hole(t.Context(), 70, audio.XRun) })
	// Should there be sound after all, it goes to the next chunk.
	if err := errors.Join(give(130, 140), r.Hole(t.Context(), 60, audio.XRun), give(200, 231)); err != nil {
		t.Fatal(err)
	}
	again("the end", 231, func() error { return r.Close(t.Context(), 0) })
	b.stuck = syscall.EIO // what breaks is written anew, as ever
	if err := r.Close(t.Context(), 0); !errors.Is(err, syscall.EIO) || r.Restart(t.Context()) != 200 {
		t.Fatalf("the end on a broken disk: %v", err)
	}
	b.stuck = nil
	if err := give(200, 231); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context(), 0); err != nil || r.Durable() != 231 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	lines, end := logged(t, s, 1, "mic0")
	for i, l := range lines {
		file := fileBody(t, b, s.Layout.Name(key(1, "mic0", l.Block)))
		c, err := s.Get(t.Context(), key(1, "mic0", l.Block))
		if err != nil || string(c.Data) != string(ramp(l.From, l.Frames, s24)) || l.SHA256 != fmt.Sprintf("%x", sha256.Sum256(file)) || int64(len(file)) != l.Bytes {
			t.Errorf("line %d: %+v, %v, a file of %d bytes", i, l, err, len(file))
		}
		if w, err := wav.Open(bytes.NewReader(file), int64(len(file))); err != nil || !w.Exact() || len(w.Notes()) > 0 {
			t.Errorf("line %d: %v, notes %q", i, err, w.Notes())
		}
	}
	if len(lines) != 4 || end.Clean {
		t.Errorf("%d lines, %+v", len(lines), end)
	}
}

// TestAHoleIsNoLoss: with no sound open, there is nothing that a power cut
// could take.
func TestAHoleIsNoLoss(t *testing.T) {
	r := record(t, mem.New())
	if err := errors.Join(r.Write(t.Context(), ramp(0, 50, s16)), r.Hole(t.Context(), 1000, audio.Device)); err != nil {
		t.Fatal(err)
	}
	if r.Durable() != 1050 {
		t.Errorf("durable %d behind a hole up to 1050", r.Durable())
	}
}

// unnamed is a batched bucket whose drafts get no name for a while.
type unnamed struct {
	*batched
	refuse bool
}

type unnamedDraft struct {
	sink.Draft
	b *unnamed
}

func (b *unnamed) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.batched.Create(ctx, name)
	return &unnamedDraft{d, b}, err
}

func (d *unnamedDraft) Commit() error {
	if d.b.refuse {
		d.Abort(true)
		return syscall.EIO
	}
	return d.Draft.Commit()
}

// TestADurablePositionIsNotTakenBackByANameThatFails: sound that waits for its
// name may have to be given again, so until then nothing is claimed of it.
func TestADurablePositionIsNotTakenBackByANameThatFails(t *testing.T) {
	b := &unnamed{batched: newBatched()}
	r := record(t, b)
	give := func(from, to int64) error { return r.Write(t.Context(), ramp(from, to-from, s16)) }
	if err := errors.Join(give(0, 150), sink.Pass(t.Context(), r)); err != nil || r.Durable() != 150 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	if err := give(150, 350); err != nil {
		t.Fatal(err)
	}
	b.refuse = true
	if err := sink.Pass(t.Context(), r); !errors.Is(err, syscall.EIO) {
		t.Fatalf("a pass that could name nothing: %v", err)
	}
	b.refuse = false
	if err := give(350, 360); err == nil {
		t.Error("it goes on as if nothing were in doubt")
	}
	if from := r.Restart(t.Context()); from > 150 || r.Durable() > 150 {
		t.Errorf("to be given again from %d, and %d is claimed to be durable", from, r.Durable())
	}
}
