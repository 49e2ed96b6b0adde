package daemon

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/clock"
)

// lookAtClocks is how often the machine's clocks are read, for all sensors
// together. It divides source.DefaultBatch, so that it wakes nobody up.
const lookAtClocks = 250 * time.Millisecond

// A timekeeper knows the machine's time, for all who need more of it than
// CLOCK_MONOTONIC. One goroutine looks at the clocks; the others carry times
// from one to another by what it saw, and read none.
//
// Two scales are used in the daemon, both in ns since the zero, which is when
// it was made. Steady time, see clock.Reading, is what pumps reckon with: nobody
// steps or slews it. M is CLOCK_BOOTTIME, which ledgers speak.
type timekeeper struct {
	clock  clock.Clock
	zero   clock.Reading
	track  atomic.Pointer[clock.Track]
	labels clock.Labels // what UTC was, by M

	// Of the goroutine that looks.
	labeller *clock.Labeller
	sync     clock.Sync
	asked    int64 // CLOCK_MONOTONIC ns at which sync was asked for

	steps atomic.Int64 // times that the wall clock was set

	// plan, if not nil, is called at each look, with M and UTC, before anybody
	// else learns of that time.
	plan func(m, utc int64, synchronised bool)
}

// newTimekeeper reads the clocks for the first time: from then on there is a
// label.
func newTimekeeper(c clock.Clock) (*timekeeper, error) {
	k := &timekeeper{clock: c, zero: c.Read()}
	k.labeller = clock.NewLabeller(k.zero)
	k.track.Store(clock.NewTrack(k.zero))
	k.sync, k.asked = c.Sync(), k.zero.Mono
	_, err := k.label(k.zero)
	return k, err
}

// run looks until the context ends. What it sees goes to tell.
func (k *timekeeper) run(ctx context.Context, tell func(clock.Notice, error)) {
	for k.clock.Sleep(ctx, clock.NextTick(k.clock.Monotonic(), lookAtClocks)) == nil {
		if n, err := k.look(); err != nil || n.Why != "" {
			tell(n, err)
		}
	}
}

// look reads the clocks, and makes a new label if one is due: then it has a Why.
// Pumps place their frames by what it publishes last: so the sessions that begin
// until then are planned, even if the machine slept over a midnight.
func (k *timekeeper) look() (clock.Notice, error) {
	r := k.clock.Read()
	if r.Mono-k.asked >= int64(time.Second) {
		k.sync, k.asked = k.clock.Sync(), r.Mono
	}
	n, err := k.label(r)
	if k.plan != nil {
		m, a := r.Boot-k.zero.Boot, k.newest()
		k.plan(m, a.UTC+m-a.M, a.Sync == clock.SyncYes)
	}
	k.track.Store(k.track.Load().With(r))
	return n, err
}

func (k *timekeeper) label(r clock.Reading) (clock.Notice, error) {
	n, ok := k.labeller.Next(r, k.sync)
	if !ok {
		return clock.Notice{}, nil
	}
	if n.Why == clock.WhyStep {
		k.steps.Add(1)
	}
	return n, k.labels.Append(clock.Label{M: n.M, Raw: n.Raw, UTC: n.UTC, Err: n.Err, Sync: n.Sync, Why: n.Why})
}

// newest is the label in force.
func (k *timekeeper) newest() clock.Label {
	a, _ := k.labels.At(math.MaxInt64)
	return a
}

// steady is the steady time at which CLOCK_MONOTONIC was mono.
func (k *timekeeper) steady(mono int64) int64 {
	return k.track.Load().Steady(mono) - k.zero.Steady()
}

// now is the steady time now.
func (k *timekeeper) now() int64 { return k.steady(k.clock.Monotonic()) }

// m is M at a steady time.
func (k *timekeeper) m(steady int64) int64 {
	return k.track.Load().Boot(steady+k.zero.Steady()) - k.zero.Boot
}

// seen is M when the clocks were last looked at.
func (k *timekeeper) seen() int64 { return k.track.Load().Last().Boot - k.zero.Boot }

// known is the steady time at which the clocks were last looked at.
func (k *timekeeper) known() int64 { return k.track.Load().Last().Steady() - k.zero.Steady() }

// slept is how long the machine was suspended since the zero, in ns.
func (k *timekeeper) slept() int64 { return k.track.Load().Suspended() - k.zero.Suspended() }

// turned is the steady time at which somebody last began or ceased to slew the
// clock; below 0: not lately.
func (k *timekeeper) turned() int64 {
	at := k.track.Load().Turned()
	if at == 0 {
		return -1
	}
	return at - k.zero.Steady()
}

// tellTime logs what is worth to be known about the machine's time.
func (d *Daemon) tellTime(n clock.Notice, err error) {
	within := time.Duration(n.Err)
	switch {
	case err != nil:
		d.limit.say("labels", d.c.Log, zap.ErrorLevel, "note what time it is: "+err.Error())
	case n.Why == clock.WhyStep:
		d.limit.say("step", d.c.Log, zap.WarnLevel, stepText(time.Duration(n.Step)), zap.Int64("ns", n.Step))
	case n.Why == clock.WhySync:
		level := zap.InfoLevel
		if n.Sync != clock.SyncYes {
			level = zap.WarnLevel
		}
		d.limit.say("sync", d.c.Log, level, syncText(n.Sync == clock.SyncYes, within))
	}
}
