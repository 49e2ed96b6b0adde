package buffer

import "math/bits"

// What the models of pins and of holes have in common: slots, pins and memory,
// the writer's way through a Commit, and a reader's way through one block.

// phases of a block in the hands of the writer.
const (
	doFill = iota // the bytes: a plain access
	doSwing
	doPublish
)

// memRules are sizes, and what a broken variant does otherwise.
type memRules struct {
	slots  int
	frames int // in a block: 1 or 2
	spares int
	looks  int // that the writer may need to find a free block
	phases [3]int

	ignorePins    bool // take does not look at the pins
	inPlace       bool // the block in the slot is filled anew, if it is not pinned
	notQueued     bool // the block that leaves its slot is forgotten
	bareWord      bool // the second look compares the memory and not the block
	noValidate    bool
	validateFirst bool
	keepsPin      bool // a pin that was in vain is not given back
	takesTwice    bool // Reserve takes a block although it has one
}

// size returns good rules for so many slots of blocks of so many frames.
func size(slots, frames, readers, pins int) memRules {
	n := readers*(pins+1) + 1
	return memRules{slots: slots, frames: frames, spares: n, looks: n, phases: [3]int{doFill, doSwing, doPublish}}
}

// Faults that a step can meet.
type blame uint8

const (
	noBlame blame = iota
	starved
	wrongFrame
	lostWrongly
	lostTooLittle
	noSuchLoss
)

func (b blame) String() string {
	return [...]string{"", "the writer finds no free block", "a wrong frame was delivered",
		"a frame that can be read was called lost", "a frame that is lost was not told", "a loss was told that is none"}[b]
}

const (
	vacant   = 0xff // a slot without a block
	memories = 7    // at most
)

// word is what a slot holds: a block and the id of its memory.
func word(block, id uint8) uint8  { return block<<3 | id }
func wordBlock(word uint8) uint8  { return word >> 3 }
func wordMemory(word uint8) uint8 { return word & 7 }

// mem is the memory that all share, and what the writer keeps.
type mem struct {
	slots [2]uint8
	pins  [memories]int8
	data  [memories][2]uint8 // number of the frame plus 1; 0 while it is written
	head  uint8              // a position
	w     filler
}

// filler is the writer: pc is 0 between two frames, 1 in take, and then two
// for each phase, of which the second is an access under way.
type filler struct {
	pc, stored, cur, room, looks uint8
	taken                        bool
	queue                        [memories]uint8
	spares                       uint8
}

func newMem(r *memRules) mem {
	m := mem{slots: [2]uint8{vacant, vacant}}
	for id := range r.slots + r.spares {
		m.push(uint8(id))
	}
	return m
}

func (m *mem) push(id uint8) {
	m.w.queue[m.w.spares] = id
	m.w.spares++
}

func (m *mem) pop() uint8 {
	q := &m.w.queue
	id := q[0]
	copy(q[:], q[1:])
	m.w.spares--
	q[m.w.spares] = 0
	return id
}

func (m *mem) slot(r *memRules, block uint8) *uint8 { return &m.slots[int(block)%r.slots] }

// phase returns what the writer is about to do, or has under way.
func (m *mem) phase(r *memRules) int {
	if m.w.pc < 2 {
		return -1
	}
	return r.phases[(m.w.pc-2)/2]
}

func (m *mem) filling(r *memRules) bool { return m.w.pc >= 2 && m.w.pc&1 == 1 && m.phase(r) == doFill }

// filled says that the bytes are there and Commit has not begun.
func (m *mem) filled(r *memRules) bool { return m.w.pc == 4 && r.phases[0] == doFill }

// frames is how many frames have all their bytes.
func (m *mem) frames(r *memRules) uint8 {
	for i := 0; 2*i+2 < int(m.w.pc)&^1; i++ {
		if r.phases[i] == doFill {
			return m.w.stored + m.w.room
		}
	}
	return m.w.stored
}

// write takes the next step of the writer, who stores room more frames.
func (m *mem) write(r *memRules) (what string, b blame) {
	w := &m.w
	off := w.stored % uint8(r.frames)
	block := w.stored / uint8(r.frames)
	switch {
	case w.pc < 2 && off == 0 && (!w.taken || r.takesTwice):
		return m.take(r, block)
	case w.pc < 2:
		w.pc = 2
	}
	switch m.phase(r) {
	case doFill:
		if w.pc&1 == 0 {
			what = "fill begins"
			clear(m.data[w.cur][off : off+w.room])
			w.pc++
			return what, noBlame
		}
		what = "fill ends"
		for i := range w.room {
			m.data[w.cur][off+i] = w.stored + i + 1
		}
	case doSwing:
		if what = "S swing the slot"; off > 0 {
			what = "the slot is right"
			break
		}
		old := *m.slot(r, block)
		*m.slot(r, block) = word(block, w.cur)
		if old != vacant && !r.notQueued && !r.inPlace {
			m.push(wordMemory(old))
		}
		w.taken = false
	case doPublish:
		what = "H store the head"
		m.head += w.room
	}
	if w.pc = w.pc&^1 + 2; w.pc == 8 {
		w.pc = 0
		w.stored += w.room
		w.room = 0
	}
	return what, noBlame
}

