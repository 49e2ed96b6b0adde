package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// DefaultGrace is how long stopping may take: less than the service manager's
// own patience.
const DefaultGrace = 25 * time.Second

// ErrHung is wrapped by the error of a Run that ended although something of it
// did not: a source that does not return, a disk that does not answer. What
// the Daemon was given must then be left as it is.
var ErrHung = errors.New("something does not end")

// hangPatience is how long what was told to end at once may take to do so.
const hangPatience = 2 * time.Second

// Run captures and stores. When stop ends it stops the sources, stores what
// is left and returns nil. When kill ends, or stopping takes longer than the
// grace, what is open is left as it is, and Run says so. It waits for all that
// it started, but not for ever: see ErrHung.
func (d *Daemon) Run(stop, kill context.Context) error {
	d.c.Log.Info("session begins", zap.Int64("session", int64(d.Session())), zap.Int("sensors", len(d.streams)), zap.Int("readers", len(d.drains)))
	hard, giveUp := context.WithCancelCause(context.WithoutCancel(kill))
	defer giveUp(nil)
	defer context.AfterFunc(kill, func() { giveUp(errors.New("told to stop at once")) })()
	soft, end := context.WithCancel(stop)
	defer end()
	serve := d.startServing(hard)
	errs := make([]error, len(d.drains)+len(d.pumps))
	var pumps, drains, others sync.WaitGroup
	for i, dr := range d.drains {
		drains.Go(func() {
			if errs[i] = dr.run(hard); errs[i] != nil && d.c.Strict {
				end() // nothing that is replayed now could be stored
			}
		})
	}
	for _, p := range d.passers {
		others.Go(func() { p.run(hard) })
	}
	for i, p := range d.pumps {
		pumps.Go(func() { errs[len(d.drains)+i] = d.pump(soft, p) })
	}
	others.Go(func() { d.supervise(hard) })
	if !d.own {
		d.planTurns()
		others.Go(func() { d.time.run(hard, d.tellTime) })
	}
	others.Go(func() { d.limitGrace(stop, hard, giveUp) })

	var cause error
	ended := make(chan struct{})
	go func() { // waited for below
		defer close(ended)
		pumps.Wait()
		drains.Wait()
		if !d.c.UntilEnded {
			<-soft.Done() // whoever looks at it is answered although no sensor goes on
		}
		cause = context.Cause(hard)
		giveUp(nil)
		others.Wait()
	}()
	d.awaitStop(soft, ended)
	if !wait(ended, hard.Done(), hangPatience) {
		d.limit.flush(true)
		err := fmt.Errorf("%w: %s", ErrHung, strings.Join(d.hanging(), ", "))
		if cause := context.Cause(hard); !errors.Is(cause, context.Canceled) { // which it is once all is stored
			err = fmt.Errorf("stopped before all was stored: %w: %w", cause, err)
		}
		d.c.Log.Error("session is left as it is", zap.Int64("session", int64(d.Session())), zap.Error(err))
		return err
	}
	d.limit.flush(true)
	err := d.outcome(errs, cause)
	d.c.Log.Info("session ends", zap.Int64("session", int64(d.Session())), zap.Error(err))
	return errors.Join(err, serve())
}

// pump runs p. That it broke for good is an error of the run only if the run
// lasts as long as its sources.
func (d *Daemon) pump(ctx context.Context, p *pump) error {
	err := p.run(ctx)
	if err != nil && !d.c.UntilEnded {
		p.log.Error(err.Error() + "\n    It ends here; the other sensors go on.")
		return nil
	}
	return err
}

// awaitStop waits until the run is to stop, and tells of it, or has ended.
func (d *Daemon) awaitStop(soft context.Context, ended <-chan struct{}) {
	if d.c.UntilEnded {
		select {
		case <-soft.Done():
		case <-ended:
		}
		return
	}
	<-soft.Done()
	d.notify("STOPPING=1")
	d.c.Log.Info("stopping: storing what is left")
}

// limitGrace ends a run that takes too long to stop. Only who was told to stop
// is in a hurry.
func (d *Daemon) limitGrace(stop, hard context.Context, giveUp context.CancelCauseFunc) {
	select {
	case <-stop.Done():
	case <-hard.Done():
		return
	}
	if d.c.Clock.Sleep(hard, d.c.Clock.Monotonic()+int64(d.c.Grace)) == nil {
		giveUp(fmt.Errorf("storing what was left took longer than %v", d.c.Grace))
	}
}

// wait returns whether ended comes, at the latest so long after late.
func wait(ended, late <-chan struct{}, most time.Duration) bool {
	select {
	case <-ended:
		return true
	case <-late:
	}
	limit := time.NewTimer(most)
	defer limit.Stop()
	select {
	case <-ended:
		return true
	case <-limit.C:
		return false
	}
}

// hanging names what has not ended.
func (d *Daemon) hanging() (all []string) {
	for _, st := range d.streams {
		if st.State() != Ended {
			all = append(all, "the source of "+st.ID)
		}
	}
	for _, dr := range d.drains {
		if !dr.done.Load() {
			all = append(all, "reader "+dr.reader.Name+" of "+dr.from.ID)
		}
	}
	for _, p := range d.passers {
		if p.busy.Load() {
			all = append(all, "the sync of "+p.sink.Name)
		}
	}
	return all
}

// outcome is the error of a run whose drains and pumps ended with errs, in
// their order, and in which nothing was to go on after cause.
func (d *Daemon) outcome(errs []error, cause error) error {
	err := errors.Join(errs...)
	if cause == nil || err == nil {
		return err
	}
	var left []string
	for i, dr := range d.drains {
		if frames := dr.from.captured() - dr.written(); errs[i] != nil && frames > 0 {
			left = append(left, fmt.Sprintf("%v of %s (%s)", dr.from.Format.Duration(frames).Round(time.Millisecond), dr.from.ID, dr.reader.Name))
		}
	}
	text := ""
	if len(left) > 0 {
		text = "; not written: " + strings.Join(left, ", ")
	}
	stopped := fmt.Errorf("session %d stopped before all was stored: %w%s", d.Session(), cause, text)
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			stopped = errors.Join(stopped, err)
		}
	}
	return stopped
}
