package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
)

// Batcher is a Bucket that makes durable many things at once, for less than
// one after the other. Not every bucket is one: ask by assertion. Its methods
// may be called from any goroutine at once.
type Batcher interface {
	// Batched says that nothing which Create and Append made is durable before
	// the next SyncAll. If it is false the other methods are of no use.
	Batched() bool

	// SyncAll makes durable everything that was written, named and appended
	// through this bucket before the call. After it has failed, nothing that it
	// was to make durable can be trusted, and a later call that succeeds does
	// not change that: an error of the disk is told once.
	SyncAll(ctx context.Context) error

	// Failures is how many calls of SyncAll have failed, by whomever, those left
	// out that ended with their context before they reached the disk. A call is
	// counted before it returns, and before another one can succeed.
	Failures() int64
}

// maxWholes is how many chunks may wait for a pass before a Recorder makes one
// of its own: each of them holds a file open.
const maxWholes = 64

// A Pass makes durable what the recorders of one bucket have written, all with
// one SyncAll, and moves their Durable. Chunks that were whole before it get
// their names behind it, so that what has a name is whole whatever happens.
// It may run at the same time as any method of the recorders. It returns the
// first error of each; one that puts sound in doubt makes the recorder it
// belongs to take nothing more before a Restart.
//
//	written ──▶ whole ──▶ [SyncAll] ──▶ named, its line appended ──▶ [next SyncAll]
func Pass(ctx context.Context, rs ...*Recorder) error {
	if len(rs) == 0 {
		return nil
	}
	marks := make([]passMark, len(rs))
	for i, r := range rs {
		marks[i] = r.mark() // before the sync: it speaks of these frames only
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := rs[0].batch.SyncAll(ctx); err != nil {
		for i, r := range rs {
			r.passFailed(marks[i], err)
		}
		return err
	}
	var errs []error
	for i, r := range rs {
		errs = append(errs, r.passed(ctx, marks[i]))
	}
	return errors.Join(errs...)
}

// errOthersSync is that the sync of another recorder of the bucket failed: it
// was told of this one's sound as well.
var errOthersSync = errors.New("a sync of the same disk failed")

// passMark is what a pass speaks of.
type passMark struct {
	at       int64 // frames written
	held     int64 // chunks held
	unsure   int64 // names that may not have been durable, ever
	restarts int64
}

func (r *Recorder) mark() passMark {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := passMark{at: r.at, unsure: r.unsure, restarts: r.restarts}
	if n := len(r.wholes); n > 0 {
		m.held = r.wholes[n-1].nth
	}
	return m
}

// hold keeps the open chunk, which is whole, for the next pass.
func (r *Recorder) hold(ctx context.Context, w whole) error {
	r.held++
	w.nth = r.held
	r.last, r.holes = w.key.Block, nil
	r.mu.Lock()
	r.draft = nil
	r.at = w.to
	r.wholes = append(r.wholes, w)
	full := len(r.wholes) >= maxWholes
	r.mu.Unlock()
	if full {
		return r.Sync(ctx)
	}
	return nil
}

// passed names what was whole before a pass that succeeded.
func (r *Recorder) passed(ctx context.Context, m passMark) (failure error) {
	r.naming.Lock()
	defer r.naming.Unlock()
	for {
		failures := r.batch.Failures()
		r.mu.Lock()
		if failures != r.failures && r.failed == nil {
			r.failed = fmt.Errorf("sync from frame %d on: %w", r.durable.Load(), errOthersSync)
			failed := r.failed
			r.mu.Unlock()
			return failed
		}
		if r.restarts != m.restarts || r.failed != nil {
			r.mu.Unlock()
			return failure // what the pass spoke of was abandoned meanwhile
		}
		if r.unsure == m.unsure {
			r.nameLimit = math.MaxInt64 // whatever has a name had it before the pass
		}
		if len(r.wholes) == 0 || r.wholes[0].nth > m.held {
			r.secure(m.at)
			r.mu.Unlock()
			return cmp.Or(failure, r.append(ctx))
		}
		w := r.wholes[0]
		r.secure(w.from) // what has no name yet may have to be given again
		r.mu.Unlock()
		err := w.draft.Commit()
		r.mu.Lock()
		if err != nil && !errors.Is(err, ErrNamed) {
			if errors.Is(err, ErrExists) {
				r.wholes[0].before = w.key.Block // whose that is: it stays, and this sound goes to the next block
			}
			r.mu.Unlock()
			return r.failLater(err)
		}
		r.wholes = r.wholes[1:]
		if len(r.wholes) == 0 || r.wholes[0].nth > m.held {
			r.secure(m.at) // whether or not the name itself is sure: the pass was told of the bytes
		}
		r.mu.Unlock()
		// A name that may be lost, and a line that cannot be appended, put no
		// sound in doubt: the others get theirs.
		failure = cmp.Or(failure, r.named(ctx, w, err))
	}
}

// passFailed remembers that nothing can be trusted which a pass was to make
// durable.
func (r *Recorder) passFailed(m passMark, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restarts == m.restarts && r.failed == nil {
		r.failed = fmt.Errorf("sync from frame %d on: %w", r.durable.Load(), err)
	}
}

// failLater makes the next Write return err.
func (r *Recorder) failLater(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = err
	}
	return err
}

// release abandons what is whole and has no name, and goes back to before it.
func (r *Recorder) release() {
	r.naming.Lock()
	defer r.naming.Unlock()
	failures := int64(0)
	if r.batch != nil {
		failures = r.batch.Failures()
	}
	r.mu.Lock()
	wholes := r.wholes
	r.wholes = nil
	if len(wholes) > 0 {
		first := &wholes[0]
		r.kept, r.pos, r.holes, r.last = true, first.from, first.holes, first.before
	}
	// All at once: a pass under way must see either all of this or nothing.
	r.restarts++
	r.failed, r.at, r.failures = nil, r.pos, failures
	r.mu.Unlock()
	for i := range wholes {
		wholes[i].draft.Abort(true) // it may be over already; it is kept, and there is nobody to tell
	}
}
