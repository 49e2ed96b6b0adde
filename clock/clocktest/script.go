package clocktest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ingestd/ingestd/clock"
)

// event is what is done when so much awake time has passed.
type event struct {
	at int64
	do func(*Clock)
}

// Advance lets d of true time pass, without suspend. What the script has for
// that time is done at its instants. It is for a Clock made by New.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.born.IsZero() {
		panic("clocktest: the time of this clock passes by itself")
	}
	c.advance(int64(d))
	c.wake()
}

// advance is Advance without waking anybody. mu is held, but not while what
// the script has is done.
func (c *Clock) advance(d int64) {
	to := c.awake + d
	for len(c.script) > 0 && c.script[0].at <= to {
		e := c.script[0]
		c.script = c.script[1:]
		c.awake = max(c.awake, e.at)
		c.acting = true
		c.mu.Unlock()
		e.do(c)
		c.mu.Lock()
		c.acting = false
	}
	c.awake = max(c.awake, to)
}

// wake lets all who sleep look at the clock. mu is held.
func (c *Clock) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// At adds to the script: do is called when so much more time has passed, at
// that instant exactly. It may call what changes the clock, but not Advance.
func (c *Clock) At(after time.Duration, do func(*Clock)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	e := event{c.awake + int64(after), do}
	i, _ := slices.BinarySearchFunc(c.script, e, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), -1) // behind what is there for the same instant
	})
	c.script = slices.Insert(c.script, i, e)
	if !c.born.IsZero() {
		time.AfterFunc(after, func() { c.change(func() {}) }) // who sleeps then must look
	}
}

// change settles, does do, and wakes who sleeps.
func (c *Clock) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	do()
	c.wake()
}

// Step sets the wall clock forward by d, or back.
func (c *Clock) Step(d time.Duration) { c.change(func() { c.off += int64(d) }) }

// Set sets the wall clock to t.
func (c *Clock) Set(t time.Time) { c.change(func() { c.off += t.UnixNano() - c.read().Real }) }

// Slew makes all clocks but RAW run faster by ppb from now on, in thousand
// millionths; 0: as fast as RAW.
func (c *Clock) Slew(ppb int64) {
	c.change(func() {
		c.slew = ppb
		c.rates()
	})
}

// Drift makes RAW, and all others with it, faster than true time by ppb.
func (c *Clock) Drift(ppb int64) {
	c.change(func() {
		c.ppb = ppb
		c.rates()
	})
}

func (c *Clock) rates() {
	c.raw.turn(c.awake, c.ppb)
	c.mono.turn(c.awake, c.ppb+c.slew+c.ppb*c.slew/1e9)
}

// Suspend lets d of true time pass in suspend. In the time package's own time
// that is no time at all.
func (c *Clock) Suspend(d time.Duration) { c.change(func() { c.suspended += int64(d) }) }

// SetSync sets what the system believes.
func (c *Clock) SetSync(s clock.Sync) { c.change(func() { c.sync = s }) }

// Noise gives readings that half width, in ns, and errors of up to as much,
// the same ones for the same seed.
func (c *Clock) Noise(err int64, seed uint64) {
	c.change(func() { c.err, c.noise = err, rand.New(rand.NewPCG(seed, 0)) })
}

// LeapRepeat adds to the script a leap second that repeats the last second
// before the instant so much later.
func (c *Clock) LeapRepeat(after time.Duration) {
	c.At(after, func(c *Clock) { c.Step(-time.Second) })
}

// Smear is for how long a leap second is smeared: a day.
const Smear = time.Duration(1_000_000_000_000_000_000 / smearPPB)

const smearPPB = 11_574

// LeapSmear adds to the script a leap second that slows the clocks from then
// on for Smear, so that they fall back by 1 s.
func (c *Clock) LeapSmear(after time.Duration) {
	c.At(after, func(c *Clock) { c.Slew(-smearPPB) })
	c.At(after+Smear, func(c *Clock) { c.Slew(0) })
}

// A Trouble is something that happens to the clocks of a machine.
type Trouble struct {
	Name    string
	Step    time.Duration // by which the wall clock is set; 0: it is not
	Suspend time.Duration
	Slewed  bool // for a while the clocks run at another rate than RAW
	Do      func(*Clock)
}

// Troubles are all that may happen, each by itself. A slew is not undone.
func Troubles() []Trouble {
	var all []Trouble
	const year = 8766 * time.Hour
	for _, s := range []time.Duration{time.Microsecond, time.Millisecond, time.Second, time.Hour, 10 * year} {
		for _, s := range []time.Duration{s, -s} {
			name := "step of " + s.String()
			all = append(all, Trouble{Name: name, Step: s, Do: func(c *Clock) { c.Step(s) }})
		}
	}
	for _, ppb := range []int64{500_000, 83_333_333} {
		for _, ppb := range []int64{ppb, -ppb} {
			name := "slew of " + time.Duration(ppb).String() + " a second"
			all = append(all, Trouble{Name: name, Slewed: true, Do: func(c *Clock) { c.Slew(ppb) }})
		}
	}
	for _, s := range []time.Duration{2 * time.Millisecond, time.Minute, 8 * time.Hour} {
		all = append(all, Trouble{Name: "suspend of " + s.String(), Suspend: s, Do: func(c *Clock) { c.Suspend(s) }})
	}
	return append(all,
		Trouble{Name: "leap second, repeated", Step: -time.Second, Do: func(c *Clock) { c.LeapRepeat(0) }},
		Trouble{Name: "leap second, smeared", Slewed: true, Do: func(c *Clock) { c.LeapSmear(0) }},
		Trouble{Name: "synchronisation lost", Do: func(c *Clock) { c.SetSync(clock.Sync{Known: true}) }},
	)
}
