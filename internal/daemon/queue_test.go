package daemon

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// TestNoEntryIsLostAtTheEndOfAQueue logs from many goroutines while the queue
// ends: each entry is written or counted.
func TestNoEntryIsLostAtTheEndOfAQueue(t *testing.T) {
	for range 100 {
		const talkers, each = 4, 50
		core, logs := observer.New(zapcore.InfoLevel)
		queue := NewLogQueue(core)
		stop := queue.Start()
		var wait sync.WaitGroup
		for range talkers {
			log := zap.New(queue).With(zap.Int("talker", 1))
			wait.Go(func() {
				for range each {
					log.Info("said")
				}
			})
		}
		stop()
		stop() // more than once is once
		wait.Wait()
		if n := int64(logs.FilterMessage("said").Len()) + queue.Dropped(); n != talkers*each {
			t.Fatalf("%d entries were written or counted, of %d", n, talkers*each)
		}
	}
}

// TestAQueueKeepsOrderAndFields logs through two loggers that say where they
// stand.
func TestAQueueKeepsOrderAndFields(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	queue := NewLogQueue(core)
	stop := queue.Start()
	root := zap.New(queue)
	mic := root.With(zap.String("sensor", "mic"))
	for i := range 100 {
		root.Info("root", zap.Int("i", i))
		mic.With(zap.String("reader", "disk")).Info("mic", zap.Int("i", i))
	}
	fields := []zap.Field{zap.Int("i", 100)}
	mic.Info("mic", fields...)
	fields[0] = zap.Int("i", -1) // they belong to the caller
	stop()
	all := logs.All()
	if len(all) != 201 {
		t.Fatalf("%d entries", len(all))
	}
	for n, e := range all {
		got := e.ContextMap()
		want := map[string]any{"i": int64(n / 2)}
		if n%2 == 1 || n == 200 {
			want["sensor"] = "mic"
		}
		if n%2 == 1 {
			want["reader"] = "disk"
		}
		if got["i"] != want["i"] || got["sensor"] != want["sensor"] || got["reader"] != want["reader"] {
			t.Errorf("entry %d: %v, want %v", n, got, want)
		}
	}
}

// TestWhoLogsWhileTheQueueEndsDoesNotWait ends a queue whose reader has
// stalled.
func TestWhoLogsWhileTheQueueEndsDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		released := make(chan struct{})
		core, logs := observer.New(zapcore.InfoLevel)
		queue := NewLogQueue(&stalled{core, released})
		stop := queue.Start()
		log := zap.New(queue)
		log.Info("stalls")
		var wait sync.WaitGroup
		wait.Go(stop)
		begun := time.Now()
		const times = 20 // over more time than the queue takes to end
		for range times {
			log.Info("meanwhile")
			b.pass(logGoodbye / 10)
		}
		if took := time.Since(begun); took != times*logGoodbye/10 {
			t.Errorf("to log took %v", took-times*logGoodbye/10)
		}
		close(released)
		wait.Wait()
		synctest.Wait()
		if n := int64(logs.FilterMessage("meanwhile").Len()) + queue.Dropped(); n != times || queue.Dropped() == 0 {
			t.Errorf("%d entries were written or counted of %d; dropped: %d", n, times, queue.Dropped())
		}
	})
}
