package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
)

// want complains of each series that has not its value.
func (got series) want(t *testing.T, when any, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if v, ok := got[name]; !ok || math.Abs(v-value) > 2e-6 {
			t.Errorf("%v: %s is %v, want %v", when, name, v, value)
		}
	}
}

// forgetful loses forty frames of each 40,000.
type forgetful struct {
	source.Source
	frames int
}

func (s *forgetful) Read(ctx context.Context, p []byte) (source.Packet, error) {
	pk, err := s.Source.Read(ctx, p)
	if s.frames += pk.Frames; s.frames >= 40_000 && pk.Frames > 40 {
		s.frames = 0
		pk.Lost, pk.Cause = 40, audio.XRun
		pk.Frames = copy(p, p[40*mono.FrameBytes():pk.Frames*mono.FrameBytes()]) / mono.FrameBytes()
	}
	return pk, err
}

// eventful is a daemon with a microphone that loses frames and is unplugged for
// five seconds, another that is well, and three sinks: one that is well, one
// that is slower than the sound, and one whose disk is full for ten seconds.
func eventful(t *testing.T) *bench {
	b := newBench(t)
	watched(b)
	open := b.unplugged(10*time.Second, 15*time.Second, 0)
	b.sensor("gone", mono, 4*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
		src, err := open(ctx, admit)
		return &forgetful{Source: src}, err
	})
	b.sensor("well", mono, 4*time.Second, nil)
	b.reader("disk", mem.New(), time.Second, byBytes)
	b.reader("slow", &slowBucket{mem.New(), b.clock}, 500*time.Millisecond, byBytes)
	from := b.clock.Monotonic() + int64(20*time.Second)
	b.reader("full", &diskBucket{failingBucket{mem.New(), b.clock, from, from + int64(10*time.Second)}, syscall.ENOSPC}, time.Second, byBytes)
	return b
}

// sameAsStatus compares a scrape with the status at the same instant.
func sameAsStatus(t *testing.T, when any, got series, s Status) {
	t.Helper()
	bound := map[string]float64{}
	for _, dr := range s.Drains {
		reader, sink := fmt.Sprintf(`{reader=%q,sensor=%q}`, dr.Reader, dr.Sensor), fmt.Sprintf(`{sensor=%q,sink=%q}`, dr.Sensor, dr.Sink)
		at := slices.IndexFunc(s.Sensors, func(s SensorStatus) bool { return s.ID == dr.Sensor })
		bound[dr.Sink] = max(bound[dr.Sink], float64(s.Sensors[at].Captured-dr.Durable)/float64(mono.Rate))
		got.want(t, when, map[string]float64{
			"reader_lag_frames" + reader:        float64(dr.Lag),
			"reader_lost_frames_total" + reader: float64(dr.Overrun),
			"written_position_frames" + sink:    float64(dr.Written),
			"durable_position_frames" + sink:    float64(dr.Durable),
			"sink_chunks_total" + sink:          float64(dr.Chunks),
			"sink_bytes_total" + sink:           float64(dr.Bytes),
		})
	}
	for sink, seconds := range bound {
		got.want(t, when, map[string]float64{fmt.Sprintf(`sink_loss_bound_seconds{sink=%q}`, sink): seconds})
	}
	for _, st := range s.Sensors {
		up := 0.0
		if st.State == "recording" {
			up = 1
		}
		sensor := fmt.Sprintf(`{sensor=%q}`, st.ID)
		got.want(t, when, map[string]float64{
			"captured_position_frames" + sensor: float64(st.Captured),
			"source_up" + sensor:                up,
			"source_frames_total" + sensor:      float64(st.Captured - st.LostFrames),
		})
	}
}

// sameAsIndex compares what a sensor's series say in the end with what was
// stored of it.
func sameAsIndex(t *testing.T, got series, sensor, name string, told indexed) {
	t.Helper()
	lost := told.missing[audio.Overrun] + told.missing[audio.Disk]
	sink, source := fmt.Sprintf(`{sensor=%q,sink=%q}`, sensor, name), fmt.Sprintf(`{sensor=%q}`, sensor)
	got.want(t, name, map[string]float64{
		fmt.Sprintf(`reader_lost_frames_total{reader=%q,sensor=%q}`, name, sensor): float64(lost),
		"written_position_frames" + sink:                                           float64(told.end),
		"durable_position_frames" + sink:                                           float64(told.end),
		"captured_position_frames" + source:                                        float64(told.end),
		"sink_chunks_total" + sink:                                                 float64(told.chunks),
		"sink_bytes_total" + sink:                                                  float64(told.bytes),
	})
	// A hole has whole frames, so times behind holes are not quite those of a nominal rate.
	newest, near := told.begin.Add(mono.Duration(told.end)), mono.Duration(2)
	if at := got["sink_durable_timestamp_seconds"+sink]; math.Abs(at-float64(newest.UnixMicro())/1e6) > near.Seconds() {
		t.Errorf("%s: the newest durable frame of %s is of %v, want %v", name, sensor, at, newest)
	}
	if lost > 0 {
		return // holes of the source may lie in those of the sink
	}
	got.want(t, name, map[string]float64{"source_frames_total" + source: float64(told.sound)})
	for _, cause := range []audio.Cause{audio.XRun, audio.Source, audio.Device, audio.Suspend, audio.Stopped} {
		labels := fmt.Sprintf(`{cause=%q,sensor=%q}`, cause, sensor)
		got.want(t, name, map[string]float64{
			"holes_total" + labels:       float64(told.holes[cause]),
			"hole_frames_total" + labels: float64(told.missing[cause]),
		})
	}
}

