package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/reader"
)

// margin is the part of its window that a drain gives up when it was lapped.
const margin = 0.25

// A Daemon is one run of all sensors.
type Daemon struct {
	c        Config
	named    Named // the first session
	sessions *Registry
	turns    turns
	time     *timekeeper
	zero     time.Time     // UTC at which the first session begins
	labels   *clock.Labels // by which the frames of sensors have a UTC
	own      bool          // see inOwnTime
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
	d := &Daemon{c: c, commits: newCommitTimes(), limit: newLimiter(c.Clock), own: c.inOwnTime()}
	if err := d.beginTime(ctx); err != nil {
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
	st, err := newStream(s, len(mine), d.time, d.labels)
	if err != nil {
		return err
	}
	st.own = d.own
	st.since.Store(d.time.zero.Mono)
	if err := st.dates.ledger.AppendMark(clock.Mark{Session: d.named.ID}); err != nil {
		return fmt.Errorf("make the ledger of %s: %w", s.ID, err)
	}
	w, err := st.ring.Writer()
	if err != nil {
		return fmt.Errorf("make the ring of %s: %w", s.ID, err)
	}
	log := d.c.Log.With(zap.String("sensor", s.ID))
	p := &pump{stream: st, w: w, clock: d.c.Clock, time: d.time, turns: &d.turns, log: log, limit: d.limit}
	d.streams, d.pumps = append(d.streams, st), append(d.pumps, p)
	from := len(d.drains)
	for _, r := range mine {
		if err := d.addReader(r, st, log); err != nil {
			return err
		}
	}
	st.needs = neededBy(st, d.drains[from:])
	if s.Unpaced {
		st.gate = newGate(roomFor(st, d.drains[from:]))
	}
	return nil
}

func (d *Daemon) addReader(r Reader, st *stream, log *zap.Logger) error {
	dr := &drain{
		reader: r, from: st, daemon: d, clock: d.c.Clock, limit: d.limit, strict: d.c.Strict,
		log: log.With(zap.String("reader", r.Name), zap.String("sink", r.Sink)), buffers: &d.buffers,
	}
	dr.progress.Store(new(progress))
	dr.begin(st.session(0), nil)
	var err error
	if dr.r, err = reader.Open(st.ring, reader.Keys(dr.keys), reader.MarginBy(dr.resumeAt)); err != nil {
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

// neededBy tells before which position nobody asks the ledger of st: all of the
// ring may be listened to, and a drain has still to store times.
func neededBy(st *stream, drains []*drain) func() audio.Pos {
	return func() audio.Pos {
		needs := st.ring.Bounds().From
		for _, d := range drains {
			if !d.done.Load() {
				needs = min(needs, audio.Pos(d.needs.Load()))
			}
		}
		return needs
	}
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

// Session is the newest session.
func (d *Daemon) Session() audio.Session {
	n, _ := d.turns.last(d.named)
	return n.ID
}
