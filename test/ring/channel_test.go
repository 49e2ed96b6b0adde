//go:build bench

package ring

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// piped sends each chunk to every reader on a channel of its own, and drops it
// where there is no room. There is no past: Last cannot be had.
type piped[T any] struct {
	room int
	wrap func(p []byte) T
	open func(T) *[chunk]byte
	mu   sync.Mutex // readers come and go
	out  atomic.Pointer[[]chan T]
}

// roomFor is how many chunks wait in a channel at most.
const roomFor = 64

// newPointers sends pointers to arrays that are made anew for each write: who
// gets one may keep it.
func newPointers(testing.TB, int) rival {
	return &piped[*[chunk]byte]{
		room: roomFor,
		wrap: func(p []byte) *[chunk]byte { a := [chunk]byte(p); return &a },
		open: func(a *[chunk]byte) *[chunk]byte { return a },
	}
}

// newArrays sends arrays: they are copied into the channel and out of it.
func newArrays(testing.TB, int) rival {
	return &piped[[chunk]byte]{
		room: roomFor,
		wrap: func(p []byte) [chunk]byte { return [chunk]byte(p) },
		open: func(a [chunk]byte) *[chunk]byte { return &a },
	}
}

func (c *piped[T]) Write(p []byte) {
	one := c.wrap(p)
	for _, out := range c.all() {
		select {
		case out <- one:
		default:
		}
	}
}

func (c *piped[T]) all() []chan T {
	if out := c.out.Load(); out != nil {
		return *out
	}
	return nil
}

func (c *piped[T]) Last([]byte) bool { return false }

func (c *piped[T]) Follow() follower {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := make(chan T, c.room)
	out := append(slices.Clone(c.all()), in)
	c.out.Store(&out)
	return &drain[T]{c, in}
}

type drain[T any] struct {
	from *piped[T]
	in   chan T
}

func (d *drain[T]) Next(dst []byte) int {
	for n := range len(dst) / chunk {
		select {
		case one := <-d.in:
			copy(dst[n*chunk:], d.from.open(one)[:])
		default:
			return n
		}
	}
	return len(dst) / chunk
}

func (d *drain[T]) Close() {
	d.from.mu.Lock()
	defer d.from.mu.Unlock()
	out := slices.DeleteFunc(slices.Clone(d.from.all()), func(c chan T) bool { return c == d.in })
	d.from.out.Store(&out)
}
