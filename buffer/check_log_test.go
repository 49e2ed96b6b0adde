package buffer

// What the log of holes is in the model: the writer's Skip, and a reader's way
// through find.

// logRules are the size of the log, and what a broken variant does otherwise.
type logRules struct {
	holes int // entries: 2 or 3

	adds  [6]int // words of a new hole, in the order in which they are stored
	grows [2]int // the same of a hole that grows

	beforeWith    bool // Before includes the hole itself
	growsOver     bool // a hole grows over frames
	growsAnyCause bool // a hole grows over another cause
	noSecondLook  bool // find does not load the count again
	allUsable     bool // all entries are used, not all but one
	afterOnly     bool // find takes holes that begin before the position, not at it
}

// words that Skip stores.
const (
	kFrom = iota
	kTo
	kBefore
	kCause
	kCount
	kHead
)

func logSize(holes int) logRules {
	return logRules{holes: holes, adds: [6]int{kFrom, kTo, kBefore, kCause, kCount, kHead}, grows: [2]int{kTo, kHead}}
}

// holeWords is an entry of the log.
type holeWords struct{ from, to, before, cause uint8 }

// skipper is the writer in Skip. Outside of it pc is 0.
type skipper struct {
	pc, frames, cause uint8
	head, entry       uint8 // when Skip began
	grown             bool  // the Skip under way makes a hole grow
	grows             bool  // nothing was committed since the newest hole
	last              uint8 // cause of that
}

// A position is known as 0 before anything is there, as a frame by its number
// plus 1, or as a hole.
const (
	hole  = 0x80 // plus its cause
	over  = 0x7f // the cause of a loss that is no hole
	none  = 0xff // position of the next hole, where none follows
	chart = 12   // positions at most
)

// holeLog of the model, and what the writer keeps about it.
type logState struct {
	n       uint8
	entries [3]holeWords
	skip    skipper
	truth   [chart]uint8
}

// beginSkip begins Skip(frames, cause) at head.
func (s *logState) beginSkip(r *logRules, head, frames, cause uint8) {
	k := &s.skip
	k.pc, k.frames, k.cause, k.head = 1, frames, cause, head
	k.entry = s.n % uint8(r.holes)
	if k.grown = k.grows && (k.last == cause || r.growsAnyCause); k.grown {
		k.entry = (s.n - 1) % uint8(r.holes)
	}
	for i := range frames {
		s.truth[head+i] = hole | cause
	}
}

// skipStep takes the next step of Skip.
func (s *logState) skipStep(r *logRules, m *mem) (what string) {
	k := &s.skip
	words := r.adds[:]
	if k.grown {
		words = r.grows[:]
	}
	e := &s.entries[k.entry]
	switch words[k.pc-1] {
	case kFrom:
		what = "K1 from"
		e.from = k.head
	case kTo:
		what = "K1 to"
		e.to = k.head + k.frames
	case kBefore:
		what = "K1 before"
		if e.before = k.head - m.w.stored; r.beforeWith {
			e.before += k.frames
		}
	case kCause:
		what = "K1 cause"
		e.cause = k.cause
	case kCount:
		what = "K2 the count"
		s.n++
	case kHead:
		what = "K3 the head"
		m.head += k.frames
	}
	if k.pc++; int(k.pc) > len(words) {
		*k = skipper{grows: true, last: k.cause}
	}
	return what
}

// A finder is a reader in find. Outside of it pc is 0.
type finder struct {
	pc     uint8
	then   uint8 // what the caller does with it
	key    uint8
	stored bool // key is the number of a frame
	early  bool // the count was loaded before the head

	count, lo, hi, least, probe uint8
	from, to, before, cause     uint8 // of the hole found
	next, nextStored            uint8
}

const (
	fCount = iota + 1
	fProbe
	fProbeBefore
	fFrom
	fTo
	fBefore
	fCause
	fNext
	fNextFrom
	fNextBefore
	fAgain
	fDone
)

func (r *logRules) first(count uint8) uint8 {
	usable := uint8(r.holes) - 1
	if r.allUsable {
		usable++
	}
	return max(count, usable) - usable
}

func (f *finder) known(r *logRules) bool     { return f.lo > r.first(f.count) }
func (f *finder) forgotten(r *logRules) bool { return !f.known(r) && r.first(f.count) > 0 }
func (f *finder) skipped() uint8             { return f.before + f.to - f.from }

// findStep takes the next step of find, which is over in fDone. Words that the
// caller does not use are not loaded.
func (s *logState) findStep(r *logRules, f *finder) (what string) {
	e := &s.entries[f.probe%uint8(r.holes)]
	if f.pc >= fFrom {
		e = &s.entries[(f.lo-1)%uint8(r.holes)]
	}
	if f.pc >= fNext {
		e = &s.entries[f.lo%uint8(r.holes)]
	}
	switch f.pc {
	case fCount:
		what = "R2 the count"
		if !f.early {
			f.count = s.n
		}
		f.lo, f.hi, f.least, f.probe, f.early = r.first(f.count), f.count, f.count, f.count-1, false
		f.search(r)
	case fProbe:
		what = "from of a hole"
		f.least = min(f.least, f.probe)
		if f.from = e.from; f.stored {
			f.pc = fProbeBefore
		} else {
			f.narrow(r, int8(f.from))
		}
	case fProbeBefore:
		what = "before of a hole"
		f.narrow(r, int8(f.from-e.before))
	case fFrom:
		what = "from"
		f.from, f.pc = e.from, fTo
	case fTo:
		what = "to"
		f.to, f.pc = e.to, fBefore
	case fBefore:
		what = "before"
		f.before, f.pc = e.before, fCause
		if f.then == thenStored || f.then == thenPos {
			f.rest()
		}
	case fCause:
		what = "cause"
		f.cause = e.cause
		f.rest()
	case fNext:
		what = "from of the next hole"
		f.next = e.from
		if f.pc = fAgain; f.forgotten(r) && (f.then == thenStored || f.then == thenPos) {
			f.pc = fNextFrom
		}
	case fNextFrom:
		what = "from of the next hole"
		f.nextStored, f.pc = e.from, fNextBefore
	case fNextBefore:
		what = "before of the next hole"
		f.nextStored, f.pc = f.nextStored-e.before, fAgain
	case fAgain:
		what = "R3 the count again"
		if f.pc = fDone; f.least < r.first(s.n) {
			*f = finder{pc: fCount, then: f.then, key: f.key, stored: f.stored}
		}
	}
	if f.pc == fAgain && r.noSecondLook {
		f.pc = fDone
	}
	return what
}

// narrow halves what is left, by where the hole that was looked at begins.
func (f *finder) narrow(r *logRules, begin int8) {
	f.from = 0
	if begin < int8(f.key) || begin == int8(f.key) && !r.afterOnly {
		f.lo = f.probe + 1
	} else {
		f.hi = f.probe
	}
	f.probe = f.lo + (f.hi-f.lo)/2
	f.search(r)
}

// search decides what is loaded next.
func (f *finder) search(r *logRules) {
	switch f.next, f.nextStored = none, none; {
	case f.lo < f.hi:
		f.pc = fProbe
		return
	case f.known(r):
		f.pc = fFrom
	default:
		f.rest()
	}
	f.probe, f.hi = 0, 0
}

// rest goes on behind the words of the hole found.
func (f *finder) rest() {
	if f.pc = fAgain; f.lo < f.count {
		f.pc = fNext
	}
}
