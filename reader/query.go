package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// Between returns all items of the query [bt, tt), in the reader's keys and as
// its Interval says. It waits until the last of them is there, and does not
// move the cursor. It returns in one of these ways:
//
//	view, nil          all of them; there may be none
//	view, io.EOF       all that there will ever be: the stream is over, or
//	                   the index of it
//	view, other error  the same; the stream ended with it
//	none, *LostError   some do not exist; told as soon as it is so
//	none, ctx.Err()    the context ended
//	none, other error  the query is no query, or the keys have no answer
//
// Keys that learn are asked again with each frame that comes, and as soon as
// they know more if they are of this package. They should know a frame before
// it is committed: at the end of the stream a key that is not known is none
// that will come.
//
// Release the view in any case.
func (r *Reader) Between(ctx context.Context, bt, tt int64) (View, error) {
	for {
		v, wish, err := r.between(bt, tt)
		if wish == nil {
			return v, err
		}
		if err := r.grant(ctx, wish); err != nil {
			return View{}, err
		}
	}
}

// grant waits for a wish of this reader.
func (r *Reader) grant(ctx context.Context, wish *buffer.Wish) error {
	if wish.Also == nil {
		return r.place.Wait(ctx, wish.Head)
	}
	return buffer.WaitAny(ctx, []buffer.Wish{*wish})
}

// between is Between without waiting: it answers, or returns what to wait for
// before it is asked again.
func (r *Reader) between(bt, tt int64) (v View, wish *buffer.Wish, err error) {
	begin, end, err := r.options.edges(bt, tt)
	if err != nil {
		return View{}, nil, err
	}
	over, head := r.ring.Closed(), r.ring.Head() // before the keys, or what they learn meanwhile is missed
	from, rung, err := begin.position(over)
	if err == nil && rung == nil {
		if from == never {
			return View{}, nil, r.end()
		}
		var to audio.Pos
		if to, rung, err = end.position(over); err == nil && rung == nil {
			return r.all(audio.Span{From: from, To: max(from, to)}, over)
		}
		if _, lost := r.place.Range(from, from+1); err == nil && loses(lost) {
			return View{}, nil, lost
		}
	}
	if err != nil {
		return View{}, nil, fmt.Errorf("between %d and %d: %w", bt, tt, err)
	}
	return View{}, &buffer.Wish{Place: r.place, Head: head + 1, Also: rung}, nil
}

// all is the frames of span, or what there will ever be of them, or what to
// wait for. over says whether the stream was over before span was known.
func (r *Reader) all(span audio.Span, over bool) (v View, wish *buffer.Wish, err error) {
	v, err = r.Slice(span.From, span.To)
	var future *FutureError
	switch {
	case !errors.As(err, &future):
		return v, nil, err
	case !over:
		// No further than what the ring holds: then some of it is lost, and that
		// is known long before the last of it comes.
		most := max(future.Head+1, ahead(span.From, r.ring.Capacity()))
		return View{}, &buffer.Wish{Place: r.place, Head: min(span.To, most)}, nil
	case span.From >= future.Head:
		return View{}, nil, r.end()
	}
	if v, err = r.Slice(span.From, future.Head); err == nil {
		err = r.end()
	}
	return v, nil, err
}

func loses(err error) bool {
	_, lost := err.(*LostError)
	return lost
}

// never is the position of a key that no frame has and none will have.
const never = math.MaxInt64

// ahead is frames behind p, or never.
func ahead(p audio.Pos, frames int64) audio.Pos {
	if int64(p) > math.MaxInt64-frames {
		return never
	}
	return p + audio.Pos(frames)
}

// position is where the edge lies, never if its key will not come. If it is
// not known yet, rung is closed when it may be, or for ever open.
func (e edge) position(over bool) (p audio.Pos, rung <-chan struct{}, err error) {
	rung = wish(e.keys, e.key) // before the look
	p, err = e.keys.Lower(e.key)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, ErrNotYet) && over:
		return never, nil, nil
	case errors.Is(err, ErrNotYet):
		if rung == nil {
			rung = make(chan struct{})
		}
		return 0, rung, nil
	}
	return p, nil, err
}

// Until returns what is new up to the key tt: the frames from the cursor on
// whose key is less. It waits for the last of them and moves the cursor behind
// what it returns. Fewer come before a hole and at the end of the stream; the
// next call then returns the *LostError or the end, as Read does. Fewer come,
// too, if they are more than half of what the ring holds, rather than to lose
// them in waiting for all. If nothing is new, the view is empty. Release it.
//
// What Between says of keys that learn holds here too.
func (r *Reader) Until(ctx context.Context, tt int64) (View, error) {
	edge := edge{r.options.keys, tt}
	for {
		over, head := r.ring.Closed(), r.ring.Head() // before the keys, or what they learn meanwhile is missed
		end, rung, err := edge.position(over)
		switch {
		case err != nil:
			return View{}, fmt.Errorf("until %d: %w", tt, err)
		case rung != nil:
			if err := r.grant(ctx, &buffer.Wish{Place: r.place, Head: head + 1, Also: rung}); err != nil {
				return View{}, err
			}
			continue
		case end <= r.Pos():
			return r.Slice(r.Pos(), r.Pos())
		}
		v, err := r.upTo(ctx, min(end, ahead(r.Pos(), max(1, r.ring.Capacity()/2))))
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
		if most := r.ring.Capacity(); frames < 1 || hop < 1 || frames > most {
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
	v, err := r.upTo(ctx, ahead(at, frames))
	if v.Frames() == frames {
		r.Seek(ahead(at, hop))
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
		if want.From == never { // leapt behind all that can come
			if over {
				return View{}, r.end()
			}
			if err := r.place.Wait(ctx, never); err != nil {
				return View{}, err
			}
			continue
		}
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
// their answers in the order of rs: what Between would say. A reader is asked
// again as soon as there may be an answer, whichever of them it is; one that has
// none spoils no other's. Release the views.
func Gather(ctx context.Context, rs []*Reader, bt, tt int64) []Part {
	parts, open := make([]Part, len(rs)), make([]bool, len(rs))
	for i := range open {
		open[i] = true
	}
	for {
		var wishes []buffer.Wish
		for i, r := range rs {
			if !open[i] {
				continue
			}
			v, wish, err := r.between(bt, tt)
			if wish == nil {
				parts[i], open[i] = Part{v, err}, false
			} else if !slices.Contains(rs[:i], r) {
				wishes = append(wishes, *wish)
			}
		}
		if len(wishes) == 0 || ctx.Err() != nil {
			break
		}
		_ = buffer.WaitAny(ctx, wishes) // if the context ends, all are asked once more
	}
	for i := range rs {
		if open[i] {
			parts[i].Err = ctx.Err()
		}
	}
	return parts
}
