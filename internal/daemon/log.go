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
	stuck   atomic.Bool // the last entries could not be written
	over    atomic.Bool // there is no goroutine any more
	told    int64       // of dropped, that the log knows; of the goroutine
}

type logEntry struct {
	core   zapcore.Core
	entry  zapcore.Entry
	fields []zapcore.Field
}

// NewLogQueue returns a queue before core. Start begins to write.
func NewLogQueue(core zapcore.Core) *LogQueue {
	return &LogQueue{core, &logWriter{entries: make(chan logEntry, logRoom)}}
}

// Dropped is how many entries found no room so far.
func (q *LogQueue) Dropped() int64 { return q.dropped.Load() }

// With implements zapcore.Core.
func (q *LogQueue) With(fields []zapcore.Field) zapcore.Core {
	return &LogQueue{q.Core.With(fields), q.logWriter}
}

// Check implements zapcore.Core.
func (q *LogQueue) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if q.Enabled(e.Level) {
		return c.AddCore(e, q)
	}
	return c
}

// Write implements zapcore.Core. It never waits before the queue has ended.
func (q *LogQueue) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if q.over.Load() {
		if q.stuck.Load() {
			return nil
		}
		return q.Core.Write(e, fields)
	}
	select {
	case q.entries <- logEntry{q.Core, e, slices.Clone(fields)}:
	default:
		q.dropped.Add(1)
	}
	return nil
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
			for len(q.entries) > 0 {
				q.write(<-q.entries)
			}
			return
		}
	})
	return sync.OnceFunc(func() {
		q.over.Store(true)
		close(ending)
		goodbye := time.NewTimer(logGoodbye)
		defer goodbye.Stop()
		select {
		case <-ended:
			wg.Wait()
		case <-goodbye.C:
			q.stuck.Store(true)
		}
	})
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
