package buffer

// What a reader does in the model of waiting.

// choose is the select in Wait: each of its cases that is ready.
func (m *waitModel) choose(s waitState, who uint8, to step[waitState]) {
	if s.readers[who-1].token {
		t := s
		p := &t.readers[who-1]
		p.token = false
		m.back(&t, p, true)
		to(who, "select receives its token", t)
	}
	if s.kick {
		t := s
		t.kick = false
		t.readers[who-1].pc = wKicked
		to(who, "select receives the kick", t)
	}
	if s.readers[who-1].ended {
		t := s
		t.readers[who-1].pc = wLeave
		to(who, "select sees the context end", t)
	}
}

// back returns from Wait.
func (m *waitModel) back(s *waitState, p *waitReader, ok bool) {
	switch {
	case p.token:
		s.bad = strayToken
	case ok && s.head < p.want && !s.closed:
		s.bad = tooEarly
	}
	*p = waitReader{want: p.want, left: p.left}
}

// read takes the next step of a call, or returns "" if it is blocked.
func (m *waitModel) read(s *waitState, p *waitReader, who uint8) string {
	switch p.pc {
	case wClosed:
		if p.pc = wContext; s.closed {
			m.back(s, p, true)
		}
		return "Wait loads closed"
	case wContext:
		if p.pc = wAdd; p.ended {
			m.back(s, p, false)
		}
		return "Wait looks at the context"
	case wAdd, wKicked, wLeave:
		if s.lock != 0 {
			return ""
		}
		s.lock = who
		return m.locked(s, p, who)
	case wUnlock:
		s.lock = 0
		p.pc, p.then = p.then, 0
		if p.pc == 0 {
			m.back(s, p, false)
		}
		return "unlock"
	case wTold:
		if !p.token {
			return ""
		}
		p.token = false
		m.saw["told and cancelled at once"]++
		m.back(s, p, true)
		return "takes its token"
	}
	return m.rearm(s, p, who)
}

// locked does what follows the lock.
func (m *waitModel) locked(s *waitState, p *waitReader, who uint8) string {
	what := ""
	rearm := true
	switch p.pc {
	case wAdd:
		what = "lock, join the list"
		s.join(who)
		p.then, rearm = wSelect, !m.noRearmOnAdd
	case wKicked:
		what = "lock, as leader"
		p.then, rearm, p.leader = wSelect, !m.noRearmOnKick, true
	case wLeave:
		what = "lock, leave the list"
		switch {
		case m.staysListed:
			p.then, rearm = 0, false
		case s.drop(who):
			m.saw["a reader cancelled"]++
			p.then, rearm = 0, !m.noRearmOnLeave
		case m.tokenLeft:
			p.then, rearm = 0, false
		default:
			p.then, rearm = wTold, false
		}
	}
	if p.pc = wUnlock; rearm {
		p.pc = wHead
	}
	return what
}

// rearm takes the next step of rearm.
func (m *waitModel) rearm(s *waitState, p *waitReader, who uint8) string {
	switch p.pc {
	case wHead:
		p.head, p.pc = s.head, wShut
		return "rearm loads the head"
	case wShut:
		p.shut = s.closed && !m.closeUnseen
		p.pc = wTell
		if m.due(s, p, who) == 0 {
			p.pc = wLeast
		}
		return "rearm loads closed"
	case wTell:
		one := m.due(s, p, who)
		if s.readers[one-1].token {
			s.bad = toldTwice
		}
		s.readers[one-1].token = true
		switch {
		case p.leader && one != who:
			m.saw["a leader tells another"]++
		case p.shut:
			m.saw["told of the end"]++
		case one == who:
			m.saw["a reader tells itself"]++
		}
		if !m.keepsTold {
			s.drop(one)
		}
		if m.keepsTold || m.due(s, p, who) == 0 {
			p.pc = wLeast
		}
		return "rearm tells one"
	case wLeast:
		s.least = s.leastWanted()
		p.head, p.shut = 0, false
		if p.pc = wAgain; m.noSecondLook || m.leaderAlone && p.leader {
			p.pc, p.leader = wUnlock, false
		}
		return "rearm stores the least"
	}
	if p.pc = wUnlock; s.head >= s.leastWanted() {
		m.saw["a second look that finds more"]++
		p.pc = wHead
	} else {
		p.leader = false
	}
	return "rearm looks at the head again"
}

// due returns the next of the list that is due, or 0.
func (m *waitModel) due(s *waitState, p *waitReader, who uint8) uint8 {
	for _, one := range s.list {
		if m.leaderAlone && p.leader && one != who {
			continue
		}
		if one != 0 && (p.shut || s.readers[one-1].want <= p.head) {
			return one
		}
	}
	return 0
}

func (s *waitState) leastWanted() uint8 {
	least := uint8(never)
	for _, one := range s.list {
		if one != 0 {
			least = min(least, s.readers[one-1].want)
		}
	}
	return least
}

func (s *waitState) join(who uint8) {
	for i := range s.list {
		if s.list[i] == 0 {
			s.list[i] = who
			return
		}
	}
}

// drop takes who off the list, or returns false.
func (s *waitState) drop(who uint8) bool {
	for i, one := range s.list {
		if one == who {
			copy(s.list[i:], s.list[i+1:])
			s.list[len(s.list)-1] = 0
			return true
		}
	}
	return false
}
