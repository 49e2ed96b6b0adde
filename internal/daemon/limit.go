package daemon

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/clock"
)

const (
	repeatAfter = time.Minute // how often one message may be said again
	maxRepeats  = 4096        // messages remembered at once
)

// A limiter writes messages to the log, each kind of them no more than once a
// minute. What repeats meanwhile is counted. The count is said with the next one
// of the kind, or with the last that was kept, when the minute or the run is
// over: none is passed over.
type limiter struct {
	clock      clock.Clock
	suppressed atomic.Int64 // messages not said when they came

	mu   sync.Mutex // guards what follows, never held while the log is written
	said map[string]*repeat
}

// repeat is what is known of one kind of message.
type repeat struct {
	until int64 // CLOCK_MONOTONIC ns before which it is not said again
	more  int   // not said since the last one that was
	last  message
}

type message struct {
	log    *zap.Logger
	level  zapcore.Level
	text   string
	fields []zap.Field
	at     time.Time
}

func newLimiter(c clock.Clock) *limiter {
	return &limiter{clock: c, said: map[string]*repeat{}}
}

// say logs a message of the kind called key, or keeps it for flush. It returns
// whether it was logged now.
func (l *limiter) say(key string, log *zap.Logger, level zapcore.Level, text string, fields ...zap.Field) (now bool) {
	m := message{log, level, text, fields, l.clock.UTC()}
	l.mu.Lock()
	r := l.said[key]
	if now = r == nil || l.clock.Monotonic() >= r.until; !now {
		r.more++
		r.last = m
		l.mu.Unlock()
		l.suppressed.Add(1)
		return false
	}
	if r != nil && r.more > 0 {
		m.text += "\n    (" + r.counted() + " since the last one)"
	}
	var pushed []*repeat
	if r == nil && len(l.said) >= maxRepeats {
		pushed = l.take(true)
		clear(l.said)
	}
	l.said[key] = &repeat{until: l.clock.Monotonic() + int64(repeatAfter)}
	l.mu.Unlock()
	for _, p := range pushed {
		p.write()
	}
	m.log.Log(m.level, m.text, m.fields...)
	return true
}

// forget drops what was kept of the kind called key, because it is not true
// any more and what came of it is told by another message.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.said[key]; r != nil {
		r.more = 0
	}
}

// flush says what was kept for longer than a minute; all: everything that was
// kept.
func (l *limiter) flush(all bool) {
	l.mu.Lock()
	due := l.take(all)
	l.mu.Unlock()
	for _, r := range due {
		r.write()
	}
}

// take returns what is to be said, the earliest first, and forgets what is
// over. mu is held.
func (l *limiter) take(all bool) (due []*repeat) {
	now := l.clock.Monotonic()
	for key, r := range l.said {
		switch {
		case !all && now < r.until:
		case r.more == 0:
			delete(l.said, key)
		default:
			due = append(due, &repeat{more: r.more, last: r.last})
			r.more, r.until = 0, now+int64(repeatAfter)
		}
	}
	slices.SortFunc(due, func(a, b *repeat) int { return a.last.at.Compare(b.last.at) })
	return due
}

// write logs the last of what was kept.
func (r *repeat) write() {
	text := r.last.text + "\n    (said late: it was at " + r.last.at.UTC().Format(moment)
	if r.more > 1 {
		r.more--
		text += ", " + r.counted()
	}
	r.last.log.Log(r.last.level, text+")", r.last.fields...)
}

func (r *repeat) counted() string { return fmt.Sprintf("%d more like this", r.more) }
