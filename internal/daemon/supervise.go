package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/clock"
)

const (
	lookEvery      = time.Second
	pumpPatience   = 30 * time.Second // a source that is opened, or read, answers within this, see also Sensor.Slow
	drainPatience  = 2 * time.Minute  // a disk may stall longer than a source
	outageTolerant = time.Minute      // a sensor that was heard may be away so long before it counts
)

// lap is when the supervisor last came round, CLOCK_MONOTONIC ns.
type lap struct{ at atomic.Int64 }

// seen is what the supervisor last saw of a pump or a drain.
type seen struct {
	beats int64
	at    int64 // CLOCK_MONOTONIC ns at which beats was first seen so
}

// supervise feeds the service manager's watchdog for as long as sound makes
// progress: every source delivers, is being tried again or is off, and no drain
// hangs in its sink. It says READY once and STATUS when it changes.
func (d *Daemon) supervise(ctx context.Context) {
	every := lookEvery
	if d.c.Watchdog > 0 {
		every = min(every, d.c.Watchdog/3)
	}
	last := make([]seen, len(d.streams)+len(d.drains)+len(d.passers))
	d.notify("READY=1")
	status, stuck := "", ""
	for {
		now := d.c.Clock.Monotonic()
		d.turned.at.Store(now)
		was := stuck
		stuck = d.stuck(last, now)
		switch {
		case stuck != "" && was == "":
			d.c.Log.Error("no progress: the watchdog is not fed", zap.String("stuck", stuck))
		case stuck == "" && d.c.Watchdog > 0:
			d.notify("WATCHDOG=1")
		}
		d.limit.flush(false)
		if s := d.summary(); s != status {
			status = s
			d.notify("STATUS=" + s)
		}
		if d.c.Clock.Sleep(ctx, clock.NextTick(d.c.Clock.Monotonic(), every)) != nil {
			return
		}
	}
}

// stuck names what has made no progress for longer than it may; "" if all do.
func (d *Daemon) stuck(last []seen, now int64) string {
	var turns time.Duration // of all that are opened one after another
	for _, st := range d.streams {
		turns += st.Slow
	}
	for i, st := range d.streams {
		state := st.State()
		idle := state == Ended || state == Off || st.gate != nil && st.gate.waiting.Load()
		patience := pumpPatience
		if st.Slow > 0 && st.opening.Load() {
			patience += turns
		}
		if last[i].tooLong(st.beats.Load(), idle, now, patience) {
			return "source of " + st.ID
		}
	}
	for i, dr := range d.drains {
		idle := dr.done.Load() || !dr.busy.Load()
		if last[len(d.streams)+i].tooLong(dr.beats.Load(), idle, now, drainPatience) {
			return "reader " + dr.reader.Name + " of " + dr.from.ID
		}
	}
	for i, p := range d.passers {
		if last[len(d.streams)+len(d.drains)+i].tooLong(p.beats.Load(), !p.busy.Load(), now, drainPatience) {
			return "sync of " + p.sink.Name
		}
	}
	return ""
}

// tooLong takes note of a look at something that beats, and says whether it
// has neither moved nor been idle for longer than patience.
func (s *seen) tooLong(beats int64, idle bool, now int64, patience time.Duration) bool {
	if idle || beats != s.beats || s.at == 0 {
		*s = seen{beats, now}
		return false
	}
	return now-s.at > int64(patience)
}

// notify tells the service manager. That it cannot be told is no reason to
// stop recording.
func (d *Daemon) notify(state string) {
	if d.c.Notify == nil {
		return
	}
	if err := d.c.Notify(state); err != nil {
		d.limit.say("notify", d.c.Log, zapcore.WarnLevel, "tell the service manager: "+err.Error(), zap.String("state", state))
	}
}

// summary is one line about all sensors, the worst first.
func (d *Daemon) summary() string {
	now := d.c.Clock.Monotonic()
	var away, failing []string
	recording, off := 0, 0
	for _, st := range d.streams {
		switch st.State() {
		case Recording:
			recording++
		case Starting, Retrying:
			away = append(away, st.ID+" away for "+roughly(time.Duration(now-st.since.Load())))
		case Off:
			off++
		case Ended:
		}
	}
	for _, dr := range d.drains {
		if dr.failing.Load() != nil {
			failing = append(failing, "not storing "+dr.from.ID+" in "+dr.sink.Name)
		}
	}
	parts := append(failing, away...)
	parts = append(parts, fmt.Sprintf("%d of %d sensors recording", recording, len(d.streams)))
	if off > 0 {
		parts = append(parts, fmt.Sprintf("%d off", off))
	}
	return strings.Join(parts, ", ")
}

// roughly is d in one unit, so that a line which shows it seldom changes.
func roughly(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/(10*time.Second)*10)
}
