package sinktest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

// Breakable is what a bucket under test is too if it is a sink.Batcher: what
// that promises of a disk that fails can be seen only if it does.
type Breakable interface {
	// BreakSync makes the next SyncAll that reaches the disk fail with err.
	BreakSync(err error)
}

// batcher is a bucket in which many things are made durable at once.
type batcher interface {
	sink.Bucket
	sink.Batcher
	Breakable
}

func testBatcher(t *testing.T, open func(t *testing.T) sink.Bucket) {
	if _, ok := open(t).(batcher); !ok {
		t.Error("a bucket that is batched must be Breakable in its tests: only then is it seen that its errors are counted")
		return
	}
	for _, c := range []struct {
		claim string
		test  func(t *testing.T, b batcher)
	}{
		{"SyncAllThatFailedIsCounted", failuresCounted},
		{"EachFailureIsCountedOnce", failuresOnce},
		{"CancelledSyncAllCountsNothing", batcherCancelled},
	} {
		t.Run(c.claim, func(t *testing.T) { c.test(t, open(t).(batcher)) })
	}
}

var errBroken = errors.New("disk on fire")

func failuresCounted(t *testing.T, b batcher) {
	put(t, b, "a")
	for failed := range int64(3) {
		if err := b.SyncAll(t.Context()); err != nil || b.Failures() != failed {
			t.Errorf("a sync of a good disk: %v, %d failures counted of %d", err, b.Failures(), failed)
		}
		b.BreakSync(errBroken)
		want(t, "a sync of a broken disk", b.SyncAll(t.Context()), errBroken)
		if b.Failures() != failed+1 {
			t.Errorf("%d failures counted of %d", b.Failures(), failed+1)
		}
	}
	if got := get(t, b, "a", 0, -1); got != "a" {
		t.Errorf("a holds %q", got)
	}
}

func failuresOnce(t *testing.T, b batcher) {
	for round := range int64(10) {
		b.BreakSync(errBroken)
		var failed atomic.Int64
		var wait sync.WaitGroup
		for range racers {
			wait.Go(func() {
				if err := b.SyncAll(t.Context()); err != nil {
					failed.Add(1)
				}
				if failed.Load() > 0 && b.Failures() <= round {
					t.Error("a failure was told and not yet counted")
				}
			})
		}
		wait.Wait()
		if failed.Load() != 1 || b.Failures() != round+1 {
			t.Errorf("round %d: %d calls failed, %d failures counted in all", round, failed.Load(), b.Failures())
		}
	}
}

func batcherCancelled(t *testing.T, b batcher) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.BreakSync(errBroken)
	want(t, "a sync that was cancelled", b.SyncAll(ctx), context.Canceled)
	if b.Failures() != 0 {
		t.Error("it was counted, and nothing reached the disk")
	}
	want(t, "the next one", b.SyncAll(t.Context()), errBroken)
}
