package clock

import "time"

// Beat is how long a label is in force at most, in boot-time ns.
const Beat = int64(time.Minute)

// A Notice is what a new label is made of, and why there is one.
type Notice struct {
	M    int64  // CLOCK_BOOTTIME, ns since the zero
	Raw  int64  // Reading.Steady, ns since the zero
	UTC  int64  // the wall clock at M, ns since 1970
	Err  int64  // ns by which UTC may be wrong
	Sync string // yes, no
	Why  string // open, beat, step, sync
	Step int64  // ns by which the wall clock was set since the last notice; 0: it was not
}

// A Labeller tells when UTC needs a new label: at first, when somebody stepped
// the wall clock, when it began or ceased to be synchronised, and each minute.
// What it is shown is compared with what the label in force was made of, so
// that steps too small to be seen do not add up. It reads no clock.
type Labeller struct {
	zero  Reading
	made  Reading // of which the last notice was made
	sync  Sync
	begun bool
}

// NewLabeller returns a Labeller that counts M and Raw from zero.
func NewLabeller(zero Reading) *Labeller { return &Labeller{zero: zero} }

// Next is shown the clocks, later each time. It returns false if the label in
// force still holds. When more than one reason is there, a step goes before
// sync, and that before a beat; Sync is right in each.
func (l *Labeller) Next(r Reading, s Sync) (Notice, bool) {
	n := Notice{
		M: r.Boot - l.zero.Boot, Raw: r.Steady() - l.zero.Steady(),
		UTC: r.Real, Err: r.Err + s.Err(), Sync: "no",
	}
	if s.On {
		n.Sync = "yes"
	}
	if l.begun {
		n.Step = r.Since(l.made).Step
	}
	switch {
	case !l.begun:
		n.Why = "open"
	case n.Step != 0:
		n.Why = "step"
	case s.On != l.sync.On:
		n.Why = "sync"
	case r.Boot-l.made.Boot >= Beat:
		n.Why = "beat"
	default:
		return Notice{}, false
	}
	l.made, l.sync, l.begun = r, s, true
	return n, true
}
