package buffer

import (
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// A Place is one of the MaxReaders places at a ring. Package reader builds its
// Reader on it. It belongs to one goroutine.
type Place struct {
	ring *Ring
	tell chan struct{} // its wake-up, room for one
	over bool

	loans  []loan
	free   []*loan
	pinned int // blocks held by loans

	// The newest hole, if no hole at all had been logged behind it: while the
	// count is the same, every position from since on that is below the head
	// is sound. That the stretch ends at the head would not be enough: the
	// next hole may be in the log and the head not yet moved.
	count   int64
	since   audio.Pos
	skipped int64 // positions skipped before since
}

// Take takes a place, or returns ErrTooManyReaders.
func (r *Ring) Take() (*Place, error) {
	if r.places.Add(1) > r.maxReaders {
		r.places.Add(-1)
		return nil, fmt.Errorf("%w: %d", ErrTooManyReaders, r.maxReaders)
	}
	p := &Place{ring: r, tell: make(chan struct{}, 1), count: -1, loans: make([]loan, r.maxPins)}
	segments, ids := make([][]byte, r.maxPins*r.maxPins), make([]int, r.maxPins*r.maxPins)
	for i := range p.loans {
		from, to := i*r.maxPins, (i+1)*r.maxPins
		p.loans[i] = loan{place: p, segments: segments[from:from:to], ids: ids[from:from:to]}
		p.free = append(p.free, &p.loans[i])
	}
	return p, nil
}

// Ring is the ring of the place.
func (p *Place) Ring() *Ring { return p.ring }

// Close releases all views and gives the place back. Only the first call
// counts.
func (p *Place) Close() {
	if p.over {
		return
	}
	p.over = true
	for i := range p.loans {
		if l := &p.loans[i]; len(l.ids) > 0 {
			l.release()
		}
	}
	p.ring.places.Add(-1)
}

// Copy copies frames from position at on into dst, and returns how many: up to
// the length of dst, the head, or the next hole. It returns 0, nil at the head
// and beyond it, and a *LostError if at is lost.
func (p *Place) Copy(dst []byte, at audio.Pos) (frames int, err error) {
	if p.over {
		return 0, ErrReaderClosed
	}
	r := p.ring
	head := r.Head() // first of all
	room := len(dst) / r.frameBytes
	if at >= head || room == 0 {
		return 0, nil
	}
	stored, end, lost := p.locate(at, head)
	if !lost.Empty() {
		return 0, r.lostError(audio.Span{From: at, To: at + audio.Pos(room)}, lost)
	}
	room = int(min(int64(room), int64(end-at)))
	for frames < room {
		some := r.copyBlock(dst[frames*r.frameBytes:], stored+int64(frames), room-frames)
		if some == 0 { // overwritten; what was copied before is right
			break
		}
		frames += some
	}
	if frames == 0 {
		return 0, p.Overrun(audio.Span{From: at, To: at + audio.Pos(room)}, at+1)
	}
	return frames, nil
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
	copy(dst, r.memory(id)[off*r.frameBytes:(off+some)*r.frameBytes])
	r.unpin(id)
	return some
}

// locate translates a position below a head that was loaded before. It returns
// either the number of its stored frame and the end of the stretch of sound
// that it lies in, no further than the head, or what is lost from it on.
func (p *Place) locate(at, head audio.Pos) (stored int64, end audio.Pos, lost audio.Hole) {
	log := &p.ring.log
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

func (r *Ring) lostError(want audio.Span, lost audio.Hole) *LostError {
	return &LostError{Want: want, Lost: lost.Span, Cause: lost.Cause, Holds: r.Bounds()}
}
