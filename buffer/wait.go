package buffer

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
)

// waitSet wakes the readers whose frames have come. Each names the head that
// it waits for, so what the writer does is one load and a comparison, and one
// send that never blocks when the least of these is reached. One of the
// waiting, the leader, receives it and tells the others that are due.
//
// The writer stores the head and then loads the least head wanted; a waiter
// stores what it wants and then loads the head again. So one of the two sees
// the other.
//
// With a timer the least head wanted is never named, so the writer never
// sends, and Tick does what the leader does.
type waitSet struct {
	kick chan struct{} // room for one
	mu   sync.Mutex    // the writer never takes it
	list []waiter      // guarded by mu
	by   Wake

	_     [line]byte
	least atomic.Int64 // head that completes a wish; MaxInt64 if there is none
	_     [line - 8]byte
}

type waiter struct {
	head int64
	tell chan struct{} // room for one
}

// Wake says who wakes the readers that wait.
type Wake uint8

const (
	// ByWriter wakes a reader when the Commit comes that it waits for. To make
	// an idle thread run takes the writer some microseconds, once for all who
	// are due.
	ByWriter Wake = iota
	// ByTimer leaves that to whoever calls Tick: the writer never sends. Only
	// the end of the stream wakes at once.
	ByTimer
)

// Tick wakes all readers whose frames have come. One timer may call it for any
// number of rings, at intervals that are the most that a reader waits too
// long. It may be called from any goroutine, and is not needed under ByWriter.
func (r *Ring) Tick() {
	r.waits.mu.Lock()
	defer r.waits.mu.Unlock()
	if len(r.waits.list) > 0 {
		r.rearm()
	}
}

func (w *waitSet) init(readers int, by Wake) {
	w.by = by
	w.kick = make(chan struct{}, 1)
	w.list = make([]waiter, 0, readers)
	w.least.Store(math.MaxInt64)
}

// notify is called by the writer after it has stored the head.
func (w *waitSet) notify(head int64) {
	if head >= w.least.Load() {
		w.wake()
	}
}

// wake makes the leader look.
func (w *waitSet) wake() {
	select {
	case w.kick <- struct{}{}:
	default: // somebody is going to look already
	}
}

func (w *waitSet) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.list)
}

// rearm tells all that are due and drops them from the list. It is called with
// mu held after each change.
func (r *Ring) rearm() {
	w := &r.waits
	for {
		r.chaos.at("rearm")
		head, closed := r.head.Load(), r.closed.Load()
		least, kept := int64(math.MaxInt64), w.list[:0]
		for _, one := range w.list {
			if closed || one.head <= head {
				one.tell <- struct{}{} // has room: one token for each time in the list
				continue
			}
			kept = append(kept, one)
			least = min(least, one.head)
		}
		w.list = kept
		if w.by == ByTimer {
			return
		}
		r.chaos.at("least")
		w.least.Store(least)
		r.chaos.at("second look")
		if r.head.Load() < least {
			return
		}
	}
}

// Wait returns nil once the head has reached head or the stream is over, or
// the context's error if that ends first.
func (p *Place) Wait(ctx context.Context, head audio.Pos) error {
	if p.over {
		return ErrReaderClosed
	}
	r := p.ring
	if r.Head() >= head || r.closed.Load() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.enter(int64(head), p.tell)
	for {
		r.chaos.at("sleep")
		select {
		case <-p.tell:
			return nil
		case <-r.waits.kick:
			r.lead()
		case <-ctx.Done():
			if r.waits.leave(r, p.tell) {
				return ctx.Err()
			}
			<-p.tell // it was told at the same time
			return nil
		}
	}
}

// enter adds a wish to the list, and tells it at once if it is fulfilled.
func (r *Ring) enter(head int64, tell chan struct{}) {
	w := &r.waits
	r.chaos.at("wait")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, waiter{head, tell})
	r.rearm()
}

// lead is what who has received the kick does for all.
func (r *Ring) lead() {
	r.waits.mu.Lock()
	defer r.waits.mu.Unlock()
	r.rearm()
}

// leave takes the waiter with that channel off the list, or returns false if
// it has been told already.
func (w *waitSet) leave(r *Ring, tell chan struct{}) bool {
	r.chaos.at("leave")
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.list {
		if w.list[i].tell == tell {
			w.list = append(w.list[:i], w.list[i+1:]...)
			r.rearm()
			return true
		}
	}
	return false
}
