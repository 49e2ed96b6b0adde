package buffer

// The model of pins: one writer; readers that copy, and that hold a view and
// copy besides. No holes: positions are numbers of stored frames.

type pinRules struct {
	memRules
	readers int
	pins    int // MaxPins
	writes  int // frames
	reads   int // calls of each reader
	room    int // frames that a copy has room for

	pastHead     bool // a copy is not cut at the head
	viewPastHead bool
	noLook       bool // Bounds do not look at the slot
	lossShort    bool // what is lost is told one block short
	forgetsView  bool // Release does not unpin
}

type pinState struct {
	mem
	readers [2]pinReader
	bad     blame
}

// What a reader of the model of pins is in.
const (
	idle = iota
	inCopy
	inHolds // Slice looks whether its first block is there
	inLend
	inRelease // of blocks, after which the call goes on as copier says
	inDuplicate
	inView  // reads what it has borrowed
	inOld   // Bounds
	inOldAt // Bounds has the head
	inTo    // Bounds has the oldest block
)

type pinReader struct {
	op, at, left uint8
	c            copier
	oldest       uint8 // block, for Bounds
	truth        uint8 // oldest frame when Bounds began
	view         pinView
}

// pinView is a view of blocks that are pinned.
type pinView struct {
	num, frames, blocks uint8
	words               [2]uint8
}

type pinModel struct {
	pinRules
	saw sights
}

func (m *pinModel) start() pinState {
	s := pinState{mem: newMem(&m.memRules)}
	for i := range m.readers {
		s.readers[i].left = uint8(m.reads)
	}
	return s
}

func (m *pinModel) fault(s pinState) string {
	for i := range s.readers {
		if s.conflict(&m.memRules, &s.readers[i].c) {
			return "bytes are read while they are written"
		}
	}
	return s.bad.String()
}

func (m *pinModel) rest(s pinState) string {
	blocks := 0
	for i := range s.readers {
		blocks += int(s.readers[i].view.blocks)
	}
	return s.balance(&m.memRules, blocks)
}

func (m *pinModel) events(s pinState, to step[pinState]) {
	if s.w.pc == 0 {
		for n := 1; n <= m.frames-int(s.w.stored)%m.frames && int(s.w.stored)+n <= m.writes; n++ {
			t := s
			t.w.room = uint8(n)
			m.write(t, to)
		}
	}
	if s.filled(&m.memRules) {
		m.saw["a room reserved again"]++
		t := s
		t.w.pc, t.w.room = 0, 0
		to(0, "nothing to commit", t)
	}
	for i := range m.readers {
		if s.readers[i].op == idle {
			m.call(s, i, to)
		}
	}
}

func (m *pinModel) steps(s pinState, to step[pinState]) {
	if s.w.pc != 0 {
		m.write(s, to)
	}
	for i := range m.readers {
		if s.readers[i].op != idle {
			t := s
			what := m.read(&t, &t.readers[i])
			to(uint8(i+1), what, t)
		}
	}
}

func (m *pinModel) write(t pinState, to step[pinState]) {
	what, b := t.mem.write(&m.memRules)
	t.bad = b
	switch {
	case t.w.pc == 1:
		m.saw["a block held back"]++
	case t.w.pc == 2 && t.data[t.w.cur][0] != 0:
		m.saw["a block used again"]++
	}
	to(0, what, t)
}

// call begins the calls that reader i can make.
func (m *pinModel) call(s pinState, i int, to step[pinState]) {
	if v := &s.readers[i].view; v.blocks > 0 {
		t := s
		p := &t.readers[i]
		p.op, p.c = inView, copier{pc: cReading, num: v.num, room: v.frames, word: v.words[0]}
		to(uint8(i+1), "read of the view begins", t)
	}
	if p := &s.readers[i]; p.left == 0 || p.at >= s.head {
		return
	}
	t := s
	p := &t.readers[i]
	p.left--
	room := min(uint8(m.room), t.head-p.at)
	if m.pastHead {
		room = uint8(m.room)
	}
	p.op, p.c = inCopy, copier{pc: cSlot, num: p.at, room: room}
	to(uint8(i+1), "Copy loads the head", t)
	if m.pins == 0 || p.view.blocks > 0 {
		return
	}
	room = (p.at/uint8(m.frames)+uint8(m.pins))*uint8(m.frames) - p.at
	if !m.viewPastHead {
		room = min(room, t.head-p.at)
	}
	p.op, p.c.room = inHolds, room
	to(uint8(i+1), "Slice loads the head", t)
}

