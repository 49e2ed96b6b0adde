package ring

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
)

// wordBytes is the frame of the reference: one word.
const wordBytes = 8

// words is the reference: a ring of atomic words, one for each frame, that
// never borrows. Its reader copies first and looks afterwards whether the
// writer was there (a seqlock). Since each word is atomic no read races with a
// write. It forgets no hole. It has one writer and any number of readers.
type words struct {
	frames []atomic.Uint64
	begun  atomic.Int64                 // stored frames, those that are being written included
	holes  atomic.Pointer[[]audio.Hole] // all of them; the writer replaces the slice
	head   atomic.Int64                 // position; the writer stores it last
	stored int64                        // the writer's
	fault  fault
}

// fault is a bug that the differential test must find.
type fault int

const (
	sound       fault = iota
	shortWindow       // the oldest frame is given up too early
	longHole          // a hole ends one position too late
	nextWord          // after the first lap a read begins one frame too late
	oneCause          // adjacent holes are one, whatever their causes
)

// newWords makes a reference that holds the newest frames frames.
func newWords(frames int, f fault) *words {
	w := &words{frames: make([]atomic.Uint64, frames), fault: f}
	w.holes.Store(new([]audio.Hole))
	return w
}

func (w *words) at(stored int64) *atomic.Uint64 {
	return &w.frames[stored%int64(len(w.frames))]
}

// write stores whole frames at the head.
func (w *words) write(p []byte) {
	n := int64(len(p) / wordBytes)
	w.begun.Store(w.stored + n)
	for i := range n {
		w.at(w.stored + i).Store(binary.LittleEndian.Uint64(p[i*wordBytes:]))
	}
	w.stored += n
	w.head.Store(w.head.Load() + n)
}

// skip makes a hole of n positions at the head.
func (w *words) skip(n int64, cause audio.Cause) {
	if n == 0 {
		return
	}
	head := w.head.Load()
	h := audio.Hole{Span: audio.Span{From: audio.Pos(head), To: audio.Pos(head + n)}, Cause: cause}
	if w.fault == longHole {
		h.To++
	}
	old := *w.holes.Load()
	if last := len(old) - 1; last >= 0 && old[last].To == h.From && (old[last].Cause == cause || w.fault == oneCause) {
		h.From, h.Cause = old[last].From, old[last].Cause
		old = old[:last]
	}
	holes := append(append(make([]audio.Hole, 0, len(old)+1), old...), h)
	w.holes.Store(&holes)
	w.head.Store(head + n)
}

// oldest is the number of the oldest stored frame that is surely there.
func (w *words) oldest() int64 {
	oldest := w.begun.Load() - int64(len(w.frames))
	if w.fault == shortWindow {
		oldest++
	}
	return max(0, oldest)
}

// bounds is what can be read, as buffer.Ring says it.
func (w *words) bounds() audio.Span {
	from := audio.Pos(w.oldest())
	for _, h := range *w.holes.Load() {
		if h.From <= from {
			from += audio.Pos(h.Len())
		}
	}
	to := audio.Pos(w.head.Load())
	return audio.Span{From: min(from, to), To: to}
}

// locate returns the number of the frame at p and where its stretch of sound
// ends, or the loss that begins at p. p is below the head.
func (w *words) locate(p audio.Pos) (stored int64, end audio.Pos, lost audio.Hole) {
	end = audio.Pos(w.head.Load())
	stored = int64(p)
	for _, h := range *w.holes.Load() {
		if h.Contains(p) {
			return 0, 0, audio.Hole{Span: audio.Span{From: p, To: h.To}, Cause: h.Cause}
		}
		if h.From > p {
			end = min(end, h.From)
			break
		}
		stored -= h.Len()
	}
	if stored < w.oldest() {
		return 0, 0, audio.Hole{Span: audio.Span{From: p, To: min(end, w.bounds().From)}, Cause: audio.Overrun}
	}
	return stored, end, audio.Hole{}
}

// read copies frames from position at on: as many as dst holds, up to the head
// or the next hole, or tells what is lost from there on.
func (w *words) read(dst []byte, at audio.Pos) (n int64, lost audio.Hole) {
	if at >= audio.Pos(w.head.Load()) {
		return 0, audio.Hole{}
	}
	stored, end, lost := w.locate(at)
	if !lost.Empty() {
		return 0, lost
	}
	n = min(int64(len(dst)/wordBytes), int64(end-at))
	from := stored
	if w.fault == nextWord && stored >= int64(len(w.frames)) {
		from++
	}
	for i := range n {
		binary.LittleEndian.PutUint64(dst[i*wordBytes:], w.at(from+i).Load())
	}
	if stored < w.oldest() { // the second look: what was copied may be of two laps
		_, _, lost = w.locate(at)
		return 0, lost
	}
	return n, audio.Hole{}
}

// slice is all of [i, j), or its first loss, or false if it has none and the
// head has not reached j.
func (w *words) slice(i, j audio.Pos) (p []byte, lost audio.Hole, come bool) {
	head := audio.Pos(w.head.Load())
	one := make([]byte, wordBytes)
	for at := i; at < min(j, head); at++ {
		if _, lost = w.read(one, at); !lost.Empty() {
			return nil, lost, true
		}
		p = append(p, one...)
	}
	return p, audio.Hole{}, j <= head || i == j
}
