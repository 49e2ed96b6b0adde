package buffer

// The model of holes and pins together: one writer that commits and skips; one
// reader that copies, slices and asks for the bounds.

type holeRules struct {
	memRules
	logRules
	ops    int // frames and skips of the writer
	longs  int // longest skip
	causes int
	calls  int
	room   int
	slices bool // the reader also calls Slice
	asks   bool // and Bounds

	headLate     bool // locate loads the count before the head
	toInHole     bool // the position To of a hole is taken for the hole
	cacheBlind   bool // the cache is used although there are new holes
	cacheEarly   bool // the cache is filled although a hole follows
	cacheAtHead  bool // the same if the stretch ends at the head
	forgets      bool // a forgotten position is read as if no hole had been
	pastHole     bool // a stretch does not end at the next hole
	overHole     bool // an overrun runs through holes
	noLook       bool // Bounds do not look at the slot
	growingSound bool // Stored takes what a hole has grown by for sound
	noClip       bool // Bounds may begin behind the head
}

type holeState struct {
	mem
	logState
	ops uint8
	r   holeReader
	bad holeBlame
}

type holeBlame uint8

const (
	boundsShort holeBlame = iota + holeBlame(noSuchLoss) + 1
	boundsLong
	boundsInHole
	boundsTurned
)

func (b holeBlame) String() string {
	if b <= holeBlame(noSuchLoss) {
		return blame(b).String()
	}
	return [...]string{"Bounds leave out what can be read", "Bounds hold what is lost", "Bounds begin in a hole", "Bounds end before they begin"}[b-boundsShort]
}

// Calls of the reader.
const (
	callCopy = iota + 1
	callSlice
	callBounds
)

// Where a call is.
const (
	hHead = iota + 1
	hCache
	hFind
	hHolds
	hRead
	hOld
	hOldAt
	hTo
)

// What find was called for.
const (
	thenLocate = iota
	thenStored
	thenPos
	thenOver
)

type holeReader struct {
	pc, call, left uint8
	at, room       uint8
	head           uint8 // loaded first
	end            uint8 // of the stretch
	second         bool  // the end of the stretch is located
	num            uint8 // number of the frame at at
	early          uint8 // count that was loaded before the head, plus 1; 0 is none
	oldest         uint8 // block, then frame, then position
	truth          uint8 // oldest position when Bounds began, or the head
	blank          bool  // nothing could be read then or later: Bounds may begin at a hole that has come since
	count          uint8 // the cache
	since, skipped uint8
	f              finder
	c              copier
}

type holeModel struct {
	holeRules
	saw sights
}

func (m *holeModel) start() holeState {
	return holeState{mem: newMem(&m.memRules), ops: uint8(m.ops), r: holeReader{left: uint8(m.calls), count: none}}
}

func (m *holeModel) fault(s holeState) string {
	if s.conflict(&m.memRules, &s.r.c) {
		return "bytes are read while they are written"
	}
	return s.bad.String()
}

func (m *holeModel) rest(s holeState) string { return s.balance(&m.memRules, 0) }

func (m *holeModel) events(s holeState, to step[holeState]) {
	if s.ops > 0 && s.skip.pc == 0 && s.w.pc == 0 {
		t := s
		t.ops--
		t.w.room = 1
		m.write(t, to)
	}
	if s.ops > 0 && s.skip.pc == 0 && (s.w.pc == 0 || s.filled(&m.memRules)) {
		for frames := 1; frames <= m.longs && int(s.head)+frames+int(s.w.room) <= chart; frames++ {
			for cause := range m.causes {
				t := s
				t.ops--
				t.beginSkip(&m.logRules, t.head, uint8(frames), uint8(cause))
				if t.skip.grown {
					m.saw["a hole grows"]++
				}
				if t.w.pc != 0 {
					m.saw["a skip between fill and Commit"]++
				}
				m.write(t, to)
			}
		}
	}
	if s.r.pc == 0 && s.r.left > 0 {
		m.begin(s, to)
	}
}

func (m *holeModel) steps(s holeState, to step[holeState]) {
	if s.w.pc != 0 || s.skip.pc != 0 {
		m.write(s, to)
	}
	if s.r.pc != 0 {
		what := m.read(&s, &s.r)
		to(1, what, s)
	}
}

// write takes the next step of the writer.
func (m *holeModel) write(t holeState, to step[holeState]) {
	if t.skip.pc != 0 {
		what := t.skipStep(&m.logRules, &t.mem)
		t.r.blank = t.r.blank || t.r.asking() && m.oldestKnown(&t) == t.head
		to(0, what, t)
		return
	}
	if t.mem.phase(&m.memRules) == doPublish {
		t.truth[t.head] = t.w.stored + 1
		t.skip.grows = t.skip.grows && m.growsOver
	}
	what, b := t.mem.write(&m.memRules)
	t.bad = holeBlame(b)
	t.r.blank = t.r.blank || t.r.asking() && m.oldestKnown(&t) == t.head
	if t.w.pc == 2 && t.data[t.w.cur][0] != 0 {
		m.saw["a block used again"]++
	}
	to(0, what, t)
}

// begin begins the calls that the reader can make.
func (m *holeModel) begin(s holeState, to step[holeState]) {
	s.r.left--
	for call := uint8(callCopy); call <= callBounds; call++ {
		if call == callSlice && !m.slices || call == callBounds && !m.asks {
			continue
		}
		t := s
		p := &t.r
		p.call, p.room = call, uint8(m.room)
		switch {
		case call == callBounds:
			p.room = 0
			m.bounds(&t, p)
			to(1, "Bounds load the head", t)
		case m.headLate:
			p.early, p.pc = s.n+1, hHead
			to(1, "R2 the count too early", t)
		case s.head > p.at:
			p.head, p.pc = s.head, hCache
			to(1, "R1 the head", t)
		}
	}
}

// finish ends the call; the next begins at to.
func (p *holeReader) finish(to uint8) {
	*p = holeReader{left: p.left, at: to, count: p.count, since: p.since, skipped: p.skipped}
}

// find begins a search in the log.
func (p *holeReader) find(then, key uint8) {
	p.pc, p.f = hFind, finder{pc: fCount, then: then, key: key, stored: then == thenPos}
	if p.early > 0 && then == thenLocate {
		p.f.early, p.f.count = true, p.early-1
	}
}

// read takes the next step of the call.
func (m *holeModel) read(s *holeState, p *holeReader) string {
	switch p.pc {
	case hHead:
		if p.head, p.pc = s.head, hCache; p.head <= p.at {
			p.finish(p.at)
		}
		return "the head"
	case hCache:
		m.lookUp(s, p)
		return "the count, for what is remembered"
	case hFind:
		what := s.findStep(&m.logRules, &p.f)
		switch p.f.pc {
		case fDone:
			m.found(s, p)
		case fCount:
			m.saw["a search that starts over"]++
		}
		return what
	case hHolds:
		m.holds(s, p)
		return "Slice looks at the slot"
	case hRead:
		return m.copy(s, p)
	case hOld:
		m.bounds(s, p)
		return "Bounds load the head"
	case hOldAt:
		block := p.oldest
		if in := *s.slot(&m.memRules, block); !m.noLook && (in == vacant || wordBlock(in) != block) {
			block++
		}
		p.oldest = 0
		p.find(thenPos, block)
		return "Bounds look at the slot"
	}
	m.boundsKnown(s, p)
	return "Bounds load the head again"
}
