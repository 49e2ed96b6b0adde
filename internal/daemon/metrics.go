package daemon

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// describe names a metric of the daemon.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ingestd_"+name, help, labels, nil)
}

// A collector reads the state of the daemon when it is scraped, so that
// counting costs the sound nothing.
type collector struct {
	d *Daemon
	m metrics
}

type metrics struct {
	build                                            *prometheus.Desc
	up, off, frames, rate, restarts                  *prometheus.Desc
	holes, holeFrames, capacity, captured            *prometheus.Desc
	lag, readerLost, written, durable, chunks, bytes *prometheus.Desc
	durableTime, errors, bound, free, size           *prometheus.Desc
	sessions, sessionStart, suppressed               *prometheus.Desc
	drift, anchorErr, lostErr                        *prometheus.Desc
	clockErr, synchronised, steps                    *prometheus.Desc
}

// Register adds the daemon's metrics to its registry.
func (d *Daemon) Register() error {
	if err := d.c.Registry.Register(d.commits); err != nil {
		return err
	}
	return d.c.Registry.Register(newCollector(d))
}

func newCollector(d *Daemon) *collector {
	return &collector{d: d, m: metrics{
		build:        describe("build_info", "What was built; always 1.", "version", "revision", "goversion"),
		up:           describe("source_up", "Whether the sensor's source delivers frames.", "sensor"),
		off:          describe("source_off", "Whether the source is off because it is on demand and nobody reads the sensor.", "sensor"),
		frames:       describe("source_frames_total", "Frames captured.", "sensor"),
		rate:         describe("source_sample_rate_hertz", "Nominal rate of the sensor.", "sensor"),
		restarts:     describe("source_restarts_total", "How often the source broke or could not be opened.", "sensor", "reason"),
		holes:        describe("holes_total", "Holes in the stream, as it was captured.", "sensor", "cause"),
		holeFrames:   describe("hole_frames_total", "Frames that were never captured.", "sensor", "cause"),
		capacity:     describe("ring_capacity_frames", "How many frames a reader may fall behind.", "sensor"),
		captured:     describe("captured_position_frames", "Frames captured or lost since the start.", "sensor"),
		lag:          describe("reader_lag_frames", "Frames in the ring that the reader has not taken yet.", "sensor", "reader"),
		readerLost:   describe("reader_lost_frames_total", "Frames overwritten before the reader took them.", "sensor", "reader"),
		written:      describe("written_position_frames", "Frames since the start given to the sink, lost ones included.", "sensor", "sink"),
		durable:      describe("durable_position_frames", "Frames since the start, lost ones included, of which a power cut cannot take any.", "sensor", "sink"),
		chunks:       describe("sink_chunks_total", "Chunks that have their name.", "sensor", "sink"),
		bytes:        describe("sink_bytes_total", "Bytes of chunks that have their name.", "sensor", "sink"),
		durableTime:  describe("sink_durable_timestamp_seconds", "Capture time of the newest durable frame; the beginning of the session before there is one.", "sensor", "sink"),
		errors:       describe("sink_errors_total", "Errors of the sink.", "sink", "reason"),
		bound:        describe("sink_loss_bound_seconds", "How much sound a power cut would cost now.", "sink"),
		free:         describe("sink_free_bytes", "Free space of the sink's volume.", "sink"),
		size:         describe("sink_size_bytes", "Size of the sink's volume.", "sink"),
		sessions:     describe("sessions_started_total", "Sessions begun by this process.", "reason"),
		sessionStart: describe("session_start_timestamp_seconds", "When the session began."),
		drift:        describe("source_rate_ppm", "How much faster than its nominal rate the device is, in millionths, as measured; 0 if its times are given.", "sensor"),
		anchorErr:    describe("source_anchor_error_seconds", "Half width of what the time of the newest second of sound is known to, on the machine's own time.", "sensor"),
		lostErr:      describe("hole_error_frames_total", "Half widths of what the lengths of holes are known to, all together.", "sensor"),
		clockErr:     describe("clock_error_seconds", "Half width of what the wall clock is known to."),
		synchronised: describe("clock_synchronized", "Whether the wall clock is kept right, by NTP or the like, as far as the system knows."),
		steps:        describe("clock_steps_total", "How often the wall clock was set while the daemon ran."),
		suppressed:   describe("log_suppressed_total", "Messages not logged when they came, because they repeat or the log is not read."),
	}}
}

// Describe sends nothing: the collector is unchecked, because which series
// there are depends on the configuration.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the daemon.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	m, v := &c.m, c.d.c.Version
	gauge(m.build, 1, v.Version, v.Revision, v.Go)
	last, turns := c.d.turns.last(c.d.named)
	count(m.sessions, 1, "start")
	count(m.sessions, int64(turns), "rotate")
	gauge(m.sessionStart, float64(last.ID)/1000)
	c.time(gauge, count)
	dropped := int64(0)
	if q, ok := c.d.c.Log.Core().(*LogQueue); ok {
		dropped = q.Dropped()
	}
	count(m.suppressed, c.d.limit.suppressed.Load()+dropped)
	// From the right to the left, so that captured >= written >= durable.
	for _, dr := range c.d.drains {
		c.drain(dr, gauge, count)
	}
	for _, st := range c.d.streams {
		c.stream(st, gauge, count)
	}
	for i := range c.d.c.Sinks {
		c.sink(&c.d.c.Sinks[i], gauge, count)
	}
}

