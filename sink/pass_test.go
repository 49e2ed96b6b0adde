package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// batched is a bucket whose drafts are durable with SyncAll only, and that
// refuses to name what was written since.
type batched struct {
	*mem.Bucket
	mu       sync.Mutex
	dirty    map[*batchedDraft]bool
	fail     error // of the next SyncAll
	syncs    int
	failures int64
	during   func() // called once inside a SyncAll
}

func (b *batched) Failures() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures
}

func newBatched() *batched { return &batched{Bucket: mem.New(), dirty: map[*batchedDraft]bool{}} }

type batchedDraft struct {
	sink.Draft
	b *batched
}

func (b *batched) Batched() bool { return true }

func (b *batched) SyncAll(context.Context) error {
	b.mu.Lock()
	b.syncs++
	err, during, clean := b.fail, b.during, b.dirty
	b.fail, b.during, b.dirty = nil, nil, map[*batchedDraft]bool{}
	b.mu.Unlock()
	if during != nil {
		during() // what is written now is not made durable by this call
	}
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.failures++
		maps.Copy(b.dirty, clean)
	}
	return err
}

func (b *batched) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.Bucket.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	return &batchedDraft{d, b}, nil
}

func (d *batchedDraft) wrote() {
	d.b.mu.Lock()
	defer d.b.mu.Unlock()
	d.b.dirty[d] = true
}

func (d *batchedDraft) Write(p []byte) (int, error) {
	d.wrote()
	return d.Draft.Write(p)
}

func (d *batchedDraft) WriteAt(p []byte, off int64) (int, error) {
	d.wrote()
	return d.Draft.WriteAt(p, off)
}

func (d *batchedDraft) Sync() error { return errors.New("one by one") }

func (d *batchedDraft) Commit() error {
	d.b.mu.Lock()
	dirty := d.b.dirty[d]
	d.b.mu.Unlock()
	if dirty {
		return errors.New("it is named before it is durable")
	}
	return d.Draft.Commit()
}

// blocksOf is the blocks of a recording, in order.
func blocksOf(t *testing.T, b sink.Bucket) (blocks []int64) {
	t.Helper()
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for k, err := range s.Keys(t.Context(), sink.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, k.Block)
	}
	return blocks
}

