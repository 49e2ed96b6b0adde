package sink_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// unsure is a bucket that puts what it is given, and then says an error.
type unsure struct {
	*mem.Bucket
	put error // of each Put
}

func (b *unsure) Put(ctx context.Context, name string, body []byte, o sink.PutOptions) (sink.Info, error) {
	info, err := b.Bucket.Put(ctx, name, body, o)
	if err == nil {
		err = b.put
	}
	return info, err
}

// unsureBatched is one whose drafts wait for a pass.
type unsureBatched struct {
	*batched
	first unsure
}

func (b *unsureBatched) Put(ctx context.Context, name string, body []byte, o sink.PutOptions) (sink.Info, error) {
	return b.first.Put(ctx, name, body, o)
}

var s16Config = sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100}

// TestInfoThatMayNotBeDurableStopsNothing: the recording goes on, and claims
// nothing before its info.json is sure.
func TestInfoThatMayNotBeDurableStopsNothing(t *testing.T) {
	plain, batch := &unsure{Bucket: mem.New()}, &unsureBatched{batched: newBatched()}
	batch.first.Bucket = batch.Bucket
	for name, c := range map[string]struct {
		b   sink.Bucket
		put *error
	}{"plain": {plain, &plain.put}, "batched": {batch, &batch.first.put}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.b, sink.DefaultLayout, "wav")
			*c.put = fmt.Errorf("put: %w: %w", sink.ErrNamed, syscall.ENOSPC)
			r, err := s.Record(t.Context(), s16Config)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Write(t.Context(), ramp(0, 50, s16)); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := r.Sync(t.Context()); !errors.Is(err, syscall.ENOSPC) || r.Durable() != 0 {
					t.Errorf("a sync while the folder cannot be synced: %v, durable %d", err, r.Durable())
				}
			}
			if err := r.Write(t.Context(), ramp(50, 10, s16)); err != nil {
				t.Errorf("a write behind it: %v", err)
			}
			*c.put = nil
			if err := errors.Join(r.Sync(t.Context()), r.Sync(t.Context())); err != nil || r.Durable() != 60 {
				t.Errorf("when it can: %v, durable %d", err, r.Durable())
			}
			if err := errors.Join(r.Write(t.Context(), ramp(60, 90, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 150 || r.Chunks() != 2 {
				t.Errorf("%v, durable %d, %d chunks", err, r.Durable(), r.Chunks())
			}
		})
	}
}

// TestInfoIsMadeSureWithAChunk: where nobody calls Sync, the next chunk does.
func TestInfoIsMadeSureWithAChunk(t *testing.T) {
	b := &unsure{Bucket: mem.New()}
	s := open(t, b, sink.DefaultLayout, "wav")
	b.put = sink.ErrNamed
	r, err := s.Record(t.Context(), s16Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(t.Context(), ramp(0, 110, s16)); !errors.Is(err, sink.ErrNamed) || r.Durable() != 0 || r.Chunks() != 1 {
		t.Errorf("the first chunk: %v, durable %d, %d chunks", err, r.Durable(), r.Chunks())
	}
	b.put = nil
	if from := r.Restart(t.Context()); from != 100 {
		t.Errorf("to be given again from %d, want 100", from)
	}
	if err := r.Write(t.Context(), ramp(100, 100, s16)); err != nil || r.Durable() != 200 {
		t.Errorf("the second chunk: %v, durable %d", err, r.Durable())
	}
}

// TestARecordingThatCouldNotBeginIsTriedAgain: its info.json may be there all
// the same. It is told from that of another recording.
func TestARecordingThatCouldNotBeginIsTriedAgain(t *testing.T) {
	put := func(name, body string) func(t *testing.T, b sink.Bucket) {
		return func(t *testing.T, b sink.Bucket) {
			if _, err := b.Put(t.Context(), "1/data/"+name, []byte(body), sink.PutOptions{Replace: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, b sink.Bucket)
		want      error
	}{
		"nothing": {func(*testing.T, sink.Bucket) {}, nil},
		"removed": {func(t *testing.T, b sink.Bucket) {
			if err := b.Delete(t.Context(), "1/data/mic0/info.json"); err != nil {
				t.Fatal(err)
			}
		}, nil},
		"others":        {put("mic0/info.json", "{}\n"), sink.ErrExists},
		"lines":         {put("mic0/blocks.jsonl", ""), sink.ErrExists},
		"chunk":         {put("mic0/data/00000000000000.wav", ""), sink.ErrExists},
		"of no sensor":  {put("mic0/data/x.wav", ""), nil},
		"of the others": {put("mic1/data/00000000000000.wav", ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := &unsure{Bucket: mem.New()}
			s := open(t, b, sink.DefaultLayout, "wav")
			b.put = syscall.EIO
			for range 2 {
				if _, err := s.Record(t.Context(), s16Config); !errors.Is(err, syscall.EIO) {
					t.Fatal(err)
				}
			}
			b.put = nil
			c.meanwhile(t, b)
			copied := *s // as by whom wraps the bucket
			r, err := copied.Record(t.Context(), s16Config)
			if !errors.Is(err, c.want) {
				t.Fatalf("tried again: %v, want %v", err, c.want)
			}
			if _, err := s.Record(t.Context(), s16Config); !errors.Is(err, sink.ErrExists) {
				t.Errorf("begun twice: %v", err)
			}
			if c.want != nil {
				return
			}
			if err := errors.Join(r.Write(t.Context(), ramp(0, 50, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 50 {
				t.Errorf("%v, durable %d", err, r.Durable())
			}
		})
	}
}
