//go:build bench

package ring

import (
	"sync"
	"testing"
)

// mutexed is a ring under one lock: the writer and the readers copy while they
// hold it. With read, readers hold it together.
type mutexed struct {
	mu   sync.Locker
	read sync.Locker // the same lock, as readers take it
	slab []byte      // guarded by mu, as is all that follows
	head int64       // chunks written
}

func newMutexed(_ testing.TB, chunks int) rival {
	mu := new(sync.Mutex)
	return &mutexed{mu: mu, read: mu, slab: touched(chunks * chunk)}
}

func newRWMutexed(_ testing.TB, chunks int) rival {
	mu := new(sync.RWMutex)
	return &mutexed{mu: mu, read: mu.RLocker(), slab: touched(chunks * chunk)}
}

func (m *mutexed) chunks() int64 { return int64(len(m.slab) / chunk) }

func (m *mutexed) Write(p []byte) {
	m.mu.Lock()
	from := int(m.head%m.chunks()) * chunk
	copy(m.slab[from:from+chunk], p)
	m.head++
	m.mu.Unlock()
}

// copyFrom copies chunks from number at on. It is called with the lock held.
func (m *mutexed) copyFrom(dst []byte, at int64) {
	for len(dst) > 0 {
		n := copy(dst, m.slab[int(at%m.chunks())*chunk:])
		dst = dst[n:]
		at += int64(n / chunk)
	}
}

func (m *mutexed) Last(dst []byte) bool {
	m.read.Lock()
	defer m.read.Unlock()
	at := m.head - int64(len(dst)/chunk)
	if at < 0 {
		return false
	}
	m.copyFrom(dst, at)
	return true
}

func (m *mutexed) Follow() follower {
	m.read.Lock()
	defer m.read.Unlock()
	return &locked{ring: m, at: m.head}
}

type locked struct {
	ring *mutexed
	at   int64
}

func (l *locked) Next(dst []byte) int {
	m := l.ring
	m.read.Lock()
	defer m.read.Unlock()
	l.at = max(l.at, m.head-m.chunks())
	n := min(m.head-l.at, int64(len(dst)/chunk))
	m.copyFrom(dst[:n*chunk], l.at)
	l.at += n
	return int(n)
}

func (l *locked) Close() {}
