package buffer

import (
	"context"
	"fmt"
	"sync"
)

// demand counts the places that are taken, and tells those who wait for the
// first one or for the end of the last. The writer never looks at it.
type demand struct {
	mu      sync.Mutex // guards what follows
	places  int
	waiting int
	changed chan struct{} // closed at the next change between none and some; nil: nobody waits
}

// take counts a place, unless there are most already.
func (d *demand) take(most int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.places >= most {
		return fmt.Errorf("%w: %d", ErrTooManyReaders, most)
	}
	if d.places++; d.places == 1 {
		d.tell()
	}
	return nil
}

// give gives a place back.
func (d *demand) give() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.places--; d.places == 0 {
		d.tell()
	}
}

// tell wakes those who wait. It is called with mu held.
func (d *demand) tell() {
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

func (d *demand) taken() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.places
}

// wait returns what is closed when there are some places taken or none, or nil
// if that is so already. Who has got it says so by leave when it waits no more.
func (d *demand) wait(some bool) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if some == (d.places > 0) {
		return nil
	}
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	d.waiting++
	return d.changed
}

// leave is the end of a wait. What nobody waits for is not kept.
func (d *demand) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting--; d.waiting == 0 {
		d.changed = nil
	}
}

// AwaitReaders returns nil once the ring has a reader, or once it has none if
// some is false; what is so already is looked at before the context. It returns
// the context's error if that ends first. It says what is so at one instant: a
// reader that came and went before anybody looked is not told of. Any number
// of goroutines may wait.
func (r *Ring) AwaitReaders(ctx context.Context, some bool) error {
	for {
		changed := r.demand.wait(some)
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
			r.demand.leave()
		case <-ctx.Done():
			r.demand.leave()
			return ctx.Err()
		}
	}
}
