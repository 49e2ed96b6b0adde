package buffer

import (
	"fmt"
	"math"

	"github.com/ingestd/ingestd/audio"
)

// A Writer puts frames into a ring. It belongs to one goroutine. None of its
// methods waits, takes a lock or allocates.
type Writer struct {
	ring   *Ring
	head   int64 // position
	stored int64 // frames
	room   int64 // frames reserved and not yet committed
	slot   int   // of the next block that begins: its number mod N
	cur    int   // id of the block being filled
	taken  bool  // cur was taken and is in no slot yet
	grows  bool  // nothing was committed since the newest hole
	cause  audio.Cause

	spare  []int32 // a queue of the ids that are in no slot
	first  int     // index of the oldest one
	spares int     // how many there are
	search int     // most pins ever looked at to find a free block
}

func newWriter(r *Ring) *Writer {
	w := &Writer{ring: r, spare: make([]int32, len(r.pins))}
	for id := range r.pins {
		w.push(id)
	}
	return w
}

// Head is the position behind the newest frame.
func (w *Writer) Head() audio.Pos { return audio.Pos(w.head) }

// Reserve returns room for up to frames frames, in place. It holds at least
// one frame and may be shorter than asked for: it ends with the block. The
// room is the caller's until Commit; called again without one, Reserve returns
// the same place again. A Skip in between moves the position of the room, not
// its bytes. The room keeps the memory of the ring in place only together with
// the Writer.
//
// frames must be positive, and the Writer not closed.
func (w *Writer) Reserve(frames int) []byte {
	if frames < 1 {
		panic(fmt.Sprintf("buffer: Reserve(%d)", frames))
	}
	w.check()
	r := w.ring
	off := w.stored & r.blockMask
	if off == 0 && !w.taken {
		w.cur, w.taken = w.take(), true
	}
	w.room = min(int64(frames), r.blockMask+1-off)
	from := w.cur*r.stride + int(off)*r.frameBytes
	to := from + int(w.room)*r.frameBytes
	return r.slab[from:to:to]
}

// Commit publishes the first frames of the room that was reserved. The rest of
// it stays reserved. To commit more than was reserved is a fault of the caller
// and panics.
func (w *Writer) Commit(frames int) {
	if frames < 0 || int64(frames) > w.room {
		panic(fmt.Sprintf("buffer: Commit(%d) of %d frames reserved", frames, w.room))
	}
	if frames == 0 {
		return
	}
	r := w.ring
	if w.stored&r.blockMask == 0 {
		// Not before: a source may sit in its room for hours, and the oldest
		// block can be read all that time.
		w.swing()
	}
	w.room -= int64(frames)
	w.stored += int64(frames)
	w.grows = false
	w.publish(int64(frames))
}

// swing puts the block being filled in its slot and retires the one there.
func (w *Writer) swing() {
	r := w.ring
	block := uint64(w.stored >> r.blockShift)
	r.chaos.at("S")
	if old := r.slots[w.slot].Swap(block<<idBits | uint64(w.cur)); old != empty {
		w.push(idOf(old))
	}
	if w.slot++; w.slot == len(r.slots) {
		w.slot = 0
	}
	w.taken = false
}

// Skip makes a hole of frames positions at the head. No bytes exist for it and
// nothing is evicted, however long it is. Adjacent skips of one cause are one
// hole that grows. Skip(0) does nothing. A negative number panics, and so does a
// cause that no hole can have: one that is not valid, or Overrun, which is what
// readers make of sound.
func (w *Writer) Skip(frames int64, cause audio.Cause) {
	if frames < 0 || frames > math.MaxInt64-w.head || !cause.Valid() || cause == audio.Overrun {
		panic(fmt.Sprintf("buffer: Skip(%d, %v) at %d", frames, cause, w.head))
	}
	if frames == 0 {
		return
	}
	w.check()
	if w.grows && w.cause == cause {
		w.ring.log.grow(w.head + frames)
	} else {
		w.ring.log.add(w.head, w.stored, frames, cause)
	}
	w.grows, w.cause = true, cause
	w.publish(frames)
}

// publish moves the head, which makes everything stored before visible.
func (w *Writer) publish(frames int64) {
	r := w.ring
	w.head += frames
	r.chaos.at("H")
	r.head.Store(w.head)
	r.chaos.at("notify")
	r.waits.notify(w.head)
}

// Close ends the stream: readers get the rest, then io.EOF if err is nil, or
// err. The ring stays readable. Only the first call counts. Reserve and Skip
// panic afterwards.
func (w *Writer) Close(err error) {
	r := w.ring
	if r.closed.Load() {
		return
	}
	w.room = 0
	r.err = err
	r.chaos.at("close")
	r.closed.Store(true)
	r.chaos.at("wake")
	r.waits.wake()
}

func (w *Writer) check() {
	if w.ring.closed.Load() {
		panic("buffer: the writer is closed")
	}
}

// take finds a block that nobody reads. While it looks no slot changes, so
// each reader is seen on at most MaxPins+1 of the blocks that are in no slot,
// and there is one more than that of all readers together.
func (w *Writer) take() int {
	for looks := 1; looks <= len(w.spare); looks++ {
		id := w.pop()
		w.ring.chaos.at("L")
		if w.ring.pins[id].Load() == 0 {
			w.search = max(w.search, looks)
			return id
		}
		w.push(id)
	}
	panic("buffer: readers hold more blocks than they may")
}

func (w *Writer) push(id int) {
	at := w.first + w.spares
	if at >= len(w.spare) {
		at -= len(w.spare)
	}
	w.spare[at] = int32(id)
	w.spares++
}

func (w *Writer) pop() int {
	id := int(w.spare[w.first])
	if w.first++; w.first == len(w.spare) {
		w.first = 0
	}
	w.spares--
	return id
}