func TestMetricsSayWhatTheStatusAndTheIndexSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := eventful(t)
		most := map[string]float64{}
		var begin time.Time
		d := b.watch(40*time.Second, 500*time.Millisecond, func(d *Daemon, at time.Duration) {
			got, s := b.scrape(), d.Status()
			sameAsStatus(t, at, got, s)
			for name, v := range got {
				most[name] = max(most[name], v)
			}
			begin, _ = d.streams[1].utc(0)
			for _, dr := range s.Drains {
				if newest := begin.Add(mono.Duration(dr.Durable)); dr.Sensor == "well" {
					got.want(t, at, map[string]float64{fmt.Sprintf(`sink_durable_timestamp_seconds{sensor="well",sink=%q}`, dr.Sink): float64(newest.UnixMicro()) / 1e6})
				}
			}
		})
		got := b.scrape()
		sameAsStatus(t, "at the end", got, d.Status())
		for sensor, source := range map[string]string{"gone": "gone", "well": "well"} {
			for name := range b.stores {
				sameAsIndex(t, got, source, name, b.told(name, sensor))
			}
		}
		if !begin.Equal(b.told("disk", "well").begin) {
			t.Errorf("the session begins at %v, the index says %v", begin, b.told("disk", "well").begin)
		}
		// It was as eventful as it should be.
		for _, c := range []struct {
			name        string
			least, most float64
		}{
			{`hole_frames_total{cause="device",sensor="gone"}`, 5 * 8000, 6 * 8000},
			{`holes_total{cause="device",sensor="gone"}`, 1, 1},
			{`hole_frames_total{cause="xrun",sensor="gone"}`, 5 * 40, 10 * 40},
			{`holes_total{cause="xrun",sensor="gone"}`, 5, 10},
			{`source_restarts_total{reason="stall",sensor="gone"}`, 1, 1},
			{`source_restarts_total{reason="error",sensor="gone"}`, 5, 50},
			{`source_restarts_total{reason="error",sensor="well"}`, 0, 0},
			{`reader_lost_frames_total{reader="disk",sensor="well"}`, 0, 0},
			{`reader_lost_frames_total{reader="slow",sensor="well"}`, 8 * 8000, 30 * 8000},
			{`reader_lost_frames_total{reader="full",sensor="well"}`, 5 * 8000, 9 * 8000},
			{`sink_errors_total{reason="full",sink="full"}`, 10, 200},
			{`sink_errors_total{reason="io",sink="full"}`, 0, 0},
			{`sink_errors_total{reason="full",sink="disk"}`, 0, 0},
			{`sink_loss_bound_seconds{sink="full"}`, 4, 6},
			{`sink_loss_bound_seconds{sink="disk"}`, 0.5, 2},
			{`reader_lag_frames{reader="full",sensor="well"}`, 3 * 8000, 5 * 8000},
		} {
			if v := most[c.name]; v < c.least || v > c.most {
				t.Errorf("%s came to %v, want %v to %v", c.name, v, c.least, c.most)
			}
		}
		if n := got[`source_restarts_total{reason="stall",sensor="gone"}`] + got[`source_restarts_total{reason="error",sensor="gone"}`]; int64(n) != d.Status().Sensors[0].Restarts {
			t.Errorf("%v restarts of %d", n, d.Status().Sensors[0].Restarts)
		}
	})
}

