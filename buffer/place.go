package buffer

import (
	"runtime"

	"github.com/ingestd/ingestd/audio"
)

// A Place is one of the MaxReaders places at a ring. Package reader builds its
// Reader on it. It belongs to one goroutine.
type Place struct {
	*lease
	tell    chan struct{} // its wake-up, room for one
	over    bool
	dropped runtime.Cleanup

	// The newest hole, if no hole at all had been logged behind it: while the
	// count is the same, every position from since on that is below the head
	// is sound. That the stretch ends at the head would not be enough: the
	// next hole may be in the log and the head not yet moved.
	count   int64
	since   audio.Pos
	skipped int64 // positions skipped before since
}

// lease is what a place takes of its ring. It does not know the place, so that
// it can be given back when nobody knows the place any more.
type lease struct {
	ring   *Ring
	loans  []loan
	free   []*loan
	pinned int // blocks held by loans
}

// Take takes a place, or returns ErrTooManyReaders. A place that is dropped
// without Close, and all its views with it, is given back by the garbage
// collector some time; Stats counts those.
func (r *Ring) Take() (*Place, error) {
	if err := r.demand.take(r.maxReaders); err != nil {
		return nil, err
	}
	l := &lease{ring: r, loans: make([]loan, r.maxPins)}
	segments, ids := make([][]byte, r.maxPins*r.maxPins), make([]int, r.maxPins*r.maxPins)
	for i := range l.loans {
		from, to := i*r.maxPins, (i+1)*r.maxPins
		l.loans[i] = loan{lease: l, segments: segments[from:from:to], ids: ids[from:from:to]}
		l.free = append(l.free, &l.loans[i])
	}
	p := &Place{lease: l, tell: make(chan struct{}, 1), count: -1}
	p.dropped = runtime.AddCleanup(p, func(l *lease) {
		l.ring.dropped.Add(1)
		l.end()
	}, l)
	return p, nil
}

// Ring is the ring of the place.
func (p *Place) Ring() *Ring { return p.ring }

// Closed says whether the place was given back.
func (p *Place) Closed() bool { return p.over }

// Close releases all views and gives the place back. Only the first call
// counts.
func (p *Place) Close() {
	if p.over {
		return
	}
	p.over = true
	p.dropped.Stop()
	p.end()
}

func (l *lease) end() {
	for i := range l.loans {
		if one := &l.loans[i]; len(one.ids) > 0 {
			one.release()
		}
	}
	l.ring.demand.give()
}

// Copy copies frames from position at on into dst, and returns how many: up to
// the length of dst, the head, or the next hole. It returns 0, nil at the head
// and beyond it, and a *LostError if at is lost.
func (p *Place) Copy(dst []byte, at audio.Pos) (frames int, err error) {
	r := p.ring
	room := len(dst) / r.frameBytes
	stored, some, err := p.stretch(at, int64(room))
	if some == 0 {
		return 0, err
	}
	for frames < int(some) {
		n := r.copyBlock(dst[frames*r.frameBytes:], stored+int64(frames), int(some)-frames)
		if n == 0 { // overwritten; what was copied before is right
			break
		}
		frames += n
	}
	if frames == 0 {
		return 0, p.gone(audio.Span{From: at, To: at + audio.Pos(room)})
	}
	return frames, nil
}

// Lend is Copy without the copying: a view of at most frames frames from
// position at on, up to the head, the next hole, or the end of the blocks that
// the place may still borrow. If that is none, the view owns a copy of what it
// would have had of one block. At the head and beyond it the view is empty.
func (p *Place) Lend(at audio.Pos, frames int64) (View, error) {
	r := p.ring
	stored, some, err := p.stretch(at, frames)
	if some == 0 {
		if err != nil {
			return View{}, err
		}
		return View{span: audio.Span{From: at, To: at}}, nil
	}
	blocks := int64(max(1, r.maxPins-p.pinned))
	some = min(some, (stored>>r.blockShift+blocks)<<r.blockShift-stored)
	span := audio.Span{From: at, To: at + audio.Pos(some)}
	v, ok := p.lend(span, stored)
	if !ok {
		v, ok = p.duplicate(span, stored)
	}
	if !ok {
		return View{}, p.gone(audio.Span{From: at, To: at + audio.Pos(frames)})
	}
	return v, nil
}

