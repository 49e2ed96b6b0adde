package buffer

import (
	"context"
	"reflect"

	"github.com/ingestd/ingestd/audio"
)

// A Wish is what one place waits for: that the head of its ring reaches Head,
// or that Also is closed, which may be nil.
type Wish struct {
	Place *Place
	Head  audio.Pos
	Also  <-chan struct{}
}

// WaitAny returns nil once one of the wishes is fulfilled or one of the streams
// is over, or the context's error if that ends first. The places are of one
// goroutine and of any rings; none comes twice.
func WaitAny(ctx context.Context, wishes []Wish) error {
	for _, w := range wishes {
		switch {
		case w.Place.over:
			return ErrReaderClosed
		case w.Place.ring.Head() >= w.Head || w.Place.ring.closed.Load():
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	cases := []reflect.SelectCase{receive(ctx.Done())}
	for _, w := range wishes {
		w.Place.ring.enter(int64(w.Head), w.Place.tell)
		cases = append(cases, receive(w.Place.tell), receive(w.Place.ring.waits.kick), receive(w.Also))
	}
	told := -1 // the wish whose token was received
	for {
		i, _, _ := reflect.Select(cases)
		if i > 0 && i%3 == 2 {
			wishes[i/3].Place.ring.lead()
			continue
		}
		if i > 0 && i%3 == 1 {
			told = i / 3
		}
		done := i > 0
		for k, w := range wishes {
			if k != told && !w.Place.ring.waits.leave(w.Place.ring, w.Place.tell) {
				<-w.Place.tell // it was told at the same time
				done = true
			}
		}
		if done {
			return nil
		}
		return ctx.Err()
	}
}

func receive[T any](from <-chan T) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(from)}
}
