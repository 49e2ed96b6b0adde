package buffer

import (
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// A View is the frames of a span. Its contents do not change until Release:
// either it borrows memory of the ring, which the writer then leaves alone, or
// it owns a copy. It belongs to the goroutine of its reader, and ends with it.
//
// The bytes of a borrowed view are memory that the garbage collector does not
// know: hold on to the View while they are used, and end with Release.
type View struct {
	span     audio.Span
	segments [][]byte // the copy
	loan     *loan    // or what was borrowed
	turn     uint64   // of the loan
	place    *Place   // is not dropped while the view is known
}

// loan is blocks that a view holds. It is used again once released.
type loan struct {
	lease    *lease
	segments [][]byte
	ids      []int
	turn     uint64
}

// Span is the positions that the view holds.
func (v View) Span() audio.Span { return v.span }

// Frames is how many frames the view holds.
func (v View) Frames() int64 { return v.span.Len() }

// Borrowed says whether the view lies in memory of the ring. Each reader can
// borrow MaxPins blocks at a time.
func (v View) Borrowed() bool { return v.loan != nil }

// Segments is the frames in order, in pieces of whole frames, not copied. They
// must not be written to, nor used after Release.
func (v View) Segments() [][]byte {
	if v.loan == nil {
		return v.segments
	}
	if v.loan.turn != v.turn {
		return nil
	}
	return v.loan.segments
}

// AppendTo appends the frames to dst in one piece.
func (v View) AppendTo(dst []byte) []byte {
	for _, s := range v.Segments() {
		dst = append(dst, s...)
	}
	return dst
}

// Release gives back what was borrowed. To call it again, or on the zero View,
// is harmless.
func (v View) Release() {
	if v.loan != nil && v.loan.turn == v.turn {
		v.loan.release()
	}
}

func (l *loan) release() {
	for _, id := range l.ids {
		l.lease.ring.unpin(id)
	}
	l.lease.pinned -= len(l.ids)
	l.segments, l.ids = l.segments[:0], l.ids[:0]
	l.turn++
	l.lease.free = append(l.lease.free, l)
}

// Slice returns all of [i, j), or an error: a *LostError for the first loss in
// it, or a *FutureError if nothing of it is lost and the head has not reached
// j. An empty range is an empty view, wherever it lies. Slice does not wait.
// The view borrows if few enough blocks are touched, and owns a copy if not.
func (p *Place) Slice(i, j audio.Pos) (View, error) {
	want := audio.Span{From: i, To: j}
	if err := p.sane(want); err != nil {
		return View{}, err
	}
	if want.Empty() {
		return View{span: want}, nil
	}
	stored, err := p.find(want)
	if err != nil {
		return View{}, err
	}
	v, ok := p.lend(want, stored)
	if !ok {
		v, ok = p.duplicate(want, stored)
	}
	if !ok {
		return View{}, p.gone(want)
	}
	return v, nil
}

// sane refuses a range that none can be.
func (p *Place) sane(want audio.Span) error {
	switch {
	case p.over:
		return ErrReaderClosed
	case want.From < 0 || want.To < want.From:
		return fmt.Errorf("slice %v: a range is not negative and does not run backwards", want)
	}
	return nil
}

// find returns the number of the first frame of want, which is not empty, if
// all of it can be read at this moment.
func (p *Place) find(want audio.Span) (stored int64, err error) {
	r := p.ring
	r.chaos.at("R1")
	head := r.Head() // first of all
	if want.From >= head {
		return 0, &FutureError{want, head}
	}
	stored, end, lost := p.locate(want.From, head)
	if !lost.Empty() {
		return 0, r.lostError(want, lost)
	}
	switch {
	case !r.holds(stored >> r.blockShift):
		return 0, p.gone(want)
	case want.To <= end:
		return stored, nil
	case end == head:
		return 0, &FutureError{want, head}
	}
	_, _, lost = p.locate(end, head)
	if lost.Cause == audio.Overrun { // the log has forgotten it since
		return 0, p.gone(want)
	}
	return 0, r.lostError(want, lost)
}

// lend pins the blocks of span, whose first frame has that number. It returns
// false if these are too many or one has been overwritten.
func (p *Place) lend(span audio.Span, stored int64) (View, bool) {
	r := p.ring
	last := (stored + span.Len() - 1) >> r.blockShift
	blocks := last - stored>>r.blockShift + 1
	if blocks > int64(r.maxPins-p.pinned) {
		return View{}, false
	}
	l := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	for left := span.Len(); left > 0; {
		id, ok := r.pin(stored >> r.blockShift)
		if !ok {
			p.pinned += len(l.ids)
			l.release()
			return View{}, false
		}
		off := stored & r.blockMask
		some := min(left, r.blockMask+1-off)
		from, to := int(off)*r.frameBytes, int(off+some)*r.frameBytes
		l.ids = append(l.ids, id)
		l.segments = append(l.segments, r.memory(id)[from:to:to])
		stored += some
		left -= some
	}
	p.pinned += len(l.ids)
	return View{span: span, loan: l, turn: l.turn, place: p}, true
}

// duplicate copies span block by block from the oldest end.
func (p *Place) duplicate(span audio.Span, stored int64) (View, bool) {
	r := p.ring
	whole := make([]byte, span.Len()*int64(r.frameBytes))
	for done := 0; done < int(span.Len()); {
		some := r.copyBlock(whole[done*r.frameBytes:], stored+int64(done), int(span.Len())-done)
		if some == 0 {
			return View{}, false
		}
		done += some
	}
	return View{span: span, segments: [][]byte{whole}}, true
}
