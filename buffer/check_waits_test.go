package buffer

// The model of waiting: the writer commits and closes; readers wait for heads
// under contexts that may end.

type waitRules struct {
	readers int // at most 3
	calls   int // of Wait, of each reader
	heads   int // commits of one frame
	cancels int // readers whose context may end

	noSecondLook   bool // rearm does not load the head again
	leastFirst     bool // the writer loads the least before it stores the head
	noRearmOnAdd   bool
	noRearmOnKick  bool
	noRearmOnLeave bool
	leaderAlone    bool // who is kicked tells nobody else
	staysListed    bool // who leaves stays in the list
	keepsTold      bool // who is told stays in the list
	tokenLeft      bool // who leaves and has been told does not take the token
	greater        bool // the writer kicks when the head is above the least
	closeUnseen    bool // rearm does not load closed
	closeQuiet     bool // Close kicks nobody
	closeLate      bool // Close kicks before it stores closed
	kickNoRoom     bool // a kick that nobody receives is lost
}

const never = 0xff // least, where nobody waits

type waitState struct {
	head, least, lock uint8 // lock is the reader that holds it, from 1 on
	closed, kick      bool
	list              [3]uint8 // readers from 1 on, in order
	pc, known         uint8    // of the writer, and the least it has loaded too early
	readers           [3]waitReader
	bad               waitBlame
}

// Where the writer is.
const (
	writes = iota + 1 // the head
	notifies
	kicks
	closes
	closesLate
)

// Where a call of Wait is.
const (
	wClosed  = iota + 1 // the head was too low
	wContext            // and the ring open
	wAdd
	wHead // rearm, with the lock held
	wShut
	wTell
	wLeast
	wAgain
	wUnlock
	wSelect
	wKicked
	wLeave
	wTold // its token is on the way
)

// waitReader is a reader in Wait. Outside of it pc is 0.
type waitReader struct {
	pc, then, want, left uint8
	head                 uint8 // that rearm has loaded
	shut                 bool
	token, ended, leader bool
}

type waitBlame uint8

const (
	toldTwice waitBlame = iota + 1
	strayToken
	tooEarly
)

func (b waitBlame) String() string {
	return [...]string{"", "a reader was told twice", "a token was left behind", "Wait returned too early"}[b]
}

type waitModel struct {
	waitRules
	saw sights
}

func (m *waitModel) start() waitState {
	s := waitState{least: never}
	for i := range m.readers {
		s.readers[i].left = uint8(m.calls)
	}
	return s
}

func (m *waitModel) fault(s waitState) string { return s.bad.String() }

// rest finds lost wake-ups: nothing can go on, and somebody waits for what has
// come.
func (m *waitModel) rest(s waitState) string {
	waiting := 0
	for i := range m.readers {
		switch p := &s.readers[i]; {
		case p.pc == wSelect && (s.closed || p.want <= s.head):
			return "a reader sleeps although its frames have come"
		case p.pc == wSelect:
			waiting++
		case p.pc != 0:
			return "a reader is stuck"
		case p.token:
			return "a token was left behind"
		}
	}
	listed := 0
	for listed < len(s.list) && s.list[listed] != 0 {
		listed++
	}
	switch {
	case s.lock != 0:
		return "the lock is held"
	case listed != waiting:
		return "the list is not of those who wait"
	case listed == 0 && s.least != never:
		return "the writer is asked to kick for nobody"
	}
	return ""
}

func (m *waitModel) events(s waitState, to step[waitState]) {
	if s.pc == 0 && !s.closed {
		t := s
		t.pc = closes
		m.write(t, to)
		if int(s.head) < m.heads {
			t.pc = writes
			m.write(t, to)
		}
	}
	for i := range m.readers {
		t := s
		p := &t.readers[i]
		switch {
		case p.pc != 0 && !p.ended && i < m.cancels:
			p.ended = true
			to(uint8(i+1), "the context ends", t)
		case p.pc == 0 && p.left > 0:
			p.left--
			for p.want++; int(p.want) <= m.heads+1; p.want++ {
				if p.pc = wClosed; s.head >= p.want {
					p.pc = 0
				}
				to(uint8(i+1), "Wait loads the head", t)
			}
		}
	}
}

func (m *waitModel) steps(s waitState, to step[waitState]) {
	if s.pc != 0 {
		m.write(s, to)
	}
	for i := range m.readers {
		who := uint8(i + 1)
		switch s.readers[i].pc {
		case 0:
		case wSelect:
			m.choose(s, who, to)
		default:
			t := s
			if what := m.read(&t, &t.readers[i], who); what != "" {
				to(who, what, t)
			}
		}
	}
}

// write takes the next step of the writer.
func (m *waitModel) write(s waitState, to step[waitState]) {
	what := ""
	switch s.pc {
	case writes:
		if what = "H store the head"; m.leastFirst && s.known == 0 {
			s.known = s.least
			to(0, "notify loads the least", s)
			return
		}
		s.head++
		if s.pc = notifies; m.leastFirst {
			m.compare(&s, s.known)
			s.known = 0
		}
	case notifies:
		what = "notify loads the least"
		m.compare(&s, s.least)
	case kicks:
		what = "kick"
		receives := false
		for i := range m.readers {
			receives = receives || s.readers[i].pc == wSelect
		}
		s.kick = s.kick || receives || !m.kickNoRoom
		s.pc = 0
	case closes:
		what = "store closed"
		if m.closeLate {
			s.kick, s.pc = true, closesLate
			to(0, "kick", s)
			return
		}
		s.closed = true
		if s.pc = kicks; m.closeQuiet {
			s.pc = 0
		}
	case closesLate:
		what = "store closed"
		s.closed, s.pc = true, 0
	}
	to(0, what, s)
}

func (m *waitModel) compare(s *waitState, least uint8) {
	s.pc = 0
	if s.head > least || s.head == least && !m.greater {
		s.pc = kicks
	}
}
