package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
)

// ErrNotMonotone says that a key of a reader is less than the one before it.
var ErrNotMonotone = errors.New("keys do not go back")

// An Item is what a step of a Merge gives: frames or a loss of one reader, or
// the word that it is late.
type Item struct {
	Reader int   // its index
	Key    int64 // of the first frame or what is lost of it; of a reader set aside the last one known
	// View is the frames; it is released behind the body of the loop.
	View View
	Lost *LostError // instead of frames
	// Late frames and losses come before what was given already. Late and
	// nothing else: the reader is set aside.
	Late bool
}

// MergeOptions says how a Merge goes on. Zero fields take the default.
type MergeOptions struct {
	// Hop is the most frames of an item; 4,096.
	Hop int64
	// Window joins keys: all of [n*Window, (n+1)*Window), for any n, count as
	// one key. So the frames of a reader in a window follow each other, and the
	// windows too. No item has frames of two. By default each key is by itself,
	// and an item may have frames of any number of keys.
	Window int64
	// Patience is how long a reader is waited for before it is set aside; for
	// ever.
	Patience time.Duration
}

// Merge gives what several readers have as one stream, in the order of key,
// then of rs, then of position. What the frames hold is never compared. The
// keys of all readers are of one scale that does not go back, such as the
// milliseconds of a session.
//
// Each step takes the reader whose cursor comes first in this order, waits for
// that one alone, and gives frames from its cursor on: at most Hop, and not
// beyond its head, its next hole, the blocks that it may borrow, and the next
// frame of another reader. So the frames of all items, one after the other, are
// a stable sort of all frames by key, whenever they were written and whatever
// Hop is. A reader is asked for one item in a step, and one view is held at a
// time.
//
// Where keys are finer than what a source delivers at a time, items are small:
// two readers whose keys are frames take turns frame by frame. A Window joins
// them.
//
// Frames whose keys are not known yet (ErrNotYet) are not there yet: the merge
// asks again with each frame that comes, and what it gets at the end of the
// stream is an error.
//
// A loss is an item too, whole, where the key of its first frame belongs.
//
// # Late readers
//
// A reader without its next frame holds the others. After Patience it is set
// aside, which an item says that is Late and has nothing else, and they go on
// without it. The front is the place in the order, key and index, of the last
// frame or loss that was not Late. What a reader that was set aside has before
// the front is Late; it is given as soon as a step finds it, and not waited for.
// Once its cursor is not before the front the reader is in order again.
//
// So whatever is not Late is in order and never before the front, and when it
// is given, all that comes before it has been, but for readers that are set
// aside or have not caught up. Of each reader all items, Late or not, are in
// order and without a gap: lost and Late are not the same.
//
// Patience begins when the merge begins to wait for that reader; others that
// were set aside may come back unseen as long. If all are, it waits on.
//
// # Ends
//
// A reader that is over drops out; when all have, the merge ends. A reader that
// ends with an error, that is overrun under Fail, or whose keys have no answer
// or go back (ErrNotMonotone), gives this error once, with an item that names
// it, and drops out; the others go on. Keys are looked at where items begin and
// end: with a Hop of 1 at each frame. The end of the context is the error of
// the reader in turn, and the last thing given. The same reader twice is an error
// at once.
//
// The readers stay the caller's, who leaves them alone until the loop is over.
// Their cursors then stand behind what was given, and another Merge goes on from
// there.
func Merge(ctx context.Context, rs []*Reader, o MergeOptions) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if err := o.complete(rs); err != nil {
			yield(Item{}, err)
			return
		}
		newMerge(rs, o).run(ctx, yield)
	}
}

// complete fills in the defaults and refuses what cannot be merged.
func (o *MergeOptions) complete(rs []*Reader) error {
	if o.Hop < 0 || o.Window < 0 || o.Patience < 0 {
		return fmt.Errorf("merge with hop %d, window %d, patience %v: none is negative", o.Hop, o.Window, o.Patience)
	}
	if o.Hop == 0 {
		o.Hop = 4096
	}
	for i, r := range rs {
		if first := slices.Index(rs, r); first < i {
			return fmt.Errorf("merge: reader %d is reader %d too", first, i)
		}
	}
	return nil
}

func (m *merge) run(ctx context.Context, yield func(Item, error) bool) {
	for len(m.streams) > 0 {
		s, err := m.first()
		var item Item
		switch {
		case err != nil:
		case s.ready():
			item, err = m.give(ctx, s)
		default:
			item, err = m.wait(ctx, s)
		}
		switch {
		case err != nil && ctx.Err() != nil:
			yield(Item{Reader: s.index}, ctx.Err())
			return
		case err != nil:
			index := s.index
			m.drop(s)
			if err != io.EOF && !yield(Item{Reader: index}, err) {
				return
			}
		case item.View.Frames() > 0 || item.Lost != nil || item.Late:
			more := yield(item, nil)
			item.View.Release()
			if !more {
				return
			}
		}
	}
}
