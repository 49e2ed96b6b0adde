package clock

import (
	"math"
	"sync/atomic"
)

// A Bell wakes those who wait for keys. The one who appends publishes first
// and then looks at least; those who wait make their wish first and then look
// at what is published. So one of the two sees the other. All wake when one of
// the wishes is fulfilled, and wish again if it was not theirs.
//
// The one who rings forgets the wishes before he takes the channel away, so
// who wishes with the next channel is not forgotten. The zero Bell is ready.
type Bell struct {
	least atomic.Int64 // no wish is below it
	rung  atomic.Pointer[chan struct{}]
}

// Wish asks for a ring when key is reached. The channel is closed then, or
// earlier.
func (b *Bell) Wish(key int64) <-chan struct{} {
	rung := b.rung.Load()
	for rung == nil {
		fresh := make(chan struct{})
		b.rung.CompareAndSwap(nil, &fresh)
		rung = b.rung.Load()
	}
	for least := b.least.Load(); key < least; least = b.least.Load() {
		b.least.CompareAndSwap(least, key)
	}
	return *rung
}

// Reached rings if somebody waits for key or a lower one.
func (b *Bell) Reached(key int64) {
	if key >= b.least.Load() {
		b.Ring()
	}
}

// Ring wakes all.
func (b *Bell) Ring() {
	b.least.Store(math.MaxInt64)
	if rung := b.rung.Swap(nil); rung != nil {
		close(*rung)
	}
}
