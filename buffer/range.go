package buffer

import (
	"io"
	"iter"

	"github.com/ingestd/ingestd/audio"
)

// A Range is frames that could all be read when it was opened, as long as the
// ring if need be. It holds nothing: what is overwritten before it is reached is
// told then. It belongs to the goroutine of its reader and ends with it: after
// that there is only ErrReaderClosed.
type Range struct {
	place  *Place
	span   audio.Span
	stored int64 // the number of the first frame
}

// Range opens [i, j), under the conditions of Slice and with its errors.
// Nothing is read, however long it is.
func (p *Place) Range(i, j audio.Pos) (Range, error) {
	want := audio.Span{From: i, To: j}
	if err := p.sane(want); err != nil {
		return Range{}, err
	}
	if want.Empty() {
		return Range{place: p, span: want}, nil
	}
	stored, err := p.find(want)
	if err != nil {
		return Range{}, err
	}
	return Range{p, want, stored}, nil
}

// Span is the positions of the range.
func (g Range) Span() audio.Span { return g.span }

// Pieces gives the range in order, block by block, as views that borrow, or own
// a copy while the reader holds all the blocks that it may. Each ends with the
// body of the loop. If the frames that come next have been
// overwritten, the last thing it gives is a *LostError whose Want begins there.
func (g Range) Pieces() iter.Seq2[View, error] {
	return func(yield func(View, error) bool) { g.walk(yield) }
}

func (g Range) walk(yield func(View, error) bool) {
	for !g.span.Empty() {
		v, err := g.piece()
		if err != nil {
			yield(View{}, err)
			return
		}
		g.span.From = v.span.To
		g.stored += v.Frames()
		more := yield(v, nil)
		v.Release()
		if !more {
			return
		}
	}
}

// piece is what the range begins with, of one block.
func (g *Range) piece() (View, error) {
	if g.place.over {
		return View{}, ErrReaderClosed
	}
	r := g.place.ring
	n := min(g.span.Len(), r.blockMask+1-g.stored&r.blockMask)
	span := audio.Span{From: g.span.From, To: g.span.From + audio.Pos(n)}
	v, ok := g.place.lend(span, g.stored)
	if !ok { // gone, or as many are borrowed as may be
		v, ok = g.place.duplicate(span, g.stored)
	}
	if !ok {
		return View{}, g.place.gone(g.span)
	}
	return v, nil
}

// Copy copies the range into dst, and returns how many frames: all, or those
// before the first that has been overwritten, and the *LostError from there on.
// If dst has no room for all, it returns 0 and io.ErrShortBuffer.
func (g Range) Copy(dst []byte) (frames int, err error) {
	switch {
	case g.span.Empty():
		return 0, nil
	case g.place.over:
		return 0, ErrReaderClosed
	case int64(len(dst)) < g.span.Len()*int64(g.place.ring.frameBytes):
		return 0, io.ErrShortBuffer
	}
	for rest := g.span; !rest.Empty(); rest.From = g.span.From + audio.Pos(frames) {
		r := g.place.ring
		n := r.copyBlock(dst[frames*r.frameBytes:], g.stored+int64(frames), int(rest.Len()))
		if n == 0 {
			return frames, g.place.gone(rest)
		}
		frames += n
	}
	return frames, nil
}

// A Run is positions that have the same to be said of them.
type Run struct {
	audio.Span
	Cause  audio.Cause // why there is no sound; 0 if there is, or is yet to come
	Future bool        // behind the head
}

// Runs tells what there is in [i, j), in order and without a gap: sound, holes,
// overruns, and last what is yet to come. Each run is true at the moment when it
// is given; the sound of it can be overwritten afterwards. An i that is negative
// or behind j gives nothing.
func (p *Place) Runs(i, j audio.Pos) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for at := max(0, i); i >= 0 && at < j; {
			run := p.run(audio.Span{From: at, To: j})
			if !yield(run) {
				return
			}
			at = run.To
		}
	}
}

// run is the first run of want.
func (p *Place) run(want audio.Span) Run {
	r := p.ring
	r.chaos.at("R1")
	head := r.Head() // first of all
	if want.From >= head {
		return Run{Span: want, Future: true}
	}
	stored, end, lost := p.locate(want.From, head)
	switch {
	case !lost.Empty():
		return Run{Span: audio.Span{From: want.From, To: min(want.To, lost.To)}, Cause: lost.Cause}
	case !r.holds(stored >> r.blockShift):
		over := p.gone(want)
		return Run{Span: audio.Span{From: want.From, To: min(want.To, over.Lost.To)}, Cause: over.Cause}
	}
	return Run{Span: audio.Span{From: want.From, To: min(want.To, end)}}
}
