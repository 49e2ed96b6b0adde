package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/ingestd/ingestd/audio"
)

// Between returns all items of the query [bt, tt), in the reader's keys and as
// its Interval says. It waits until the last of them is there, and does not
// move the cursor. It returns in one of these ways:
//
//	view, nil          all of them; there may be none
//	view, io.EOF       all that there will ever be: the stream is over, or
//	                   the index of it
//	view, other error  the same; the stream ended with it
//	none, *LostError   some do not exist; told at once, before any waiting
//	none, ctx.Err()    the context ended
//	none, other error  the query is no query, or the keys have no answer
//
// Release the view in any case.
func (r *Reader) Between(ctx context.Context, bt, tt int64) (View, error) {
	for {
		v, wait, err := r.between(bt, tt)
		if wait == nil {
			return v, err
		}
		if err := wait(ctx); err != nil {
			return View{}, err
		}
	}
}

// between is Between without waiting: it answers, or returns what to wait for
// before it is asked again.
func (r *Reader) between(bt, tt int64) (v View, wait func(context.Context) error, err error) {
	over := r.ring.Closed() // before the frames, or the last of them are missed
	from, to, err := r.options.edges(bt, tt)
	if err != nil {
		return View{}, nil, err
	}
	var span audio.Span
	for _, one := range []struct {
		edge
		pos *audio.Pos
	}{{from, &span.From}, {to, &span.To}} {
		*one.pos, err = one.lower()
		if errors.Is(err, ErrNotYet) {
			return View{}, func(ctx context.Context) error { return one.await(ctx) }, nil
		}
		if err != nil {
			return View{}, nil, fmt.Errorf("between %d and %d: %w", bt, tt, err)
		}
	}
	if span.From == never {
		return View{}, nil, io.EOF
	}
	span.To = max(span.From, span.To)
	v, err = r.Slice(span.From, span.To)
	var future *FutureError
	switch {
	case !errors.As(err, &future):
		return v, nil, err
	case !over:
		return View{}, func(ctx context.Context) error { return r.Await(ctx, span.To) }, nil
	case span.From >= future.Head:
		return View{}, nil, r.end()
	}
	if v, err = r.Slice(span.From, future.Head); err == nil {
		err = r.end()
	}
	return v, nil, err
}

// never is the position of a key that no frame has and none will have.
const never = math.MaxInt64

// lower is the position of the edge, never if it will not come.
func (e edge) lower() (audio.Pos, error) {
	p, err := e.keys.Lower(e.key)
	if errors.Is(err, io.EOF) {
		return never, nil
	}
	return p, err
}

// await waits until lower answers.
func (e edge) await(ctx context.Context) error {
	if err := awaitKey(ctx, e.keys, e.key); err != io.EOF {
		return err
	}
	return nil
}

// Until returns what is new up to the key tt: the frames from the cursor on
// whose key is less. It waits for the last of them and moves the cursor behind
// what it returns. Fewer come before a hole and at the end of the stream; the
// next call then returns the *LostError or the end, as Read does. If nothing is
// new, the view is empty. Release it.
func (r *Reader) Until(ctx context.Context, tt int64) (View, error) {
	edge := edge{r.options.keys, tt}
	for {
		end, err := edge.lower()
		switch {
		case errors.Is(err, ErrNotYet):
			if err := edge.await(ctx); err != nil {
				return View{}, err
			}
			continue
		case err != nil:
			return View{}, fmt.Errorf("until %d: %w", tt, err)
		case end <= r.Pos():
			return r.Slice(r.Pos(), r.Pos())
		}
		v, err := r.upTo(ctx, end)
		r.move(v.Frames(), err)
		return v, err
	}
}

// All gives windows of frames frames, each hop behind the one before, from the
// cursor on, as long as the stream lasts. A hop of frames tiles the stream,
// a shorter one overlaps; what a longer one leaps over is not asked for. Each
// window ends with the body of the loop.
//
// A loss is given as a *LostError, after which windows begin where sound goes
// on. Before a loss and at the end a window is shorter, and is left out if
// windows before it held all of it. A loss that Fail makes stay and any other
// error but io.EOF is the last thing given.
func (r *Reader) All(ctx context.Context, frames, hop int64) iter.Seq2[View, error] {
	return func(yield func(View, error) bool) {
		if most := r.ring.Stats().Capacity; frames < 1 || hop < 1 || frames > most {
			yield(View{}, fmt.Errorf("windows of %d frames every %d: 1 to %d frames, the ring holds no more, every 1 or more", frames, hop, most))
			return
		}
		var held audio.Pos // windows have held all before it
		for {
			v, err := r.window(ctx, frames, hop)
			if err == io.EOF || (v.Frames() > 0 && v.Frames() < frames && v.Span().To <= held) {
				v.Release()
				if err != nil {
					return
				}
				continue
			}
			held = max(held, v.Span().To)
			more := yield(v, err)
			v.Release()
			if _, lost := err.(*LostError); !more || r.failed != nil || err != nil && !lost {
				return
			}
		}
	}
}

// window is the next window, or what there is of it, and moves the cursor.
func (r *Reader) window(ctx context.Context, frames, hop int64) (View, error) {
	at := r.Pos()
	v, err := r.upTo(ctx, at+audio.Pos(frames))
	if v.Frames() == frames {
		r.move(hop, nil)
	} else {
		r.move(v.Frames(), err)
	}
	return v, err
}

// upTo returns the frames from the cursor to end, or fewer if a hole or the end
// of the stream comes first. It waits for them and does not move the cursor.
func (r *Reader) upTo(ctx context.Context, end audio.Pos) (View, error) {
	if r.failed != nil {
		return View{}, r.failed
	}
	for {
		if err := ctx.Err(); err != nil {
			return View{}, err
		}
		want := audio.Span{From: r.Pos(), To: end}
		if want.From < r.resume {
			return View{}, r.place.Overrun(want, r.resume)
		}
		over := r.ring.Closed() // before the frames, or the last of them are missed
		v, err := r.place.Slice(want.From, want.To)
		switch e := err.(type) {
		case *LostError:
			if e.Lost.From == want.From {
				return View{}, r.told(want, e)
			}
			end = e.Lost.From
		case *FutureError:
			switch {
			case !over:
				if err := r.place.Wait(ctx, end); err != nil {
					return View{}, err
				}
			case want.From >= e.Head:
				return View{}, r.end()
			default:
				end = e.Head
			}
		default:
			return v, err
		}
	}
}

// A Part is what one of several readers has for a query.
type Part struct {
	View View
	Err  error
}

// Gather asks several readers one query, each in its own keys, and returns
// their answers in the order of rs: what Between would say. All are asked
// before one is waited for, and again whenever the one that was waited for has
// its items. A reader that has no answer spoils no other's. Release the views.
func Gather(ctx context.Context, rs []*Reader, bt, tt int64) []Part {
	parts := make([]Part, len(rs))
	open := make([]int, len(rs)) // those without an answer
	for i := range rs {
		open[i] = i
	}
	for len(open) > 0 {
		var first func(context.Context) error
		left := open[:0]
		for _, i := range open {
			v, wait, err := rs[i].between(bt, tt)
			if wait == nil {
				parts[i] = Part{v, err}
				continue
			}
			if left = append(left, i); first == nil {
				first = wait
			}
		}
		if open = left; len(open) == 0 {
			break
		}
		if err := first(ctx); err != nil {
			if ctx.Err() == nil { // of this reader alone
				parts[open[0]].Err = err
				open = open[1:]
				continue
			}
			for _, i := range open {
				parts[i].Err = err
			}
			break
		}
	}
	return parts
}
