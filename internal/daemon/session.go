package daemon

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// plausible is how long behind its build a program believes that it runs.
const plausible = 30 * 365 * 24 * time.Hour

// A Named is a session's id, and how it came about.
type Named struct {
	ID audio.Session
	// IsTime says that the id is when the session began, by the wall clock and
	// within a second. Otherwise it is a number that was not used before.
	IsTime bool
	// Odd says in which way the ids and the clock differ, for the log, once a
	// day; "": they don't.
	Odd string
}

// nameSession names a session that begins at now, behind last, the greatest id
// that was ever used; -1: there is none. The id is the millisecond, or last + 1
// if that is greater. A now that cannot be, before the program was built or 30
// years after it, counts for nothing: then the id is last + 1, or that of the
// build. So a machine that boots in 1970 has ids of 13 digits, which sort as
// text, and one that was in 2099 for a moment has ids of today again. With a
// build of 0 every now is believed, and nothing is odd.
func nameSession(last, build audio.Session, now time.Time) Named {
	at := audio.SessionAt(now)
	n := Named{ID: max(last+1, build)}
	switch text := now.UTC().Format(time.RFC3339); {
	case build == 0:
		n.ID = max(n.ID, at)
		n.IsTime = n.ID-at <= 1000
	case at < build:
		n.Odd = fmt.Sprintf("the clock shows %s, before this ingestd was built: session ids are numbers, not times", text)
	case at > build+audio.Session(plausible.Milliseconds()):
		n.Odd = fmt.Sprintf("the clock shows %s, decades after this ingestd was built: session ids are numbers, not times", text)
	default:
		n.ID = max(n.ID, at)
		n.IsTime = n.ID-at <= 1000
		if ahead := time.Duration(min(last-at, maxMillis)) * time.Millisecond; ahead > time.Second {
			n.Odd = fmt.Sprintf("session ids run %s ahead of the clock; times in clock.jsonl are right", roughly(ahead))
		}
	}
	return n
}

// maxMillis is as long as a time.Duration can be.
const maxMillis = audio.Session((1<<63 - 1) / int64(time.Millisecond))

// nameRun names the session that begins at t. A stated t, of a replay, is
// believed, and neither looked up nor kept.
func (d *Daemon) nameRun(ctx context.Context, t time.Time, stated bool) (Named, error) {
	last, err := lastSession(ctx, d.c.Sinks)
	if err != nil {
		return Named{}, err
	}
	if d.sessions = d.c.Sessions; stated || d.sessions == nil {
		d.sessions = newRegistry(nil, "", time.UnixMilli(0))
	}
	n, err := d.sessions.Name(t, last)
	if err != nil {
		d.c.Log.Warn(unsureText(err))
	}
	if n.Odd != "" {
		d.c.Log.Warn(n.Odd)
	}
	return n, nil
}

// beginTime begins the run's time and names its first session.
func (d *Daemon) beginTime(ctx context.Context) (err error) {
	if d.time, err = newTimekeeper(d.c.Clock); err != nil {
		return fmt.Errorf("begin the run: %w", err)
	}
	stated := !d.c.Start.IsZero()
	if d.zero = d.c.Start; !stated {
		d.zero = time.Unix(0, d.time.zero.Real).UTC()
	}
	if d.named, err = d.nameRun(ctx, d.zero, stated); err != nil {
		return err
	}
	if d.labels = &d.time.labels; !d.own {
		return nil
	}
	label := clock.Label{UTC: d.zero.UnixNano(), Sync: clock.SyncGiven, Why: clock.WhyOpen}
	d.labels = new(clock.Labels)
	p := newPlanner(d.c.Rotate, 0, label.UTC, true)
	d.turns.ahead, d.turns.first, d.turns.name = &p, d.named.ID, d.nameTurn
	return d.labels.Append(label)
}

// nameTurn names a session behind the first, which begins at t.
func (d *Daemon) nameTurn(t time.Time) Named {
	n, err := d.sessions.Name(t, -1)
	if err != nil {
		d.c.Log.Warn(unsureText(err))
	}
	if n.Odd != "" {
		d.limit.say("odd", d.c.Log, zap.WarnLevel, n.Odd)
	}
	return n
}

// namedAs is how a session of the run came by its name.
func (d *Daemon) namedAs(id audio.Session) Named {
	for _, t := range d.turns.all() {
		if t.Named.ID == id {
			return t.Named
		}
	}
	return d.named
}

// unsureText says that the next id cannot be kept, and what that means.
func unsureText(err error) string {
	return fmt.Sprintf("session ids: %v\n    It is recorded all the same. Should the stores be emptied and the clock set back, an id could come again.", err)
}

// lastSession is the greatest session in any store; -1: there is none.
func lastSession(ctx context.Context, sinks []Sink) (audio.Session, error) {
	last := audio.Session(-1)
	for _, s := range sinks {
		id, any, err := s.Store.LastSession(ctx)
		if err != nil {
			return 0, fmt.Errorf("look for the last session in sink %s: %w", s.Name, err)
		}
		if any {
			last = max(last, id)
		}
	}
	return last, nil
}
