package daemon

import (
	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// hole says that nothing was captured from one position to another, behind all
// that was observed. at is the time of its end, if the clock tells it; else 0.
func (d *dater) hole(from, to audio.Pos, cause audio.Cause, at int64) error {
	n := len(d.parts)
	if n > 0 && d.heard || n == maxParts {
		if err := d.endHole(); err != nil {
			return err
		}
		n = 0
	}
	if n > 0 && d.parts[n-1].cause == cause {
		last := &d.parts[n-1]
		last.to, last.lost, last.at = to, last.lost+int64(to-from), at
		return nil
	}
	if n == 0 {
		if err := d.settle(from); err != nil {
			return err
		}
		if d.est != nil {
			d.feed.Restart()
		}
		d.heard, d.doubt = false, 0
	}
	d.parts = append(d.parts, part{to, int64(to - from), cause, at})
	return nil
}

// endHole writes about the hole behind the newest anchor. What comes next is by
// the line of the sound behind it, if there is some.
func (d *dater) endHole() error {
	d.flush()
	parts, last := d.parts, d.parts[len(d.parts)-1]
	d.parts = d.parts[:0]
	begin, _ := d.ledger.Last()
	from, fromErr := d.newest, d.err.Load()
	to, toErr := d.at(last.to)
	if !d.heard && last.at != 0 && d.est != nil {
		to, toErr = last.at, fromErr+nominalTime(1, d.rate)
	}
	lostErr := int64(0)
	if d.est != nil {
		measured, wrong := d.est.Frames(from, to, fromErr+toErr)
		all := int64(last.to - begin.Pos)
		lostErr = max(all-measured, measured-all) + wrong
	}
	for i, h := range parts {
		at, e := to, toErr
		if i < len(parts)-1 { // in between time runs evenly
			at = from + int64(float64(to-from)*float64(h.to-begin.Pos)/float64(last.to-begin.Pos))
			e = max(fromErr, toErr)
		}
		if err := d.write(h.to, at, e, &clock.Segment{Why: h.cause, Lost: h.lost, LostErr: lostErr}); err != nil {
			return err
		}
	}
	return nil
}

// grown writes about a hole whose end is not known, as far as it has grown.
func (d *dater) grown() error {
	if len(d.parts) == 0 || d.heard {
		return nil
	}
	return d.endHole()
}

// asleep says that the machine slept so long, not long before its clocks were
// last looked at. What was captured since they were before, up to head, may be of
// before that or behind it.
func (d *dater) asleep(head audio.Pos, slept int64) error {
	if d.est == nil {
		return nil
	}
	d.feed.Drop()
	if _, any := d.ledger.Last(); any && len(d.parts) == 0 {
		p := d.pos(d.looked, head)
		if err := d.dues(p); err != nil {
			return err
		}
		if err := d.anchor(p); err != nil {
			return err
		}
	}
	d.doubt = slept
	return nil
}

// turn begins a session at p: to be called before the head passes it.
func (d *dater) turn(p audio.Pos, t turn) error {
	if err := d.settle(p); err != nil {
		return err
	}
	return d.ledger.AppendMark(clock.Mark{From: p, M: t.M, Session: t.Named.ID})
}

// first is the first position, head or behind it, that was captured at M or
// later: by what is known when the head is head and is about to be to. One far
// behind to is not exact.
func (d *dater) first(m int64, head, to audio.Pos) (audio.Pos, error) {
	if _, any := d.ledger.Last(); !any || len(d.parts) > 0 {
		if err := d.begin(head); err != nil {
			return 0, err
		}
	}
	p, _, err := d.ledger.Live().Lower(m)
	if err != nil || p > to+audio.Pos(2*d.rate) {
		return p, err
	}
	p = max(p, head)
	time := func(p audio.Pos) int64 {
		at, _ := d.estimate(p)
		return d.m(at)
	}
	// The line has moved since the newest anchor, and the clock may have turned.
	for range 8 {
		by := nominalFrames(m-time(p), d.rate)
		if by == 0 {
			break
		}
		p = max(head, p+audio.Pos(by))
	}
	for time(p) < m {
		p++
	}
	for p > head && time(p-1) >= m {
		p--
	}
	return p, nil
}

// begin writes what must be there before a session ends at head or later.
func (d *dater) begin(head audio.Pos) error {
	if len(d.parts) > 0 {
		return d.endHole()
	}
	if d.est != nil {
		return d.settle(head)
	}
	return d.anchor(0)
}
