package buffer

import "github.com/ingestd/ingestd/audio"

// Bounds is what can be read: from the oldest frame to the head. It may hold
// holes, so its length says nothing about how much is stored. With nothing
// stored it is empty and lies at the head; a Skip at the same time can let it
// begin in the hole that it makes.
func (r *Ring) Bounds() audio.Span {
	from := r.PosOf(r.oldest())
	r.chaos.at("R1")
	to := r.Head() // after from, so that it is not below it
	// A hole that is growing may reach beyond the head for an instant.
	return audio.Span{From: min(from, to), To: to}
}

// oldest is the number of the oldest frame stored.
func (r *Ring) oldest() int64 {
	r.chaos.at("R1")
	stored := r.Stored(r.Head())
	if stored == 0 {
		return 0
	}
	block := max(0, (stored-1)>>r.blockShift-r.count+1)
	if !r.holds(block) { // a Commit has swung the slot and not yet moved the head
		block++
	}
	return block << r.blockShift
}

// Stored is how many frames were stored before position at: at less all holes
// before it. Where the log has forgotten those, it is the number at the oldest
// hole that is known. At no time does it decrease with at.
func (r *Ring) Stored(at audio.Pos) int64 {
	s := r.log.find(int64(at), false)
	switch {
	case s.forgotten:
		return s.nextStored
	case !s.known:
		return int64(at)
	}
	return min(int64(at), s.from) - s.before + max(0, int64(at)-s.to)
}

// PosOf is the position of a stored frame by its number, the inverse of
// Stored: the first position behind all holes that lie before the frame. Where
// the log has forgotten those, it is that of the oldest frame whose position
// is known.
func (r *Ring) PosOf(stored int64) audio.Pos {
	s := r.log.find(stored, true)
	for s.forgotten {
		stored = s.nextStored
		s = r.log.find(stored, true)
	}
	return audio.Pos(stored + s.skipped())
}

// Stats is what a ring tells about itself. It is a snapshot: the fields need
// not belong to the very same instant.
type Stats struct {
	Capacity int64 // stored frames that can be read back at any time
	Bytes    int64 // memory taken for frames
	Window   int64 // stored frames that can be read now
	Stored   int64 // frames ever stored
	Skipped  int64 // positions ever skipped
	Holes    int64 // holes ever skipped, a growing one counted once
	Readers  int   // places taken
	Waiting  int   // readers that wait for frames
	Dropped  int64 // places that were dropped without being closed, ever
}

// Capacity is how many stored frames can be read back at any time.
func (r *Ring) Capacity() int64 { return (r.count - 1) << r.blockShift }

// Stats describes the ring now.
func (r *Ring) Stats() Stats {
	oldest := r.oldest()
	head := r.Head()
	stored := r.Stored(head)
	return Stats{
		Capacity: r.Capacity(),
		Bytes:    int64(len(r.slab)),
		Window:   stored - oldest,
		Stored:   stored,
		Skipped:  int64(head) - stored,
		Holes:    r.log.n.Load(),
		Readers:  r.demand.taken(),
		Waiting:  r.waits.waiting(),
		Dropped:  r.dropped.Load(),
	}
}
