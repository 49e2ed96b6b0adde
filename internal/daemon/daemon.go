package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// margin is the part of its window that a drain gives up when it was lapped.
const margin = 0.25

// A Daemon is one run of all sensors.
type Daemon struct {
	c        Config
	session  audio.Session
	named    Named // how session came about
	sessions *Registry
	zero     time.Time // UTC at which the session begins
	began    int64     // the same instant, CLOCK_MONOTONIC ns
	streams  []*stream
	pumps    []*pump
	drains   []*drain
	passers  []*passer
	limit    *limiter
	commits  *prometheus.HistogramVec
	turned   lap
	buffers  buffers
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
	if d.named, err = d.nameRun(ctx, d.zero, !c.Start.IsZero()); err != nil {
		return nil, err
	}
	d.session = d.named.ID
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
	st.since.Store(d.began)
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
	dr := &drain{
		reader: r, session: d.session, from: st, keys: keys, clock: d.c.Clock, limit: d.limit, strict: d.c.Strict,
		log: log.With(zap.String("reader", r.Name), zap.String("sink", r.Sink)), buffers: &d.buffers,
	}
	var err error
	if dr.r, err = reader.Open(st.ring, reader.Keys(keys), reader.MarginBy(dr.resumeAt)); err != nil {
		return fmt.Errorf("open reader %s of %s: %w", r.Name, st.ID, err)
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
