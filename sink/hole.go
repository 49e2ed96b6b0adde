package sink

import "github.com/ingestd/ingestd/audio"

// Hole is a hole as blocks.jsonl has it: positions count frames since the
// session began.
type Hole struct {
	From   int64       `json:"from"`
	Frames int64       `json:"frames"`
	Cause  audio.Cause `json:"cause"`
}

// maxHoles is how many holes are told one by one before a chunk, or before the
// end. A header has room for so many, and there are fewer causes than that.
const maxHoles = 16

// addHole adds a hole behind others. One that touches the last, and has its
// cause, makes that longer. Where there would be more than maxHoles, those of
// a cause are joined from then on, so that a disk that is full for hours does
// not make more of them than can be told: what is missing is in them as before,
// how much and why, but only where it began.
func addHole(holes []Hole, h Hole) []Hole {
	n := len(holes)
	if n > 0 && holes[n-1].Cause == h.Cause && holes[n-1].From+holes[n-1].Frames == h.From {
		holes[n-1].Frames += h.Frames
		return holes
	}
	if n < maxHoles && !joined(holes) {
		return append(holes, h)
	}
	return join(append(holes, h))
}

// joined says whether holes are no longer told one by one: one of them does not
// reach up to the next.
func joined(holes []Hole) bool {
	for i := 1; i < len(holes); i++ {
		if holes[i-1].From+holes[i-1].Frames != holes[i].From {
			return true
		}
	}
	return false
}

// join makes one hole of all those of a cause. It begins where the first of
// them does, so their order stays that of their beginnings.
func join(holes []Hole) []Hole {
	var all []Hole
	at := map[audio.Cause]int{} // in all
	for _, h := range holes {
		if i, known := at[h.Cause]; known {
			all[i].Frames += h.Frames
			continue
		}
		at[h.Cause] = len(all)
		all = append(all, h)
	}
	return all
}
