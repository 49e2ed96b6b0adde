package sink_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/mem"
)

// gated is a bucket whose drafts wait in Sync, for tests of what may happen
// meanwhile, and fail where they are told to.
type gated struct {
	*mem.Bucket
	entered, leave chan struct{}
	syncErr        error
	appendErr      error
	commitErr      error
	relaxed        bool
}

type gatedDraft struct {
	sink.Draft
	b *gated
}

func (b *gated) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.Bucket.Create(ctx, name)
	return gatedDraft{d, b}, err
}

func (b *gated) Append(ctx context.Context, name string, line []byte) error {
	if b.appendErr != nil {
		return b.appendErr
	}
	return b.Bucket.Append(ctx, name, line)
}

func (b *gated) Relaxed() bool { return b.relaxed }

func (d gatedDraft) Commit() error {
	if d.b.commitErr != nil {
		return errors.Join(d.b.commitErr, d.Draft.Abort(true))
	}
	return d.Draft.Commit()
}

func (d gatedDraft) Sync() error {
	if d.b.entered != nil {
		d.b.entered <- struct{}{}
		<-d.b.leave
	}
	if d.b.syncErr != nil {
		return d.b.syncErr
	}
	return d.Draft.Sync()
}

func record(t *testing.T, b sink.Bucket) *sink.Recorder {
	t.Helper()
	r, err := open(t, b, sink.DefaultLayout, "wav").Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDurableIsWhatWasWrittenBeforeTheSync(t *testing.T) {
	b := &gated{Bucket: mem.New(), entered: make(chan struct{}), leave: make(chan struct{})}
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 10, s16)); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := r.Sync(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-b.entered
	if err := r.Write(t.Context(), ramp(10, 20, s16)); err != nil { // while the sync runs
		t.Fatal(err)
	}
	close(b.leave)
	wait.Wait()
	if r.Durable() != 10 || r.Written() != 30 {
		t.Errorf("durable %d, written %d, want 10 and 30", r.Durable(), r.Written())
	}
}

func TestSyncOfAChunkThatGotItsNameMeanwhileIsGood(t *testing.T) {
	b := &gated{Bucket: mem.New(), entered: make(chan struct{}), leave: make(chan struct{})}
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 10, s16)); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := r.Sync(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-b.entered
	if err := r.Write(t.Context(), ramp(10, 90, s16)); err != nil { // the chunk is full and committed
		t.Fatal(err)
	}
	close(b.leave)
	wait.Wait()
	if r.Durable() != 100 {
		t.Errorf("durable %d, want 100", r.Durable())
	}
}

func TestSyncOfAnAbandonedChunkClaimsNothing(t *testing.T) {
	b := &gated{Bucket: mem.New(), entered: make(chan struct{}), leave: make(chan struct{})}
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 10, s16)); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := r.Sync(t.Context()); err == nil {
			t.Error("the sync of a chunk that was abandoned had no error")
		}
	})
	<-b.entered
	if from := r.Restart(t.Context()); from != 0 {
		t.Errorf("restarts at %d", from)
	}
	close(b.leave)
	wait.Wait()
	b.entered = nil
	if err := r.Sync(t.Context()); err != nil || r.Durable() != 0 || r.Written() != 10 {
		t.Errorf("durable %d, written %d, %v", r.Durable(), r.Written(), err)
	}
}

