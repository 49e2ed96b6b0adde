package daemon

import (
	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// publish writes all rows that are due when the head is about to be head.
func (d *dater) publish(head audio.Pos) error {
	second := audio.Pos(d.rate)
	switch n := len(d.parts); {
	case n > 0 && (!d.heard || head < d.parts[n-1].to+second):
		return nil
	case n > 0:
		if err := d.endHole(); err != nil {
			return err
		}
	case d.due == 0 && head < second:
		return nil
	}
	return d.rows(head)
}

// rows writes the anchors that are due up to head, behind a beginning or a hole
// that is over: as far as the clocks were looked at since. Where they turned the
// line ends, and again where they were looked at next, because one that runs
// across would be wrong on both sides.
func (d *dater) rows(head audio.Pos) error {
	if d.due == 0 {
		if err := d.anchor(0); err != nil {
			return err
		}
	}
	if d.est == nil {
		return d.dues(head)
	}
	known := d.time.known()
	if t := d.time.turned(); t > d.turned {
		d.turned = t
		for _, at := range []int64{t, known} {
			if at <= d.newest {
				continue
			}
			p := d.pos(at, head)
			if err := d.dues(p); err != nil {
				return err
			}
			if at == known {
				d.bent = bentErr(known - t)
			}
			if err := d.anchor(p); err != nil {
				return err
			}
		}
	}
	return d.dues(d.pos(known, head))
}

// pos is the position at a time behind the newest anchor, or head if that is
// before it.
func (d *dater) pos(at int64, head audio.Pos) audio.Pos {
	last, _ := d.ledger.Last()
	return min(head, last.Pos+audio.Pos(d.frames(d.newest, at)))
}

// dues writes the anchors that are due up to p.
func (d *dater) dues(p audio.Pos) error {
	for d.due <= p {
		if err := d.anchor(d.due); err != nil {
			return err
		}
		d.judge()
	}
	return nil
}

// settle writes what is known of everything up to p, however little that is,
// with an anchor at p.
func (d *dater) settle(p audio.Pos) error {
	d.flush()
	if len(d.parts) > 0 {
		if err := d.endHole(); err != nil {
			return err
		}
	}
	if err := d.rows(p); err != nil {
		return err
	}
	if err := d.dues(p); err != nil {
		return err
	}
	return d.anchor(p)
}

// flush has the estimator know of the sound that there is, even if the clocks were
// not looked at since it began.
func (d *dater) flush() {
	if d.feed != nil {
		d.feed.Flush(d.time.track.Load())
	}
}

// anchor writes an anchor at p, unless there is a row.
func (d *dater) anchor(p audio.Pos) error {
	if last, any := d.ledger.Last(); any && p <= last.Pos {
		return nil
	}
	at, e := d.estimate(p)
	return d.write(p, at, e, nil)
}

// estimate is the time of an anchor at p. Since the newest anchor was written
// the estimate of its time has changed. Anchors stand, so the line turns by no
// more than it may, and the rest is error.
func (d *dater) estimate(p audio.Pos) (at, e int64) {
	at, e = d.at(p)
	last, any := d.ledger.Last()
	if !any || d.est == nil {
		return at, e
	}
	then, _ := d.est.At(last.Pos)
	most := max(0, at-then) / 1e6 * maxTurn
	off := then - d.newest
	turn := min(max(off, -most), most)
	return at - (off - turn), e + max(off-turn, turn-off)
}

// write writes an anchor, or the segment that ends a part of a hole.
func (d *dater) write(p audio.Pos, at, e int64, s *clock.Segment) error {
	m := d.m(at)
	if last, any := d.ledger.Last(); any && m <= last.M {
		e += last.M + 1 - m
		m = last.M + 1
	}
	if at < d.vague {
		e += inexactErr
	}
	e += d.bent + d.doubt
	d.bent = 0
	d.newest, d.due = at, (p/audio.Pos(d.rate)+1)*audio.Pos(d.rate)
	d.err.Store(e)
	if s == nil {
		return d.ledger.Append(clock.Anchor{Pos: p, M: m, Err: e})
	}
	s.From, s.M, s.Err = p, m, e
	d.lostErr.Add(s.LostErr)
	return d.ledger.AppendSegment(*s)
}

// close says that the stream ended at head.
func (d *dater) close(head audio.Pos) error {
	err := d.settle(head)
	d.ledger.Close()
	return err
}

// bentErr is how wrong a line over so long may be in which a clock turns, at the
// most that it is slewed by: chrony's maxslewrate is 83,333 ppm by default.
func bentErr(long int64) int64 { return max(0, long) / 4 / 12 }
