package buffer

// What the reader does in the model of holes, where it is more than one step.

// lookUp uses what the place remembers, or begins a search.
func (m *holeModel) lookUp(s *holeState, p *holeReader) {
	at, count := p.at, s.n
	if p.second {
		at = p.end
	}
	if p.early > 0 {
		count = p.early - 1
	}
	if (count == p.count || m.cacheBlind && p.count != none) && at >= p.since {
		m.saw["a place that remembers"]++
		m.located(s, p, at-p.skipped, p.head)
		return
	}
	p.find(thenLocate, at)
}

// found goes on with what find has returned.
func (m *holeModel) found(s *holeState, p *holeReader) {
	f := p.f
	p.f = finder{}
	known, forgotten := f.known(&m.logRules), f.forgotten(&m.logRules)
	if m.forgets {
		forgotten = false
	}
	inHole := known && (f.key < f.to || m.toInHole && f.key == f.to)
	switch f.then {
	case thenLocate:
		switch {
		case forgotten:
			m.saw["a position forgotten"]++
			m.lost(s, p, f.next, over)
		case inHole:
			m.lost(s, p, f.to, f.cause)
		default:
			if f.next == none || m.cacheEarly || m.cacheAtHead && f.next >= p.head {
				p.count, p.since, p.skipped = f.count, f.to, f.skipped()
			}
			end := min(p.head, f.next)
			if m.pastHole {
				end = p.head
			}
			m.located(s, p, f.key-f.skipped(), end)
		}
	case thenStored:
		m.oldestBlock(p, storedBefore(m, &f, known, forgotten))
	case thenPos:
		if forgotten {
			p.find(thenPos, f.nextStored)
			return
		}
		p.oldest, p.pc = f.key+f.skipped(), hTo
	case thenOver:
		to, cause := min(p.oldest, f.next), uint8(over)
		if m.overHole {
			to = p.oldest
		}
		switch {
		case forgotten:
			to = f.next
		case inHole:
			to, cause = f.to, f.cause
		}
		m.judge(s, p, p.at, to, cause)
	}
}

// storedBefore is what Stored makes of what find has returned for a position.
func storedBefore(m *holeModel, f *finder, known, forgotten bool) uint8 {
	at := int(f.key)
	switch {
	case forgotten:
		return f.nextStored
	case !known:
		return f.key
	case m.growingSound:
		return uint8(max(0, at-int(f.skipped())))
	}
	return uint8(min(at, int(f.from)) - int(f.before) + max(0, at-int(f.to)))
}

// located goes on with a position that is sound.
func (m *holeModel) located(s *holeState, p *holeReader, num, end uint8) {
	if p.second {
		s.bad = holeBlame(noSuchLoss)
		return
	}
	p.num, p.end = num, end
	if p.call == callSlice {
		p.pc = hHolds
		return
	}
	p.pc, p.c = hRead, copier{pc: cSlot, num: num, room: min(p.room, end-p.at)}
}

// lost goes on with a loss that the log tells.
func (m *holeModel) lost(s *holeState, p *holeReader, to, cause uint8) {
	switch {
	case !p.second:
		m.judge(s, p, p.at, to, cause)
	case cause == over:
		p.pc = hOld
	default:
		m.judge(s, p, p.end, to, cause)
	}
}

// holds is the first look of Slice at the slot, and what follows.
func (m *holeModel) holds(s *holeState, p *holeReader) {
	in := *s.slot(&m.memRules, p.num)
	switch to := p.at + p.room; {
	case in == vacant || wordBlock(in) != p.num:
		p.pc = hOld
	case to > p.end && p.end == p.head:
		m.saw["a slice in the future"]++
		p.finish(p.at)
	case to > p.end:
		p.second, p.pc = true, hCache
	default:
		p.pc, p.c = hRead, copier{pc: cSlot, num: p.num, room: p.room}
	}
}

