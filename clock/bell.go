package clock

import (
	"context"
	"errors"
	"io"
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

// Await asks until the answer is another than ErrNotYet, at once and whenever
// key may have been reached. It returns that answer, io.EOF for one that wraps
// it, or the context's error if that ends first.
func (b *Bell) Await(ctx context.Context, key int64, ask func() error) error {
	for {
		rung := b.Wish(key)
		err := ask()
		switch {
		case errors.Is(err, io.EOF):
			return io.EOF
		case !errors.Is(err, ErrNotYet):
			return err
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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