func TestAFailedPassIsMadeUpFromItsFirstChunk(t *testing.T) {
	b := newBatched()
	r := record(t, b)
	give := func(from, to int64) error { return r.Write(t.Context(), ramp(from, to-from, s16)) }
	if err := give(0, 150); err != nil { // one whole chunk, and a half
		t.Fatal(err)
	}
	if err := sink.Pass(t.Context(), r); err != nil || r.Chunks() != 1 || r.Durable() != 150 {
		t.Fatalf("%v, %d chunks, durable %d", err, r.Chunks(), r.Durable())
	}
	if err := errors.Join(give(150, 180), r.Hole(t.Context(), 10, audio.XRun), give(190, 320)); err != nil {
		t.Fatal(err)
	}
	b.fail = errors.New("disk on fire")
	if err := sink.Pass(t.Context(), r); err == nil {
		t.Fatal("a pass that failed said nothing")
	}
	if err := give(320, 330); err == nil {
		t.Error("a write was taken on top of what is in doubt")
	}
	if from := r.Restart(t.Context()); from != 100 {
		t.Fatalf("to be given again from %d, want 100: the chunk that was named is good", from)
	}
	if r.Durable() != 150 || r.Chunks() != 1 {
		t.Errorf("durable %d, %d chunks", r.Durable(), r.Chunks())
	}
	if err := errors.Join(give(100, 180), r.Hole(t.Context(), 10, audio.XRun), give(190, 330), r.Close(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	if got, want := blocksOf(t, b), []int64{0, 200, 380, 400, 600}; !slices.Equal(got, want) || r.Durable() != 330 {
		t.Errorf("blocks %v, want %v; durable %d", got, want, r.Durable())
	}
}

// TestHolesBeforeAHeldChunkAreKept: the chunk behind the hole is in doubt, the
// hole is not given again.
func TestHolesBeforeAHeldChunkAreKept(t *testing.T) {
	b := newBatched()
	r := record(t, b)
	err := errors.Join(r.Write(t.Context(), ramp(0, 50, s16)), sink.Pass(t.Context(), r),
		r.Hole(t.Context(), 50, audio.Device), sink.Pass(t.Context(), r), r.Write(t.Context(), ramp(100, 100, s16)))
	if err != nil {
		t.Fatal(err)
	}
	b.fail = errors.New("disk on fire")
	_ = sink.Pass(t.Context(), r)
	if from := r.Restart(t.Context()); from != 100 {
		t.Fatalf("to be given again from %d, want 100", from)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(100, 100, s16)), r.Close(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	body, err := b.Get(t.Context(), "1/data/mic0/"+sink.BlocksName, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil || strings.Count(string(text), `"holes":[{"from":50,"frames":50,"cause":"device"}]`) != 1 {
		t.Errorf("%v: the hole is not told once in\n%s", err, text)
	}
}

func TestAPassSpeaksOfWhatWasThereBeforeIt(t *testing.T) {
	b := newBatched()
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 150, s16)); err != nil {
		t.Fatal(err)
	}
	b.during = func() {
		if err := r.Write(t.Context(), ramp(150, 100, s16)); err != nil { // another chunk is whole
			t.Error(err)
		}
	}
	if err := sink.Pass(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if r.Durable() != 150 || r.Chunks() != 1 || r.Written() != 250 {
		t.Errorf("durable %d, %d chunks, written %d: want 150, 1, 250", r.Durable(), r.Chunks(), r.Written())
	}
}

func TestAPassSaysNothingOfWhatWasAbandonedMeanwhile(t *testing.T) {
	b := newBatched()
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 150, s16)); err != nil {
		t.Fatal(err)
	}
	b.during = func() {
		if from := r.Restart(t.Context()); from != 100 {
			t.Errorf("to be given again from %d", from)
		}
		if err := r.Write(t.Context(), ramp(100, 10, s16)); err != nil {
			t.Error(err)
		}
	}
	if err := sink.Pass(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if r.Durable() > 100 || r.Chunks() > 1 {
		t.Errorf("durable %d, %d chunks: nothing of the second is sure", r.Durable(), r.Chunks())
	}
	if err := sink.Pass(t.Context(), r); err != nil || r.Durable() != 110 || r.Chunks() != 1 {
		t.Errorf("the next pass: %v, durable %d, %d chunks", err, r.Durable(), r.Chunks())
	}
}

func TestNoMoreFilesAreHeldOpenThanMayBe(t *testing.T) {
	b := newBatched()
	s := open(t, b, sink.DefaultLayout, "wav")
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(t.Context(), ramp(0, 1000, s16)); err != nil {
		t.Fatal(err)
	}
	if b.syncs < 1000/64 || r.Chunks() < 900 {
		t.Errorf("%d passes for 1000 chunks, %d of them named", b.syncs, r.Chunks())
	}
	if err := r.Close(t.Context(), 0); err != nil || r.Chunks() != 1000 {
		t.Errorf("%d chunks: %v", r.Chunks(), err)
	}
}

// TestPassesRunWhileOthersWrite lets three recorders write and one goroutine
// pass, with passes that fail in between.
func TestPassesRunWhileOthersWrite(t *testing.T) {
	const total = 20_000
	b := newBatched()
	s := open(t, b, sink.DefaultLayout, "wav")
	var recorders []*sink.Recorder
	for i := range 3 {
		r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: fmt.Sprintf("mic%d", i), Format: s16, ChunkFrames: 100})
		if err != nil {
			t.Fatal(err)
		}
		recorders = append(recorders, r)
	}
	var writers, passer sync.WaitGroup
	over := make(chan struct{})
	for _, r := range recorders {
		writers.Go(func() {
			for pos := int64(0); ; {
				var err error
				if pos == total {
					if err = r.Close(t.Context(), 0); err == nil {
						return
					}
				} else {
					err = r.Write(t.Context(), ramp(pos, min(37, total-pos), s16))
					pos = min(pos+37, total)
				}
				if err != nil {
					pos = r.Restart(t.Context())
				}
			}
		})
	}
	passer.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-over:
				return
			default:
			}
			if n%50 == 49 {
				b.mu.Lock()
				b.fail = errors.New("disk on fire")
				b.mu.Unlock()
			}
			_ = sink.Pass(t.Context(), recorders...)
		}
	})
	writers.Wait()
	close(over)
	passer.Wait()
	for i, r := range recorders {
		var got int64
		for k, err := range s.Keys(t.Context(), sink.Filter{Sensor: fmt.Sprintf("mic%d", i)}) {
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Get(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			if want := ramp(got, int64(len(c.Data)/2), s16); string(c.Data) != string(want) {
				t.Fatalf("%v does not hold the frames from %d on", k, got)
			}
			got += int64(len(c.Data) / 2)
		}
		if got != total || r.Durable() != total {
			t.Errorf("mic%d: %d frames stored, durable %d", i, got, r.Durable())
		}
	}
}