// read takes the next step of a call.
func (m *pinModel) read(s *pinState, p *pinReader) string {
	switch p.op {
	case inHolds:
		p.op = inLend
		block := p.c.num / uint8(m.frames)
		if in := *s.slot(&m.memRules, block); in == vacant || wordBlock(in) != block {
			p.op, p.c = inOld, copier{}
		}
		return "Slice looks at the slot"
	case inRelease:
		return m.release(s, p)
	case inView:
		return m.look(s, p)
	case inOld, inOldAt, inTo:
		return m.bounds(s, p)
	}
	what, o, b := s.mem.read(&m.memRules, &p.c, p.op == inLend)
	s.bad = b
	if p.c.pc == cGive {
		m.saw["a pin in vain"]++
	}
	switch o {
	case held:
		m.lend(p)
	case whole:
		m.finish(p)
	case gone:
		m.fails(p)
	}
	return what
}

// lend has pinned one more block for the view.
func (m *pinModel) lend(p *pinReader) {
	_, _, some := p.c.part(&m.memRules)
	v := &p.view
	v.num, v.frames = p.c.num, p.c.room
	v.words[v.blocks] = p.c.word
	v.blocks++
	p.c.done += some
	p.c.word, p.c.pc = 0, cSlot
	if p.c.done == p.c.room {
		m.saw["a view held"]++
		p.op, p.c = idle, copier{}
	}
}

// look reads what the view holds, block by block.
func (m *pinModel) look(s *pinState, p *pinReader) string {
	if p.c.pc == cRead {
		p.c.pc = cReading
		return "read of the view begins"
	}
	s.bad = s.compare(&m.memRules, &p.c)
	_, _, some := p.c.part(&m.memRules)
	p.c.done += some
	if p.c.done < p.c.room {
		p.c.pc, p.c.word = cRead, p.view.words[1]
		return "read of the view ends"
	}
	p.op, p.c = inRelease, copier{}
	return "read of the view ends"
}

// release unpins one block of the view.
func (m *pinModel) release(s *pinState, p *pinReader) string {
	v := &p.view
	v.blocks--
	if !m.forgetsView {
		s.pins[wordMemory(v.words[v.blocks])]--
	}
	v.words[v.blocks] = 0
	if v.blocks == 0 {
		*v = pinView{}
		p.op = idle
		if p.c.room > 0 {
			p.op = inDuplicate
		}
	}
	return "release unpins"
}

// fails decides what follows a block that is gone.
func (m *pinModel) fails(p *pinReader) {
	c := p.c
	p.c = copier{}
	switch {
	case p.op == inLend:
		p.op, p.c = inDuplicate, copier{pc: cSlot, num: c.num, room: c.room}
		if p.view.blocks > 0 {
			m.saw["a view given up halfway"]++
			p.op = inRelease
		}
	case p.op == inCopy && c.done > 0:
		m.saw["a copy cut short"]++
		p.op = idle
		p.at += c.done
	default:
		p.op = inOld
	}
}

// finish ends a call that was served by copying.
func (m *pinModel) finish(p *pinReader) {
	if p.op == inCopy {
		p.at += p.c.done
		if p.view.blocks > 0 {
			m.saw["a copy besides a view"]++
		}
	}
	p.op, p.c = idle, copier{}
}

// bounds tells what is lost from p.at on.
func (m *pinModel) bounds(s *pinState, p *pinReader) string {
	frames := uint8(m.frames)
	switch p.op {
	case inOld:
		p.truth = s.oldest(&m.memRules)
		p.oldest = uint8(max(0, int(s.head-1)/m.frames-m.slots+1))
		if p.op = inOldAt; m.noLook {
			p.op = inTo
		}
		return "Bounds load the head"
	case inOldAt:
		if in := *s.slot(&m.memRules, p.oldest); in == vacant || wordBlock(in) != p.oldest {
			p.oldest++
		}
		p.op = inTo
		return "Bounds look at the slot"
	}
	to := max(p.at+1, min(p.oldest*frames, s.head))
	if m.lossShort {
		to = max(p.at+1, min(p.oldest*frames, s.head)-frames)
	}
	for frame := p.at; frame < to; frame++ {
		if !s.overwritten(&m.memRules, frame) {
			s.bad = lostWrongly
		}
	}
	if to < p.truth {
		s.bad = lostTooLittle
	}
	m.saw["an overrun"]++
	if to == s.head {
		m.saw["a loss up to the head"]++
	}
	p.op, p.at, p.oldest, p.truth = idle, to, 0, 0
	return "Bounds load the head again"
}

func pinSize(slots, frames, readers, pins, writes, reads, room int) pinRules {
	return pinRules{memRules: size(slots, frames, readers, pins), readers: readers, pins: pins, writes: writes, reads: reads, room: room}
}
