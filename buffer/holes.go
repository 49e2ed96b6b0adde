package buffer

import (
	"math"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
)

// holeLog remembers the newest holes, so that positions can be translated
// into stored frames and back.
//
// The writer stores the words of an entry (K1), then the count (K2), then the
// head (K3). The head passes the beginning of a hole only in K3: who has
// loaded the head first and the count second knows every hole that begins
// below that head. Entry i is written anew only as entry i+L, after the count
// has become i+L; so words of it that were read before a count below i+L was
// loaded are its own. Hence L-1 entries can be used, not L.
//
// A hole grows by its end alone, which is why an entry holds what was skipped
// before it and not with it. No frame lies behind a hole that grows, and who
// has loaded a head beyond the old end loads the new end.
type holeLog struct {
	n       atomic.Int64 // holes ever logged
	chaos   chaos
	entries []entry // hole i is entries[i mod L]
}

type entry struct {
	from, to atomic.Int64 // its positions
	before   atomic.Int64 // frames skipped before it
	cause    atomic.Int64
}

func (l *holeLog) at(i int64) *entry { return &l.entries[uint64(i)%uint64(len(l.entries))] }

// begin is where hole i begins: its position, or the number of the first
// frame stored behind it.
func (l *holeLog) begin(i int64, stored bool) int64 {
	l.chaos.at("entry")
	e := l.at(i)
	if stored {
		return e.from.Load() - e.before.Load()
	}
	return e.from.Load()
}

// spot is what the log says about a position or a stored frame.
type spot struct {
	count int64 // holes logged when it was looked up
	known bool  // a hole begins at or before the place: the fields up to cause are the last such
	from  int64
	to    int64
	// before is what was skipped before that hole.
	before     int64
	cause      audio.Cause
	next       int64 // position of the hole after the place, or noHole
	nextStored int64 // the same in stored frames
	forgotten  bool  // the place lies before the oldest hole that is still known, next
}

// skipped is how many positions had been skipped at the end of the hole.
func (s *spot) skipped() int64 { return s.before + s.to - s.from }

// find returns the last hole that begins at or before a position, or before a
// stored frame, and the one after it. It starts over if an entry that it read
// may have been written anew meanwhile, which takes L-1 more holes.
func (l *holeLog) find(key int64, stored bool) spot {
	for {
		if s, least := l.look(key, stored); l.usable(least) { // the second look
			return s
		}
	}
}

// usable says whether all words of hole i and those after it that have been
// read up to now are theirs.
func (l *holeLog) usable(i int64) bool {
	l.chaos.at("R3")
	return i >= l.n.Load()-int64(len(l.entries))+1
}

// look does what find does, and returns the least entry that it has read.
func (l *holeLog) look(key int64, stored bool) (s spot, least int64) {
	l.chaos.at("R2")
	count := l.n.Load()
	first := max(0, count-int64(len(l.entries))+1)
	lo, hi := first, count // holes below lo begin at or before key, those from hi on after it
	least = count          // of the entries read; lo-1 and lo are among them
	for probe := count - 1; lo < hi; probe = lo + (hi-lo)/2 {
		least = min(least, probe)
		if l.begin(probe, stored) <= key {
			lo = probe + 1
		} else {
			hi = probe
		}
	}
	s = spot{count: count, next: noHole, nextStored: noHole}
	if s.known = lo > first; s.known {
		l.chaos.at("entry")
		e := l.at(lo - 1)
		s.from, s.to, s.before, s.cause = e.from.Load(), e.to.Load(), e.before.Load(), audio.Cause(e.cause.Load())
	}
	if lo < count {
		s.next, s.nextStored = l.begin(lo, false), l.begin(lo, true)
	}
	s.forgotten = !s.known && first > 0
	return s, least
}

// add logs the hole of m positions from head on. It belongs to the writer.
func (l *holeLog) add(head, stored, m int64, cause audio.Cause) {
	n := l.n.Load()
	e := l.at(n)
	l.chaos.at("K1")
	e.from.Store(head)
	l.chaos.at("K1 to")
	e.to.Store(head + m)
	l.chaos.at("K1 before")
	e.before.Store(head - stored)
	l.chaos.at("K1 cause")
	e.cause.Store(int64(cause))
	l.chaos.at("K2")
	l.n.Store(n + 1)
}

// grow moves the end of the newest hole to to. It belongs to the writer.
func (l *holeLog) grow(to int64) {
	l.chaos.at("grow")
	l.at(l.n.Load() - 1).to.Store(to)
}

const noHole = math.MaxInt64 // next, where no hole follows