// TestEachErrorOfASinkIsCountedByItsReason fails at what a drain does, and at
// what is done for all drains of a sink.
func TestEachErrorOfASinkIsCountedByItsReason(t *testing.T) {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{syscall.ENOSPC, "full"}, {syscall.EDQUOT, "full"}, {syscall.EROFS, "readonly"}, {syscall.EIO, "io"}, {sink.ErrExists, "exists"}, {errors.New("on fire"), "other"},
	} {
		for _, fails := range []string{"create", "sync"} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				watched(b)
				var failed atomic.Int64
				from := b.clock.Monotonic() + int64(5*time.Second)
				b.sensor("mic", mono, 10*time.Second, nil)
				b.reader("disk", hook(false, func(what string) error {
					if now := b.clock.Monotonic(); what != fails || now < from || now >= from+int64(4*time.Second) {
						return nil
					}
					failed.Add(1)
					return fmt.Errorf("%s: %w", what, c.err)
				}), 3*time.Second, byBytes)
				d := b.watch(15*time.Second, time.Second, func(*Daemon, time.Duration) {})
				n, passes := failed.Load(), int64(0)
				if fails == "sync" { // the drain meets it too, at its next write
					passes = d.passers[0].errs[sinkReason(c.err)].Load()
					n = passes + d.drains[0].errs[sinkReason(c.err)].Load()
				}
				for _, reason := range sinkReasons {
					want := 0.0
					if reason == c.reason {
						want = float64(n)
					}
					b.scrape().want(t, fails, map[string]float64{fmt.Sprintf(`sink_errors_total{reason=%q,sink="disk"}`, reason): want})
				}
				if failed.Load() == 0 || (passes > 0) != (fails == "sync") {
					t.Errorf("%s failed %d times, with %d passes", fails, failed.Load(), passes)
				}
			})
		}
	}
}

// takesTime is a clock on which each reading is later than the one before.
type takesTime struct {
	clock.Clock
	each time.Duration
	mu   sync.Mutex // guards late
	late time.Duration
}

func (c *takesTime) Monotonic() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late += c.each
	return c.Clock.Monotonic() + int64(c.late)
}

func TestCommitsAreTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("a", mono, 5*time.Second, nil)
		b.sensor("b", mono, 5*time.Second, nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(10*time.Second, time.Second, func(*Daemon, time.Duration) {})
		chunks := b.told("disk", "a").chunks + b.told("disk", "b").chunks
		b.scrape().want(t, "at the end", map[string]float64{`sink_commit_duration_seconds_count{sink="disk"}`: float64(chunks)})

		s := &Sink{Store: b.stores["disk"], commits: newCommitTimes().WithLabelValues("disk"), clock: &takesTime{Clock: b.clock, each: 300 * time.Millisecond}}
		times := newCommitTimes()
		s.commits = times.WithLabelValues("disk")
		draft, err := s.timed().Bucket.(sink.Creator).Create(t.Context(), "x.wav")
		if err == nil {
			err = draft.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		b.config.Registry = prometheus.NewRegistry()
		b.config.Registry.MustRegister(times)
		b.scrape().want(t, "one of 0.3 s", map[string]float64{
			`sink_commit_duration_seconds_sum{sink="disk"}`:                0.3,
			`sink_commit_duration_seconds_bucket{sink="disk",le="0.1024"}`: 0,
			`sink_commit_duration_seconds_bucket{sink="disk",le="0.4096"}`: 1,
		})
	})
}

// slowly is a collector that lets time pass behind each of its metrics.
type slowly struct {
	prometheus.Collector
	pass func()
}

func (s slowly) Collect(out chan<- prometheus.Metric) {
	in := make(chan prometheus.Metric)
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(in)
		s.Collector.Collect(in)
	})
	for m := range in {
		out <- m
		s.pass()
	}
	wait.Wait()
}

// TestWatermarksAreReadFromTheRight lets time pass while they are read: what is
// durable was written, and what was written was captured.
func TestWatermarksAreReadFromTheRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := &spied{Clock: b.clock}
		b.config.Clock = c
		b.sensor("a", mono, 5*time.Second, nil)
		b.sensor("b", mono, 5*time.Second, nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(2*time.Minute, time.Minute, func(d *Daemon, at time.Duration) {
			if at > time.Minute {
				return
			}
			look := func() { b.pass(1300 * time.Millisecond) }
			c.look.Store(&look)
			s := d.Status()
			c.look.Store(nil)
			for i, dr := range s.Drains {
				if st := s.Sensors[i%2]; dr.Sensor != st.ID || dr.Durable == 0 || dr.Durable > dr.Written || dr.Written > st.Captured || st.ForSeconds < 30 {
					t.Errorf("%+v of %+v", dr, st)
				}
			}
			b.config.Registry = prometheus.NewRegistry()
			b.config.Registry.MustRegister(slowly{newCollector(d), func() { b.pass(1300 * time.Millisecond) }})
			begun := time.Now()
			got := b.scrape()
			for _, id := range []string{"a", "b"} {
				durable, written, captured := got[`durable_position_frames{sensor="`+id+`",sink="disk"}`], got[`written_position_frames{sensor="`+id+`",sink="disk"}`], got[`captured_position_frames{sensor="`+id+`"}`]
				if durable == 0 || durable > written || written > captured {
					t.Errorf("%s: %v durable, %v written, %v captured", id, durable, written, captured)
				}
			}
			if time.Since(begun) < 20*time.Second {
				t.Errorf("no time has passed while the metrics were read: %v", time.Since(begun))
			}
		})
	})
}