// take looks at the pins of the next block of the queue.
func (m *mem) take(r *memRules, block uint8) (what string, b blame) {
	w := &m.w
	what = "L load the pins"
	if old := *m.slot(r, block); r.inPlace && old != vacant && m.pins[wordMemory(old)] == 0 {
		w.cur, w.pc, w.taken = wordMemory(old), 2, true
		return what, noBlame
	}
	if w.looks++; int(w.looks) > r.looks || w.spares == 0 {
		return what, starved
	}
	id := m.pop()
	if m.pins[id] != 0 && !r.ignorePins {
		m.push(id)
		w.pc = 1
		return what, noBlame
	}
	w.cur, w.pc, w.taken, w.looks = id, 2, true, 0
	return what, noBlame
}

// overwritten says that frame is gone for ever, and that its room has been
// filled with a newer one. Reserve alone overwrites nothing.
func (m *mem) overwritten(r *memRules, frame uint8) bool {
	block := frame / uint8(r.frames)
	in := *m.slot(r, block)
	return in != vacant && wordBlock(in) > block && m.frames(r) > (block+uint8(r.slots))*uint8(r.frames)
}

// oldest is the number of the oldest frame that can be read, or of the next
// one if there is none.
func (m *mem) oldest(r *memRules) uint8 {
	end := m.w.stored
	for frame := range end {
		block := frame / uint8(r.frames)
		if in := *m.slot(r, block); in != vacant && wordBlock(in) == block {
			return frame
		}
	}
	return end
}

// A copier is a reader on its way through the blocks of what it reads.
type copier struct {
	pc   uint8 // 0 is none
	num  uint8 // number of the first frame
	room uint8 // frames wanted
	done uint8 // frames read
	word uint8
}

const (
	cSlot = iota + 1
	cPin
	cLook
	cGive
	cRead
	cReading
	cUnpin
)

// what a step of a copier has come to.
type outcome uint8

const (
	under outcome = iota // way
	whole                // all is read
	gone                 // the block was overwritten
	held                 // the block is pinned, and the copier wanted no more
)

func (c *copier) part(r *memRules) (id, off, frames uint8) {
	next := c.num + c.done
	off = next % uint8(r.frames)
	return wordMemory(c.word), off, min(c.room-c.done, uint8(r.frames)-off)
}

// reading says what c has under way.
func (c *copier) reading(r *memRules) (id, off, frames uint8, ok bool) {
	if c.pc != cReading {
		return 0, 0, 0, false
	}
	id, off, frames = c.part(r)
	return id, off, frames, true
}

// read takes the next step of c. A view is only pinned.
func (m *mem) read(r *memRules, c *copier, view bool) (what string, o outcome, b blame) {
	block := (c.num + c.done) / uint8(r.frames)
	id := wordMemory(c.word)
	switch c.pc {
	case cSlot:
		what = "load the slot"
		c.word = *m.slot(r, block)
		if c.word == vacant || wordBlock(c.word) != block {
			c.word = 0
			return what, gone, noBlame
		}
		c.pc = cPin
		if r.validateFirst {
			c.pc = cLook
		}
	case cPin:
		what = "A pin"
		m.pins[id]++
		if c.pc = cLook; r.validateFirst || r.noValidate {
			return what, c.pinned(view), noBlame
		}
	case cLook:
		what = "V look at the slot again"
		now := *m.slot(r, block)
		same := now == c.word || r.bareWord && wordMemory(now) == id
		switch {
		case !same && r.validateFirst:
			c.word = 0
			return what, gone, noBlame
		case !same:
			c.pc = cGive
		case r.validateFirst:
			c.pc = cPin
		default:
			return what, c.pinned(view), noBlame
		}
	case cGive:
		if !r.keepsPin {
			m.pins[id]--
		}
		c.word = 0
		return "unpin in vain", gone, noBlame
	case cRead:
		what = "read begins"
		c.pc = cReading
	case cReading:
		what = "read ends"
		b = m.compare(r, c)
		c.pc = cUnpin
	case cUnpin:
		what = "unpin"
		m.pins[id]--
		_, _, some := c.part(r)
		c.done += some
		c.word = 0
		if c.pc = cSlot; c.done == c.room {
			return what, whole, noBlame
		}
	}
	return what, under, b
}

func (c *copier) pinned(view bool) outcome {
	c.pc = cRead
	if view {
		return held
	}
	return under
}

// compare looks whether what c has read is what it wanted.
func (m *mem) compare(r *memRules, c *copier) blame {
	id, off, some := c.part(r)
	for i := range some {
		if m.data[id][off+i] != c.num+c.done+i+1 {
			return wrongFrame
		}
	}
	return noBlame
}

// conflict says whether c reads bytes that the writer writes.
func (m *mem) conflict(r *memRules, c *copier) bool {
	id, off, some, ok := c.reading(r)
	if !ok || !m.filling(r) || id != m.w.cur {
		return false
	}
	from := m.w.stored % uint8(r.frames)
	return off < from+m.w.room && from < off+some
}

// balance says what is wrong with the pins and the queue between operations.
func (m *mem) balance(r *memRules, views int) string {
	pins := 0
	for _, n := range m.pins {
		if n < 0 {
			return "a block has less than no pins"
		}
		pins += int(n)
	}
	if pins != views {
		return "a pin was left behind"
	}
	var known uint8 // a bit for each memory that can be found
	for _, id := range m.w.queue[:m.w.spares] {
		known |= 1 << id
	}
	for _, in := range m.slots {
		if in != vacant {
			known |= 1 << wordMemory(in)
		}
	}
	if m.w.taken {
		known |= 1 << m.w.cur
	}
	if bits.OnesCount8(known) != r.slots+r.spares {
		return "a block was left behind"
	}
	return ""
}
