//go:build bench

package ring

import (
	"sync/atomic"
	"testing"
)

// blocks makes a new block for each write and publishes it in its slot. Who
// holds a block keeps it; the garbage collector takes the rest.
type blocks struct {
	slots []atomic.Pointer[block]
	head  progress
}

type block struct {
	number int64
	bytes  [chunk]byte
}

func newBlocks(_ testing.TB, chunks int) rival {
	return &blocks{slots: make([]atomic.Pointer[block], chunks)}
}

func (b *blocks) slot(i int64) *atomic.Pointer[block] { return &b.slots[i%int64(len(b.slots))] }

func (b *blocks) Write(p []byte) {
	n := b.head.Load()
	b.slot(n).Store(&block{n, [chunk]byte(p)})
	b.head.Store(n + 1)
}

// copyFrom copies chunks from number at on, and returns how many until one had
// been overwritten.
func (b *blocks) copyFrom(dst []byte, at int64) int {
	for n := range len(dst) / chunk {
		one := b.slot(at + int64(n)).Load()
		if one.number != at+int64(n) {
			return n
		}
		copy(dst[n*chunk:], one.bytes[:])
	}
	return len(dst) / chunk
}

func (b *blocks) Last(dst []byte) bool {
	at := b.head.Load() - int64(len(dst)/chunk)
	return at >= 0 && b.copyFrom(dst, at) == len(dst)/chunk
}

func (b *blocks) Follow() follower { return &chaser{b, b.head.Load()} }

type chaser struct {
	ring *blocks
	at   int64
}

func (c *chaser) Next(dst []byte) int {
	head := c.ring.head.Load()
	c.at = max(c.at, head-int64(len(c.ring.slots)))
	n := c.ring.copyFrom(dst[:min(head-c.at, int64(len(dst)/chunk))*chunk], c.at)
	c.at += int64(n)
	return n
}

func (c *chaser) Close() {}
