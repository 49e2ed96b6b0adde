package daemon

import (
	"fmt"
	"time"
)

// overlong is how much longer than a period a session may last.
const overlong = int64(time.Hour)

// moved is by how much the first synchronisation must move the clock for the
// session to be named anew, in ns.
const moved = int64(time.Minute)

// A Rotation is the end of a session and the beginning of the next.
type Rotation struct {
	M   int64  // when, in boot-time ns. If it is over, then where the next frame is placed: in the hole of a suspend, at M
	UTC int64  // the wall clock then, by the label in force, ns since 1970: what the next session is named after
	Why string // date, length, sync

	date int64
}

// A planner says when sessions rotate. All instants m are boot-time ns; all of
// UTC is ns since 1970. It reads no clock.
//
// Each session stands for a date: a period of UTC, counted from 1970, and a
// later session for a later one. It ends when UTC's date is later than its own,
// or when it lasted an hour longer than a period, and then the next stands for
// the next date. So a clock that goes back over midnight does not make a second
// session of a date, and one that goes back by years costs sessions that are an
// hour too long. Until the clock was synchronised once, a date says nothing: if
// that moves the clock by more than a minute, the session ends there, and the
// next has the date that it is.
type planner struct {
	period int64 // ns; 0: a session never ends
	date   int64 // of the session
	begun  int64 // m at which the session began
	well   int64 // the latest m at which the session was not yet to end
	unsure bool  // the clock was never synchronised
	off    int64 // UTC - m when the session began
}

// newPlanner is the planner of a first session, which begins at m.
func newPlanner(period time.Duration, m, utc int64, synchronised bool) planner {
	p := planner{period: int64(period), begun: m, well: m, unsure: !synchronised, off: utc - m}
	p.date = p.dateOf(utc)
	return p
}

// dateOf is the period in which utc lies.
func (p *planner) dateOf(utc int64) int64 {
	if p.period == 0 {
		return 0
	}
	d := utc / p.period
	if utc%p.period < 0 {
		d--
	}
	return d
}

// next is when the session ends, as far as can be said at m, at which the label
// in force says utc. It is asked at each new label, each second or so, and
// behind a rotation: over more than one midnight in suspend there is a session
// for each date. It returns false if the session never ends.
func (p *planner) next(m, utc int64, synchronised bool) (Rotation, bool) {
	if p.period == 0 {
		return Rotation{}, false
	}
	if p.unsure && synchronised {
		if by := utc - m - p.off; max(by, -by) > moved {
			return Rotation{m, utc, "sync", p.dateOf(utc)}, true
		}
		p.unsure = false
	}
	begins := (p.date + 1) * p.period
	at := Rotation{m - (utc - begins), begins, "date", p.date + 1}
	if at.M < p.well { // it was not midnight then: the clock was set forward, over it
		at = Rotation{m, utc, "date", p.dateOf(utc)}
	}
	if late := p.begun + p.period + overlong; late < at.M {
		at = Rotation{late, utc + late - m, "length", p.date + 1}
	}
	if at.M > m {
		p.well = m
	}
	return at, true
}

// rotated says that the session ended so, and another began.
func (p *planner) rotated(at Rotation) {
	p.date, p.begun, p.off = at.date, at.M, at.UTC-at.M
}

// ParseRotate reads how often sessions rotate: "never", which is 0, or a length
// into which a day divides, such as "24h".
func ParseRotate(text string) (time.Duration, error) {
	if text == "never" {
		return 0, nil
	}
	const day = 24 * time.Hour
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute || d > day || day%d != 0 {
		return 0, fmt.Errorf("%q is not \"never\", nor a length into which a day divides, such as \"24h\" or \"6h\"", text)
	}
	return d, nil
}
