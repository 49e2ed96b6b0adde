package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// deaf hangs from a time on, whatever its context says, until it is released.
type deaf struct {
	source.Source
	released <-chan struct{}
	reads    int
}

func (s *deaf) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if s.reads++; s.reads > 4 {
		<-s.released
		return source.Packet{}, ctx.Err()
	}
	return s.Source.Read(ctx, p)
}

// deadBucket hangs in Create, whatever the context says, until it is released.
type deadBucket struct {
	*mem.Bucket
	released <-chan struct{}
}

func (b *deadBucket) Create(ctx context.Context, _ string) (sink.Draft, error) {
	<-b.released
	return nil, ctx.Err()
}

func TestARunEndsAlthoughSomethingHangs(t *testing.T) {
	for _, c := range []struct {
		name string
		what string
		grow func(b *bench, released <-chan struct{})
	}{
		{"source", "the source of mic", func(b *bench, released <-chan struct{}) {
			plain := b.ramp(mono, tone.Config{Speed: 1})
			b.sensor("mic", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
				src, err := plain(ctx, admit)
				return &deaf{Source: src, released: released}, err
			})
			b.reader("disk", mem.New(), time.Second, byBytes)
		}},
		{"disk", "reader disk of mic", func(b *bench, released <-chan struct{}) {
			b.sensor("mic", mono, 5*time.Second, nil)
			b.reader("disk", &deadBucket{mem.New(), released}, time.Second, byBytes)
		}},
		{"sync", "something does not end: the sync of disk", func(b *bench, released <-chan struct{}) {
			b.sensor("mic", mono, 5*time.Second, nil)
			b.reader("disk", hook(false, func(what string) error {
				if what == "sync" {
					<-released
				}
				return nil
			}), 7*time.Second, byBytes)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.config.Grace = 3 * time.Second
				released := make(chan struct{})
				defer synctest.Wait()
				defer close(released)
				c.grow(b, released)
				begun := time.Now()
				_, err := b.run(4 * time.Second)
				if !errors.Is(err, ErrHung) || !strings.HasSuffix(err.Error(), c.what) || strings.Contains(err.Error(), "before all was stored") == (c.name == "sync") {
					t.Errorf("it ended with %v", err)
				}
				if took := time.Since(begun); took > 4*time.Second+b.config.Grace+hangPatience {
					t.Errorf("it ended after %v", took)
				}
			})
		})
	}
}

func TestARunThatStoredAllInItsGraceIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("mic", mono, 5*time.Second, nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		stop, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		kill, killNow := context.WithTimeout(t.Context(), 3*time.Second+time.Millisecond)
		defer killNow()
		if err := d.Run(stop, kill); err != nil {
			t.Errorf("all was stored by then, and yet: %v", err)
		}
		if got := int64(len(b.sound("disk", "mic")) / mono.FrameBytes()); got != d.Status().Sensors[0].Captured {
			t.Errorf("%d frames stored of %d", got, d.Status().Sensors[0].Captured)
		}
	})
}

// TestWhatWasNotStoredIsTold ends a run while its sink fails.
func TestWhatWasNotStoredIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		now := b.clock.Monotonic()
		b.sensor("mic", mono, 5*time.Second, nil)
		b.reader("disk", &failingBucket{mem.New(), b.clock, now, now + int64(time.Hour)}, time.Second, byBytes)
		b.config.Grace = time.Second
		d, err := b.run(2 * time.Second)
		want := fmt.Sprintf("took longer than 1s; not written: %v of mic (disk)", mono.Duration(d.Status().Sensors[0].Captured))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %q at its end", err, want)
		}
	})
}
