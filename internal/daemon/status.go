package daemon

import (
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// Status is what a running daemon says of itself.
type Status struct {
	Session audio.Session  `json:"session"` // the newest
	First   audio.Session  `json:"first_session"`
	Turns   int            `json:"rotations"` // sessions that began behind the first
	Sensors []SensorStatus `json:"sensors"`
	Drains  []DrainStatus  `json:"readers"`
}

// SensorStatus is the state of one sensor. Positions and lengths are in
// frames, counted from the beginning of the first session.
type SensorStatus struct {
	ID         string  `json:"id"`
	State      string  `json:"state"`
	ForSeconds float64 `json:"state_for_seconds"`
	Rate       int     `json:"rate"`
	Channels   int     `json:"channels"`
	Encoding   string  `json:"encoding"`
	Captured   int64   `json:"captured"`
	Holes      int64   `json:"holes"`
	LostFrames int64   `json:"lost_frames"`
	Restarts   int64   `json:"restarts"`
	LastError  string  `json:"last_error"`
}

// DrainStatus is the state of one reader of one sensor.
type DrainStatus struct {
	Reader   string `json:"reader"`
	Sensor   string `json:"sensor"`
	Sink     string `json:"sink"`
	Lag      int64  `json:"lag_frames"`
	Written  int64  `json:"written"`
	Durable  int64  `json:"durable"`
	Chunks   int64  `json:"chunks"`
	Bytes    int64  `json:"bytes"`
	Overrun  int64  `json:"overrun_frames"`
	NotSaved string `json:"not_storing"` // why; "" if it stores
}

// Status may be called from any goroutine.
func (d *Daemon) Status() Status {
	last, turns := d.turns.last(d.named)
	s := Status{Session: last.ID, First: d.named.ID, Turns: turns}
	// From the right to the left, so that captured >= written >= durable.
	for _, dr := range d.drains {
		s.Drains = append(s.Drains, dr.status())
	}
	for _, st := range d.streams {
		s.Sensors = append(s.Sensors, st.status(d.c.Clock))
	}
	return s
}

func (s *stream) status(c clock.Clock) SensorStatus {
	since := s.since.Load()
	out := SensorStatus{
		ID: s.ID, State: s.State().String(),
		Rate: s.Format.Rate, Channels: s.Format.Channels, Encoding: s.Format.Encoding.String(),
		Captured: s.captured(),
	}
	for i := range s.holes {
		out.Holes += s.holes[i].Load()
		out.LostFrames += s.lost[i].Load()
	}
	for i := range s.restarts {
		out.Restarts += s.restarts[i].Load()
	}
	if f := s.fault.Load(); f != nil {
		out.LastError = *f
	}
	out.ForSeconds = time.Duration(c.Monotonic() - since).Seconds()
	return out
}

// captured is the head.
func (s *stream) captured() int64 { return int64(s.ring.Bounds().To) }

// away says whether the sensor delivers nothing and should: one that was never
// heard at once, another after a minute, one that broke for good for ever. A
// source on demand may take a minute to start.
func (s *stream) away(now int64) bool {
	switch s.State() {
	case Starting:
		return !s.OnDemand || now-s.since.Load() > int64(outageTolerant)
	case Retrying:
		return !s.heard.Load() || now-s.since.Load() > int64(outageTolerant)
	case Ended:
		return s.fault.Load() != nil
	case Recording, Off:
	}
	return false
}

func (d *drain) status() DrainStatus {
	out := DrainStatus{Reader: d.reader.Name, Sensor: d.from.ID, Sink: d.sink.Name, Lag: d.r.Lag(), Overrun: d.overrun.count.Load()}
	out.Durable = d.durable() // first: written may only be further
	out.Written = d.written()
	at := d.progress.Load()
	out.Chunks, out.Bytes = at.chunks, at.bytes
	if at.rec != nil {
		out.Chunks, out.Bytes = out.Chunks+at.rec.Chunks(), out.Bytes+at.rec.Bytes()
	}
	if f := d.failing.Load(); f != nil {
		out.NotSaved = *f
	}
	return out
}
