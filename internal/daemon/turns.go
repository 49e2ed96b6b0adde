package daemon

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// rotateAhead is how long before a session ends the next one is named: more
// than it takes to keep its id.
const rotateAhead = 2 * time.Second

// A turn is where the sessions of all sensors change: each ends its own at its
// first frame behind M, and none waits for another.
type turn struct {
	M     int64 // of the session that begins
	UTC   time.Time
	Why   string
	Named Named
	From  audio.Session // the session that ends
}

// turns are those of a run, in their order. A list that was loaded does not
// change.
type turns struct {
	list atomic.Pointer[[]turn]
	made atomic.Int64 // turns that a stream has made

	// Of a run in its own time, see Daemon.inOwnTime: they are worked out when
	// they are asked for.
	mu    sync.Mutex
	ahead *planner
	name  func(utc time.Time) Named
	first audio.Session
}

// at is the turn of that number, and false if it is not known yet, or never
// comes.
func (t *turns) at(i int) (turn, bool) {
	if all := t.all(); i < len(all) {
		return all[i], true
	}
	if t.ahead == nil || t.ahead.period == 0 {
		return turn{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.all()) <= i {
		begun := t.ahead.begun
		at, ok := t.ahead.next(begun, begun+t.ahead.off, true)
		if !ok {
			return turn{}, false
		}
		t.add(at, t.name(time.Unix(0, at.UTC)), t.first)
		t.ahead.rotated(at)
	}
	return t.all()[i], true
}

func (t *turns) all() []turn {
	if list := t.list.Load(); list != nil {
		return *list
	}
	return nil
}

// add appends a turn. One goroutine adds at a time.
func (t *turns) add(at Rotation, n Named, first audio.Session) {
	all := t.all()
	if len(all) > 0 {
		first = all[len(all)-1].Named.ID
	}
	// Nobody looks behind the end of his own list, so they may share the array.
	all = append(all, turn{at.M, time.Unix(0, at.UTC).UTC(), at.Why, n, first})
	t.list.Store(&all)
}

// reached says that a stream has made so many turns.
func (t *turns) reached(n int) {
	for made := t.made.Load(); made < int64(n); made = t.made.Load() {
		t.made.CompareAndSwap(made, int64(n))
	}
}

// last is the newest session of any stream, and how many turns there were.
func (t *turns) last(first Named) (Named, int) {
	n := int(t.made.Load())
	if n == 0 {
		return first, 0
	}
	return t.all()[n-1].Named, n
}

// planTurns has the timekeeper plan the turns of a run in the machine's time.
func (d *Daemon) planTurns() {
	label := d.time.newest()
	p := newPlanner(d.c.Rotate, 0, label.UTC-label.M, label.Sync == clock.SyncYes)
	d.time.plan = func(m, utc int64, synchronised bool) {
		for {
			at, ok := p.next(m, utc, synchronised)
			if !ok || at.M-m > int64(rotateAhead) {
				break
			}
			n := d.nameTurn(time.Unix(0, at.UTC))
			p.rotated(at)
			d.turns.add(at, n, d.named.ID)
			d.c.Log.Info("session follows", zap.Int64("session", int64(n.ID)), zap.String("why", at.Why), zap.Time("at", time.Unix(0, at.UTC).UTC()))
		}
		d.forget()
	}
}

// forget gives back the labels that no ledger needs any more.
func (d *Daemon) forget() {
	oldest := d.time.seen()
	for _, st := range d.streams {
		if m, any := st.dates.ledger.Since(); any && st.State() != Ended {
			oldest = min(oldest, m)
		}
	}
	d.time.labels.Forget(oldest)
}