// copy takes the next step of reading.
func (m *holeModel) copy(s *holeState, p *holeReader) string {
	if p.c.pc == cReading && s.truth[p.at+p.c.done] != p.num+p.c.done+1 {
		s.bad = holeBlame(wrongFrame)
		return "read ends"
	}
	what, o, b := s.mem.read(&m.memRules, &p.c, false)
	if b != noBlame {
		s.bad = holeBlame(b)
	}
	switch {
	case o == whole && p.call == callCopy:
		p.finish(p.at + p.c.done)
	case o == whole:
		m.saw["a slice"]++
		p.finish(p.at)
	case o == gone && p.call == callCopy && p.c.done > 0:
		p.finish(p.at + p.c.done)
	case o == gone:
		p.pc, p.c = hOld, copier{}
	}
	return what
}

// bounds is the first step of Bounds.
func (m *holeModel) bounds(s *holeState, p *holeReader) {
	p.truth = m.oldestKnown(s)
	p.blank = p.truth == s.head
	p.find(thenStored, s.head)
}

// oldestKnown is the oldest position that can be read, or the head.
func (m *holeModel) oldestKnown(s *holeState) (at uint8) {
	for at < s.head && m.isLost(s, at) {
		at++
	}
	return at
}

// asking says whether Bounds is under way.
func (p *holeReader) asking() bool {
	return p.pc == hOldAt || p.pc == hTo || p.pc == hFind && (p.f.then == thenStored || p.f.then == thenPos)
}

// oldestBlock goes on with how many frames are stored.
func (m *holeModel) oldestBlock(p *holeReader, stored uint8) {
	if stored == 0 {
		p.find(thenPos, 0)
		return
	}
	p.oldest, p.pc = uint8(max(0, int(stored)-m.slots)), hOldAt
}

// boundsKnown is the end of Bounds.
func (m *holeModel) boundsKnown(s *holeState, p *holeReader) {
	from := min(p.oldest, s.head)
	if m.noClip {
		from = p.oldest
	}
	for at := range from {
		if !m.isLost(s, at) {
			s.bad = boundsShort
		}
	}
	switch {
	case from > s.head:
		s.bad = boundsTurned
	case from < p.truth:
		s.bad = boundsLong
	case from < s.head && !p.blank && s.truth[from] >= hole:
		s.bad = boundsInHole
	}
	p.blank = false
	if p.call == callBounds {
		m.saw["bounds"]++
		p.finish(p.at)
		return
	}
	p.oldest = max(p.at+1, from)
	p.find(thenOver, p.at)
}

// forgottenBefore is the position before which the log knows nothing.
func (m *holeModel) forgottenBefore(s *holeState) uint8 {
	first := max(int(s.n)-m.holes+1, 0)
	if first == 0 {
		return 0
	}
	return s.entries[first%m.holes].from
}

// isLost says whether position at is no sound that can be read.
func (m *holeModel) isLost(s *holeState, at uint8) bool {
	t := s.truth[at]
	return t >= hole || at < m.forgottenBefore(s) || t > 0 && s.overwritten(&m.memRules, t-1)
}

// judge looks whether a loss was told right, and goes on behind it.
func (m *holeModel) judge(s *holeState, p *holeReader, from, to, cause uint8) {
	known := m.forgottenBefore(s)
	if to <= from || to > chart {
		s.bad = holeBlame(noSuchLoss)
		return
	}
	for at := from; at < to; at++ {
		t := s.truth[at]
		switch {
		case cause != over && t != hole|cause, cause == over && t == 0:
			s.bad = holeBlame(noSuchLoss)
		case cause == over && t >= hole && at >= known:
			s.bad = holeBlame(noSuchLoss)
		case !m.isLost(s, at):
			s.bad = holeBlame(lostWrongly)
		}
	}
	begins := to < chart && s.truth[to] >= hole && s.truth[to] != s.truth[to-1]
	switch {
	case cause != over:
		m.saw["a hole"]++
		if to < p.head && s.truth[to] == hole|cause {
			s.bad = holeBlame(lostTooLittle)
		}
	case begins:
		m.saw["an overrun up to a hole"]++
	default:
		m.saw["an overrun"]++
		if p.oldest == 0 || to < p.truth {
			s.bad = holeBlame(lostTooLittle)
		}
	}
	if s.bad == 0 && p.call == callCopy {
		p.finish(to)
	} else if s.bad == 0 {
		p.finish(p.at)
	}
}