// stretch returns how many of frames frames from position at on are sound
// without a break, and the number of the first. Some may have been
// overwritten. It returns 0 at the head, and with an error if at is in a hole.
func (p *Place) stretch(at audio.Pos, frames int64) (stored, some int64, err error) {
	if p.over {
		return 0, 0, ErrReaderClosed
	}
	r := p.ring
	r.chaos.at("R1")
	head := r.Head() // first of all
	if at >= head || frames < 1 {
		return 0, 0, nil
	}
	stored, end, lost := p.locate(at, head)
	if !lost.Empty() {
		return 0, 0, r.lostError(audio.Span{From: at, To: at + audio.Pos(frames)}, lost)
	}
	return stored, min(frames, int64(end-at)), nil
}

// copyBlock copies at most frames stored frames, all of one block, from number
// stored on. It returns 0 if that block has been overwritten.
func (r *Ring) copyBlock(dst []byte, stored int64, frames int) int {
	id, ok := r.pin(stored >> r.blockShift)
	if !ok {
		return 0
	}
	off := int(stored & r.blockMask)
	some := min(frames, int(r.blockMask)+1-off)
	r.chaos.at("copy")
	copy(dst, r.memory(id)[off*r.frameBytes:(off+some)*r.frameBytes])
	r.unpin(id)
	return some
}

// locate translates a position below a head that was loaded before. It returns
// either the number of its stored frame and the end of the stretch of sound
// that it lies in, no further than the head, or what is lost from it on.
func (p *Place) locate(at, head audio.Pos) (stored int64, end audio.Pos, lost audio.Hole) {
	log := &p.ring.log
	log.chaos.at("R2")
	if log.n.Load() == p.count && at >= p.since {
		return int64(at) - p.skipped, head, audio.Hole{}
	}
	s := log.find(int64(at), false)
	switch {
	case s.forgotten:
		return 0, 0, audio.Hole{Span: audio.Span{From: at, To: audio.Pos(s.next)}, Cause: audio.Overrun}
	case s.known && int64(at) < s.to:
		return 0, 0, audio.Hole{Span: audio.Span{From: at, To: audio.Pos(s.to)}, Cause: s.cause}
	}
	if s.next == noHole {
		p.count, p.since, p.skipped = s.count, audio.Pos(s.to), s.skipped()
	}
	return int64(at) - s.skipped(), min(head, audio.Pos(s.next)), audio.Hole{}
}

// Overrun returns the error for want whose loss is that from want.From on, up
// to the oldest frame or to to, whichever is later; a hole that the log knows
// is told apart: before it the loss is an overrun and ends there, inside it
// the loss is the hole. The caller knows that want.From is lost, or gives
// it up.
func (p *Place) Overrun(want audio.Span, to audio.Pos) *LostError {
	r := p.ring
	to = max(to, r.Bounds().From)
	s := r.log.find(int64(want.From), false)
	lost := audio.Hole{Span: audio.Span{From: want.From, To: min(to, audio.Pos(s.next))}, Cause: audio.Overrun}
	if s.forgotten {
		lost.To = audio.Pos(s.next)
	} else if s.known && int64(want.From) < s.to {
		lost.To, lost.Cause = audio.Pos(s.to), s.cause
	}
	return r.lostError(want, lost)
}

// gone is the error for want whose first frame has been overwritten.
func (p *Place) gone(want audio.Span) *LostError { return p.Overrun(want, want.From+1) }

func (r *Ring) lostError(want audio.Span, lost audio.Hole) *LostError {
	return &LostError{Want: want, Lost: lost.Span, Cause: lost.Cause, Holds: r.Bounds()}
}
