package daemon

import (
	"slices"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
)

// maxTallied is how many losses are remembered one by one: more than there are
// chunks that wait for their name.
const maxTallied = 128

// A tally counts the frames that the ring overwrote before they were stored.
// A sink that goes back takes them again, and may lose more of them: each is
// counted once. The count is read from any goroutine, and never goes back: what
// was given up and is stored after all stays counted. The rest belongs to one.
type tally struct {
	count atomic.Int64
	lost  []audio.Span // in their order; the sink may go back before them
	older int64        // frames lost before those
	floor audio.Pos    // where older ends
}

// lose adds a span behind the others. It returns by how much the count rises.
func (t *tally) lose(s audio.Span) (more int64) {
	s.From = max(s.From, t.floor)
	if s.Len() <= 0 {
		return 0
	}
	if n := len(t.lost); n > 0 && t.lost[n-1].To == s.From {
		t.lost[n-1].To = s.To
	} else {
		t.lost = append(t.lost, s)
	}
	if len(t.lost) > maxTallied {
		t.older += t.lost[0].Len()
		t.floor = t.lost[0].To
		t.lost = slices.Delete(t.lost, 0, 1)
	}
	sum := t.older
	for _, s := range t.lost {
		sum += s.Len()
	}
	more = max(0, sum-t.count.Load())
	t.count.Add(more)
	return more
}

// back forgets what was lost from a position on: it is taken again.
func (t *tally) back(to audio.Pos) {
	for n := len(t.lost); n > 0 && t.lost[n-1].To > to; n-- {
		if t.lost[n-1].From < to {
			t.lost[n-1].To = to
			return
		}
		t.lost = t.lost[:n-1]
	}
}