func TestFailedSyncStopsTheWriter(t *testing.T) {
	broken := errors.New("broken")
	b := &gated{Bucket: mem.New(), syncErr: broken}
	r := record(t, b)
	if err := errors.Join(r.Write(t.Context(), ramp(0, 110, s16))); err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Write(t.Context(), ramp(110, 1, s16)); !errors.Is(err, broken) {
			t.Errorf("written behind a sync that failed: %v", err)
		}
	}
	if from := r.Restart(t.Context()); from != 100 {
		t.Errorf("restarts at %d, the first chunk has its name", from)
	}
	b.syncErr = nil
	if err := errors.Join(r.Write(t.Context(), ramp(100, 50, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 150 {
		t.Errorf("durable %d, %v", r.Durable(), err)
	}
}

func TestChunkThatGotNoNameIsNotDurable(t *testing.T) {
	b := &gated{Bucket: mem.New(), commitErr: errors.New("full")}
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 100, s16)); !errors.Is(err, b.commitErr) {
		t.Fatal(err)
	}
	// A sync may come before the restart.
	if err := r.Sync(t.Context()); err != nil || r.Durable() != 0 {
		t.Errorf("durable %d, %v", r.Durable(), err)
	}
	b.commitErr = nil
	if from := r.Restart(t.Context()); from != 0 {
		t.Errorf("restarts at %d", from)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 100, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 100 {
		t.Errorf("durable %d, %v", r.Durable(), err)
	}
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if blocks, end := logged(t, s, 1, "mic0"); len(blocks) != 1 || end == nil || end.Clean {
		t.Errorf("the lines are %+v, %+v; a draft with sound was left", blocks, end)
	}
}

func TestLineThatWaitsHoldsDurableBack(t *testing.T) {
	b := &gated{Bucket: mem.New(), appendErr: errors.New("full")}
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 150, s16)); !errors.Is(err, b.appendErr) {
		t.Fatal(err)
	}
	if from := r.Restart(t.Context()); from != 100 || r.Chunks() != 1 {
		t.Errorf("restarts at %d with %d chunks", from, r.Chunks())
	}
	if err := errors.Join(r.Write(t.Context(), ramp(100, 50, s16)), r.Sync(t.Context())); err != nil || r.Durable() != 0 {
		t.Errorf("durable %d, %v", r.Durable(), err)
	}
	b.appendErr = nil
	if err := r.Close(t.Context(), 0); err != nil || r.Durable() != 150 {
		t.Errorf("durable %d, %v", r.Durable(), err)
	}
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if blocks, end := logged(t, s, 1, "mic0"); len(blocks) != 2 || blocks[0].From != 0 || blocks[1].From != 100 || !end.Clean {
		t.Errorf("the lines are %+v, %+v", blocks, end)
	}
}

func TestRelaxedBucketClaimsNothing(t *testing.T) {
	r := record(t, openFiles(t, files.Config{}))
	if err := errors.Join(r.Write(t.Context(), ramp(0, 150, s16)), r.Sync(t.Context()), r.Close(t.Context(), 0)); err != nil || r.Durable() != 0 || r.Written() != 150 {
		t.Errorf("durable %d of %d, %v", r.Durable(), r.Written(), err)
	}
}

func TestBlocksOfOneKeyAreToldApart(t *testing.T) {
	s := open(t, mem.New(), sink.DefaultLayout, "wav")
	ms := func(frame int64) (int64, error) { return frame * 1000 / 48000, nil }
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 4800, Block: ms})
	if err != nil {
		t.Fatal(err)
	}
	pos := int64(0)
	for range 3 { // three chunks in the first millisecond
		if err := errors.Join(r.Write(t.Context(), ramp(pos, 5, s16)), r.Hole(t.Context(), 5, audio.XRun)); err != nil {
			t.Fatal(err)
		}
		pos += 10
	}
	if err := errors.Join(r.Hole(t.Context(), 4770, audio.Device), r.Write(t.Context(), ramp(4800, 1, s16)), r.Close(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	blocks, _ := logged(t, s, 1, "mic0")
	for i, want := range []struct{ block, from int64 }{{0, 0}, {1, 10}, {2, 20}, {100, 4800}} {
		if blocks[i].Block != want.block || blocks[i].From != want.from {
			t.Errorf("chunk %d has block %d from %d, want %v", i, blocks[i].Block, blocks[i].From, want)
		}
	}
}

func TestCountsMayBeAskedWhileItRecords(t *testing.T) {
	r := record(t, openFiles(t, files.Config{Sync: true}))
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		var written, durable, chunks int64
		for {
			d, w, c := r.Durable(), r.Written(), r.Chunks()
			if d > w || d < durable || w < written || c < chunks {
				t.Errorf("durable %d then %d, written %d then %d, chunks %d then %d", durable, d, written, w, chunks, c)
				return
			}
			written, durable, chunks = w, d, c
			if err := r.Sync(t.Context()); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for pos := int64(0); pos < 3000; pos += 25 {
		if err := r.Write(t.Context(), ramp(pos, 25, s16)); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	wait.Wait()
	if err := r.Close(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestWriteIntoAnOpenChunkAllocatesNothing(t *testing.T) {
	for _, beside := range []bool{false, true} {
		s := open(t, openFiles(t, files.Config{}), sink.DefaultLayout, "wav")
		c := sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 1 << 29}
		if beside {
			tasks := make(chan func())
			var wait sync.WaitGroup
			wait.Go(func() {
				for task := range tasks {
					task()
				}
			})
			defer wait.Wait()
			defer close(tasks)
			c.Beside = func(task func()) { tasks <- task }
		}
		r, err := s.Record(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		p := ramp(0, 64<<10, s16)
		if n := testing.AllocsPerRun(50, func() { err = errors.Join(err, r.Write(t.Context(), p)) }); n >= 1 || err != nil {
			t.Errorf("beside %v: %v allocations for a piece, %v", beside, n, err)
		}
	}
}
