//go:build chaos

package reader

import (
	"errors"
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// asked is a question to a reader and how it is answered. check is told the
// streams as they were before and after the steps that came in between.
type asked struct {
	name string
	do   func(x *rig) (check func(before, after *model) error)
}

// questions are asked about every position that the stream has, and a bit more.
func questions(m *model) (all []asked) {
	for at := audio.Pos(0); at <= m.head+2; at++ {
		all = append(all,
			asked{fmt.Sprintf("Copy at %d", at), func(x *rig) func(before, after *model) error { return x.copies(at, 5) }},
			asked{fmt.Sprintf("Lend at %d", at), func(x *rig) func(before, after *model) error { return x.lends(at, 5) }})
		for _, frames := range []audio.Pos{1, 2, 4, 7} {
			all = append(all,
				asked{fmt.Sprintf("Slice [%d, %d)", at, at+frames), func(x *rig) func(before, after *model) error { return x.slices(at, at+frames) }},
				asked{fmt.Sprintf("Range [%d, %d)", at, at+frames), func(x *rig) func(before, after *model) error { return x.ranges(at, at+frames) }})
		}
		all = append(all, asked{fmt.Sprintf("Stored at %d", at), func(x *rig) func(before, after *model) error { return x.counts(at) }})
	}
	return append(all, asked{"Bounds", (*rig).bounds})
}

// given checks n frames at a position, of room that were wanted, or err.
func given(at audio.Pos, n, room int, err error, before, after *model) error {
	var allowed []string
	for _, m := range []*model{before, after} {
		lost := m.lost(at, 0)
		switch {
		case at >= m.head && n == 0 && err == nil:
			return nil
		case !lost.Empty():
			if n == 0 && loss(err) == lost {
				return nil
			}
			allowed = append(allowed, fmt.Sprint(lost))
		case at < m.head:
			most := min(room, int(m.stretch(at)-at))
			// What follows may have been overwritten after it was looked for.
			gone := n > 0 && n < most && after.lost(at+audio.Pos(n), 0).Cause == audio.Overrun
			if err == nil && (n == most || gone) {
				return nil
			}
			allowed = append(allowed, fmt.Sprintf("%d frames", most))
		}
	}
	return fmt.Errorf("%d frames, %v; allowed: %v", n, err, allowed)
}

func answerOf(err error) answer {
	var future *FutureError
	if errors.As(err, &future) {
		return answer{future: future.Head}
	}
	return answer{lost: loss(err), plain: err != nil && loss(err).Empty()}
}

func either(err error, before, after answer) error {
	got := answerOf(err)
	// A range may be there no more, or not to its end yet, when it is looked at.
	if got == before || got == after {
		return nil
	}
	return fmt.Errorf("%v; allowed: %+v, %+v", err, before, after)
}

func (x *rig) copies(at audio.Pos, room int) func(before, after *model) error {
	p := make([]byte, room*frameBytes)
	n, err := x.rd.place.Copy(p, at)
	return func(before, after *model) error {
		if bad := wrong(p[:n*frameBytes], at); bad >= 0 {
			return fmt.Errorf("wrong from %d", bad)
		}
		return given(at, n, room, err, before, after)
	}
}

func (x *rig) lends(at audio.Pos, room int) func(before, after *model) error {
	v, err := x.rd.place.Lend(at, int64(room))
	return func(before, after *model) error {
		defer v.Release()
		// To the end of the blocks that may still be borrowed, or of one.
		stored := int(after.stored(at))
		room := min(room, (stored/x.m.block+max(1, x.pins-len(x.held)))*x.m.block-stored)
		if bad := wrong(v.AppendTo(nil), at); bad >= 0 {
			return fmt.Errorf("wrong from %d, borrowed: %v", bad, v.Borrowed())
		}
		return given(at, int(v.Frames()), room, err, before, after)
	}
}

// slice is what Slice must say of [i, j).
func (m *model) slice(i, j audio.Pos) answer {
	end := m.stretch(i)
	switch lost := m.lost(i, 0); {
	case !lost.Empty():
		return answer{lost: lost}
	case i < m.head && j > end && end < m.head:
		return answer{lost: m.lost(end, 0)}
	case j > m.head:
		return answer{future: m.head}
	}
	return answer{}
}

func (x *rig) slices(i, j audio.Pos) func(before, after *model) error {
	v, err := x.rd.place.Slice(i, j)
	return func(before, after *model) error {
		defer v.Release()
		if bad := wrong(v.AppendTo(nil), i); bad >= 0 || err == nil && int64(len(v.AppendTo(nil))) != int64(j-i)*frameBytes {
			return fmt.Errorf("wrong from %d, borrowed: %v", bad, v.Borrowed())
		}
		return either(err, before.slice(i, j), after.slice(i, j))
	}
}

func (x *rig) ranges(i, j audio.Pos) func(before, after *model) error {
	p := make([]byte, int(j-i)*frameBytes)
	g, err := x.rd.place.Range(i, j)
	n, cut := 0, error(nil)
	if err == nil {
		n, cut = g.Copy(p)
	}
	return func(before, after *model) error {
		switch bad := wrong(p[:n*frameBytes], i); {
		case bad >= 0:
			return fmt.Errorf("wrong from %d", bad)
		case err != nil:
			return either(err, before.slice(i, j), after.slice(i, j))
		case cut != nil:
			if want := after.lost(i+audio.Pos(n), 0); loss(cut) != want {
				return fmt.Errorf("%d frames, then %v; want %v", n, cut, want)
			}
		case n != int(j-i) || before.slice(i, j) != answer{} && after.slice(i, j) != answer{}:
			return fmt.Errorf("%d frames of what is not there", n)
		}
		return nil
	}
}

func (x *rig) counts(at audio.Pos) func(before, after *model) error {
	n := x.ring.Stored(at)
	return func(before, after *model) error {
		if least, most := before.stored(at), after.stored(at); at <= before.head && at >= before.bounds().From && at >= after.bounds().From && (n < least || n > most) {
			return fmt.Errorf("%d stored; want %d to %d", n, least, most)
		}
		return nil
	}
}

func (x *rig) bounds() func(before, after *model) error {
	b := x.ring.Bounds()
	return func(before, after *model) error {
		low, high := before.bounds(), after.bounds()
		late := b.From > max(low.From, high.From) && len(before.readable()) > 0 // with nothing to read it may begin in a hole
		if b.From > b.To || b.From < min(low.From, high.From) || late || b.To != low.To && b.To != high.To {
			return fmt.Errorf("bounds %v; from %v to %v", b, low, high)
		}
		return nil
	}
}
