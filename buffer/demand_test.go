package buffer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// took takes a place at r.
func took(t *testing.T, r *Ring) *Place {
	t.Helper()
	p, err := r.Take()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOnlyTheFirstReaderAndTheLastAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Config{FrameBytes: 2, Frames: 8, MaxReaders: 3})
		if err != nil {
			t.Fatal(err)
		}
		var turns atomic.Int32 // odd: there is a reader
		ctx, cancel := context.WithCancel(t.Context())
		var waiters sync.WaitGroup
		waiters.Go(func() {
			for some := true; r.AwaitReaders(ctx, some) == nil; some = !some {
				turns.Add(1)
			}
		})
		defer waiters.Wait()
		defer cancel()
		at := func(what string, want int32) {
			t.Helper()
			synctest.Wait()
			if got := turns.Load(); got != want {
				t.Errorf("%s: told %d times, want %d", what, got, want)
			}
		}
		at("before the first", 0)
		a := took(t, r)
		at("with the first", 1)
		b, c := took(t, r), took(t, r)
		if _, err := r.Take(); !errors.Is(err, ErrTooManyReaders) {
			t.Errorf("a fourth place of three: %v", err)
		}
		at("with three", 1)
		a.Close()
		a.Close()
		a.Close()
		b.Close()
		at("when two have left", 1)
		c.Close()
		at("when the last has left", 2)
		took(t, r).Close()
		synctest.Wait() // a turn as short as this may be told or not, but whole
		if got := turns.Load(); got != 2 && got != 4 {
			t.Errorf("told %d times after a reader that came and went", got)
		}
	})
}

func TestWhoWaitsForReadersEndsWithTheContext(t *testing.T) {
	r, err := New(Config{FrameBytes: 2, Frames: 8})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.AwaitReaders(ended, true); err != context.Canceled {
		t.Errorf("wait for a reader: %v", err)
	}
	if err := r.AwaitReaders(ended, false); err != nil {
		t.Errorf("there is none, and it was said to be waited for: %v", err)
	}
	took(t, r)
	if err := r.AwaitReaders(ended, true); err != nil {
		t.Errorf("there is one, and it was said to be waited for: %v", err)
	}
	if err := r.AwaitReaders(ended, false); err != context.Canceled {
		t.Errorf("wait for its end: %v", err)
	}
}

// TestNoTurnOfReadersIsMissed lets several wait while many come and go. At rest
// all of them know the truth.
func TestNoTurnOfReadersIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Config{FrameBytes: 2, Frames: 8, MaxReaders: 4})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var saw [3]atomic.Bool
		var waiters sync.WaitGroup
		for i := range saw {
			waiters.Go(func() {
				for some := true; r.AwaitReaders(ctx, some) == nil; some = !some {
					saw[i].Store(some)
				}
			})
		}
		defer waiters.Wait()
		defer cancel()
		for round := range 200 {
			var left *Place
			var readers sync.WaitGroup
			for i := range 4 {
				readers.Go(func() {
					p := took(t, r)
					if i == 0 && round%2 == 0 {
						left = p
						return
					}
					p.Close()
				})
			}
			readers.Wait()
			synctest.Wait()
			for i := range saw {
				if got := saw[i].Load(); got != (left != nil) {
					t.Fatalf("round %d: waiter %d knows of a reader: %v, want %v", round, i, got, left != nil)
				}
			}
			if left != nil {
				left.Close()
			}
		}
	})
}
