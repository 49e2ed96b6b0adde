package daemon

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/clock"
)

const (
	repeatAfter = time.Minute // how often one message may be said again
	maxRepeats  = 4096        // messages remembered at once
)

// A limiter keeps a message from being said more than once a minute.
type limiter struct {
	clock      clock.Clock
	suppressed atomic.Int64 // messages not said, in all

	mu   sync.Mutex // guards what follows
	said map[string]*repeat
}

type repeat struct {
	until int64 // CLOCK_MONOTONIC ns
	more  int
}

func newLimiter(c clock.Clock) *limiter {
	return &limiter{clock: c, said: map[string]*repeat{}}
}

// ask says whether the message called key may be said now, and how many like
// it were not said since the last one that was.
func (l *limiter) ask(key string) (more int, ok bool) {
	now := l.clock.Monotonic()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.said[key]
	if r != nil && now < r.until {
		r.more++
		l.suppressed.Add(1)
		return 0, false
	}
	if r == nil {
		if len(l.said) >= maxRepeats {
			clear(l.said)
		}
		r = &repeat{}
		l.said[key] = r
	}
	more, r.more, r.until = r.more, 0, now+int64(repeatAfter)
	return more, true
}
