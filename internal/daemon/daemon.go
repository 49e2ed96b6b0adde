package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// resumeAt is the part of its window that a drain gives up when it was lapped.
const resumeAt = 0.5

// DefaultGrace is how long stopping may take: less than the service manager's
// own patience.
const DefaultGrace = 25 * time.Second

// A Daemon is one run of all sensors.
type Daemon struct {
	c       Config
	session audio.Session
	zero    time.Time // UTC at which the session begins
	began   int64     // the same instant, CLOCK_MONOTONIC ns
	streams []*stream
	pumps   []*pump
	drains  []*drain
	passers []*passer
	limit   *limiter
	commits *prometheus.HistogramVec
	turned  lap
}

// New makes the rings and readers of a run and names its session. Nothing is
// captured before Run.
func New(ctx context.Context, c Config) (*Daemon, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	c.Sinks = slices.Clone(c.Sinks)
	d := &Daemon{c: c, commits: newCommitTimes(), limit: newLimiter(c.Clock), zero: c.Start, began: c.Clock.Monotonic()}
	if d.zero.IsZero() {
		d.zero = c.Clock.UTC()
	}
	var err error
	if d.session, err = nextSession(ctx, d.zero, c.Sinks); err != nil {
		return nil, err
	}
	for i := range c.Sinks {
		c.Sinks[i].commits, c.Sinks[i].clock = d.commits.WithLabelValues(c.Sinks[i].Name), c.Clock
	}
	for _, s := range c.Sensors {
		if err := d.addSensor(s); err != nil {
			return nil, err
		}
	}
	for i := range c.Sinks {
		p := &passer{sink: &c.Sinks[i], log: c.Log, limit: d.limit}
		for _, dr := range d.drains {
			if dr.sink == p.sink {
				p.drains = append(p.drains, dr)
			}
		}
		d.passers = append(d.passers, p)
	}
	return d, nil
}

// addSensor makes the ring of s, its pump, and a drain for each reader that
// names it.
func (d *Daemon) addSensor(s Sensor) error {
	var mine []Reader
	for _, r := range d.c.Readers {
		for _, id := range r.Sensors {
			if id == s.ID {
				mine = append(mine, r)
			}
		}
	}
	st, err := newStream(s, len(mine))
	if err != nil {
		return err
	}
	w, err := st.ring.Writer()
	if err != nil {
		return fmt.Errorf("make the ring of %s: %w", s.ID, err)
	}
	log := d.c.Log.With(zap.String("sensor", s.ID))
	p := &pump{stream: st, w: w, clock: d.c.Clock, log: log, limit: d.limit, zero: d.zero, end: d.began, trouble: d.began}
	d.streams, d.pumps = append(d.streams, st), append(d.pumps, p)
	from := len(d.drains)
	for _, r := range mine {
		if err := d.addReader(r, st, log); err != nil {
			return err
		}
	}
	if s.Unpaced {
		st.gate = newGate(roomFor(st, d.drains[from:]))
	}
	return nil
}

func (d *Daemon) addReader(r Reader, st *stream, log *zap.Logger) error {
	keys := r.Keys(st.Format, st.mark)
	// A reader that resumes at the oldest frame is lapped again at once.
	rd, err := reader.Open(st.ring, reader.Keys(keys), reader.Margin(resumeAt))
	if err != nil {
		return fmt.Errorf("open reader %s of %s: %w", r.Name, st.ID, err)
	}
	dr := &drain{
		reader: r, session: d.session, from: st, r: rd, keys: keys, clock: d.c.Clock, limit: d.limit, strict: d.c.Strict,
		log: log.With(zap.String("reader", r.Name), zap.String("sink", r.Sink)),
	}
	for i := range d.c.Sinks {
		if d.c.Sinks[i].Name == r.Sink {
			dr.sink = &d.c.Sinks[i]
		}
	}
	d.drains = append(d.drains, dr)
	return nil
}

// roomFor tells how many frames may be written before one of the readers
// loses any.
func roomFor(st *stream, drains []*drain) func() int64 {
	return func() int64 {
		room := st.Window
		for _, d := range drains {
			if !d.done.Load() {
				room = min(room, st.Window-d.r.Lag())
			}
		}
		return room
	}
}

// Session names the run.
func (d *Daemon) Session() audio.Session { return d.session }

// Run captures and stores. When stop ends it stops the sources, stores what
// is left and returns nil. When kill ends, or stopping takes longer than the
// grace, what is open is left as it is, and Run says so.
func (d *Daemon) Run(stop, kill context.Context) error {
	d.c.Log.Info("session begins", zap.Int64("session", int64(d.session)), zap.Int("sensors", len(d.streams)), zap.Int("readers", len(d.drains)))
	hard, giveUp := context.WithCancelCause(context.WithoutCancel(kill))
	defer giveUp(nil)
	defer context.AfterFunc(kill, func() { giveUp(errors.New("told to stop at once")) })()
	soft, end := context.WithCancel(stop)
	defer end()

	// Only who was told to stop is in a hurry.
	defer context.AfterFunc(stop, func() {
		if d.c.Clock.Sleep(hard, d.c.Clock.Monotonic()+int64(d.c.Grace)) == nil {
			giveUp(fmt.Errorf("storing what was left took longer than %v", d.c.Grace))
		}
	})()
	serve := d.startServing(hard)
	var pumps, drains, passers sync.WaitGroup
	errs := make([]error, len(d.drains)+len(d.pumps))
	for i, dr := range d.drains {
		drains.Go(func() {
			if errs[i] = dr.run(hard); errs[i] != nil && d.c.Strict {
				end() // nothing that is replayed now could be stored
			}
		})
	}
	for _, p := range d.passers {
		passers.Go(func() { p.run(hard) })
	}
	for i, p := range d.pumps {
		pumps.Go(func() {
			if err := p.run(soft); d.c.UntilEnded {
				errs[len(d.drains)+i] = err
			} else if err != nil {
				p.log.Error(err.Error() + "\n    It ends here; the other sensors go on.")
			}
		})
	}
	var watch sync.WaitGroup
	watch.Go(func() { d.supervise(hard) })

	if d.c.UntilEnded {
		pumps.Wait()
	} else {
		<-soft.Done()
		d.notify("STOPPING=1")
		d.c.Log.Info("stopping: storing what is left")
	}
	pumps.Wait()
	drains.Wait()
	cause := context.Cause(hard)
	giveUp(nil)
	passers.Wait()
	watch.Wait()
	err := errors.Join(errs...)
	if cause != nil {
		err = fmt.Errorf("stopped before all was stored: %w", cause)
	}
	d.c.Log.Info("session ends", zap.Int64("session", int64(d.session)), zap.Error(err))
	return errors.Join(err, serve())
}
