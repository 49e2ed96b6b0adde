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

// look says whether any place is taken, and what is closed when that changes.
func (d *demand) look() (some bool, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.places > 0, d.changed
}

// AwaitReaders returns nil once the ring has a reader, or once it has none if
// some is false; what is so already is looked at before the context. It returns
// the context's error if that ends first. It says what is so at one instant: a
// reader that came and went before anybody looked is not told of. Any number
// of goroutines may wait.
func (r *Ring) AwaitReaders(ctx context.Context, some bool) error {
	for {
		is, changed := r.demand.look()
		if is == some {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
