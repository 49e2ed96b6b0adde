package daemon

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap/zapcore"
)

const (
	logRoom    = 256         // entries that wait to be written
	logGoodbye = time.Second // how long the last of them may take
)

// A LogQueue is a core of a logger whose caller never waits: a goroutine of
// its own writes the entries to the core behind. A journal that stalls, or a
// pipe that nobody reads, then stops neither capture nor storing. What finds
// no room is dropped and counted, and the count is logged as soon as there is
// room again. It may be used from any goroutine at once.
type LogQueue struct {
	zapcore.Core
	*logWriter
}

type logWriter struct {
	entries chan logEntry
	dropped atomic.Int64
	told    int64 // of dropped, that the log knows; of the goroutine

	mu  sync.RWMutex // guards end, and is held for reading by who queues
	end queueEnd
}

// queueEnd is how a queue has ended.
type queueEnd int

const (
	queueOpen  queueEnd = iota // it has not
	queueOver                  // all is written, and there is no goroutine any more
	queueStuck                 // the last entries could not be written
)

type logEntry struct {
	core   zapcore.Core
	entry  zapcore.Entry
	fields []zapcore.Field
}

// NewLogQueue returns a queue before core. Start begins to write.
func NewLogQueue(core zapcore.Core) *LogQueue {
	return &LogQueue{Core: core, logWriter: &logWriter{entries: make(chan logEntry, logRoom)}}
}

// Dropped is how many entries found no room so far.
func (q *LogQueue) Dropped() int64 { return q.dropped.Load() }

// With implements zapcore.Core.
func (q *LogQueue) With(fields []zapcore.Field) zapcore.Core {
	return &LogQueue{Core: q.Core.With(fields), logWriter: q.logWriter}
}

// Check implements zapcore.Core.
func (q *LogQueue) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if q.Enabled(e.Level) {
		return c.AddCore(e, q)
	}
	return c
}

// Write implements zapcore.Core. It never waits before all that is queued is
// written.
func (q *LogQueue) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if q.queue(logEntry{q.Core, e, slices.Clone(fields)}) {
		return nil
	}
	return q.Core.Write(e, fields)
}

// queue returns false if the queue is over: then whoever logs may write. What
// finds no room, or can never be written, is counted.
func (w *logWriter) queue(e logEntry) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.end == queueOpen {
		select {
		case w.entries <- e:
			return true
		default:
		}
	}
	if w.end != queueOver {
		w.dropped.Add(1)
	}
	return w.end != queueOver
}

// Start writes what is queued until the function that it returns is called,
// which lets the rest be written, for a second at most. Entries that come
// later are written by those who log them, or dropped if nothing can be
// written.
func (q *LogQueue) Start() (stop func()) {
	ending, ended := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(ended)
		for {
			select {
			case e := <-q.entries:
				q.write(e)
				continue
			case <-ending:
			}
			if len(q.entries) == 0 && q.finish(queueOver) != queueOpen {
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ending)
		goodbye := time.NewTimer(logGoodbye)
		defer goodbye.Stop()
		select {
		case <-ended:
			wg.Wait()
		case <-goodbye.C:
			q.finish(queueStuck)
		}
	})
}

// finish ends the queue, unless it has ended, or is to be over and something
// was queued meanwhile. It returns how it has ended.
func (w *logWriter) finish(how queueEnd) queueEnd {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == queueOpen && (how == queueStuck || len(w.entries) == 0) {
		w.end = how
	}
	return w.end
}

// write writes an entry, and then how many found no room before it was
// written, if any did.
func (q *LogQueue) write(e logEntry) {
	_ = e.core.Write(e.entry, e.fields) // there is nobody to tell
	n := q.dropped.Load()
	if n == q.told {
		return
	}
	e.entry.Level, e.entry.Message = zapcore.WarnLevel, fmt.Sprintf("%d messages were not logged: whoever reads the log was too slow", n-q.told)
	q.told = n
	_ = q.Core.Write(e.entry, nil)
}