type (
	gaugeFunc func(d *prometheus.Desc, v float64, labels ...string)
	countFunc func(d *prometheus.Desc, v int64, labels ...string)
)

// time is what is known of the machine's clock.
func (c *collector) time(gauge gaugeFunc, count countFunc) {
	m, label, on := &c.m, c.d.time.newest(), 0.0
	if label.Sync == clock.SyncYes {
		on = 1
	}
	gauge(m.clockErr, float64(label.Err)/1e9)
	gauge(m.synchronised, on)
	count(m.steps, c.d.time.steps.Load())
}

func (c *collector) stream(st *stream, gauge gaugeFunc, count countFunc) {
	m, up, off := &c.m, 0.0, 0.0
	switch st.State() {
	case Recording:
		up = 1
	case Off:
		off = 1
	case Starting, Retrying, Ended:
	}
	gauge(m.up, up, st.ID)
	gauge(m.off, off, st.ID)
	gauge(m.rate, float64(st.Format.Rate), st.ID)
	gauge(m.capacity, float64(st.Window), st.ID)
	gauge(m.captured, float64(st.captured()), st.ID)
	count(m.frames, st.frames.Load(), st.ID)
	ppm, _ := st.dates.drift()
	gauge(m.drift, ppm, st.ID)
	gauge(m.anchorErr, float64(st.dates.err.Load())/1e9, st.ID)
	count(m.lostErr, st.dates.lostErr.Load(), st.ID)
	for i, why := range source.Reasons() {
		count(m.restarts, st.restarts[i].Load(), st.ID, string(why))
	}
	for _, cause := range []audio.Cause{audio.XRun, audio.Source, audio.Device, audio.Suspend, audio.Stopped} {
		count(m.holes, st.holes[cause].Load(), st.ID, cause.String())
		count(m.holeFrames, st.lost[cause].Load(), st.ID, cause.String())
	}
}

func (c *collector) drain(dr *drain, gauge gaugeFunc, count countFunc) {
	m, s, id := &c.m, dr.status(), dr.from.ID
	gauge(m.lag, float64(s.Lag), id, s.Reader)
	count(m.readerLost, s.Overrun, id, s.Reader)
	gauge(m.written, float64(s.Written), id, s.Sink)
	count(m.chunks, s.Chunks, id, s.Sink)
	count(m.bytes, s.Bytes, id, s.Sink)
	if dr.sink.Never {
		return // nothing is claimed
	}
	gauge(m.durable, float64(s.Durable), id, s.Sink)
	at, _ := dr.from.utc(audio.Pos(s.Durable))
	if at.IsZero() {
		at = c.d.zero
	}
	gauge(m.durableTime, float64(at.UnixMicro())/1e6, id, s.Sink)
}

func (c *collector) sink(s *Sink, gauge gaugeFunc, count countFunc) {
	m := &c.m
	var errs [len(sinkReasons)]int64
	bound := time.Duration(0)
	for _, dr := range c.d.drains {
		if dr.sink != s {
			continue
		}
		for i := range errs {
			errs[i] += dr.errs[i].Load()
		}
		durable := dr.status().Durable // first: captured may only be further
		bound = max(bound, dr.from.Format.Duration(dr.from.captured()-durable))
	}
	for _, p := range c.d.passers {
		for i := range errs {
			if p.sink == s {
				errs[i] += p.errs[i].Load()
			}
		}
	}
	for i, why := range sinkReasons {
		count(m.errors, errs[i], s.Name, why)
	}
	if !s.Never {
		gauge(m.bound, bound.Seconds(), s.Name)
	}
	if s.Space == nil {
		return
	}
	if free, size, err := s.Space(); err == nil {
		gauge(m.free, float64(free), s.Name)
		gauge(m.size, float64(size), s.Name)
	}
}

// A requestCounter counts HTTP requests by route and status.
type requestCounter struct{ requests *prometheus.CounterVec }

func newRequestCounter(reg *prometheus.Registry) requestCounter {
	c := requestCounter{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ingestd_http_requests_total", Help: "HTTP requests answered.",
	}, []string{"route", "code"})}
	// Registering the same metric of the same registry again is the only error.
	_ = reg.Register(c.requests)
	return c
}

func (c requestCounter) count(route string, next http.Handler) http.Handler {
	c.requests.WithLabelValues(route, "200") // it exists, at zero, from the start
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &statusRecorder{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(s, r)
		c.requests.WithLabelValues(route, s.label()).Inc()
	})
}
