// Package tone is a source that makes its own sound: a sine, a sweep, or a
// ramp whose every sample tells its position. It needs no device and no file,
// so it stands in for a microphone in demonstrations and tests.
package tone

import (
	"context"
	"io"
	"math"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// Kind says what a tone sounds like.
type Kind string

// The kinds.
const (
	Sine  Kind = "sine"  // Hz, for ever
	Sweep Kind = "sweep" // evenly from Hz to HzTo, again and again
	Ramp  Kind = "ramp"  // see RampAt
)

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, error) {
	switch k := Kind(name); k {
	case Sine, Sweep, Ramp:
		return k, nil
	}
	return "", source.Faultf(source.Failed, "unknown kind of tone %q: use sine, sweep or ramp", name)
}

// Config describes a tone. Only Format is required.
type Config struct {
	Format    audio.Format
	Kind      Kind          // "": sine
	Hz        float64       // of a sine, and where a sweep begins; 0: 440; to the µHz for a sine, the mHz for a sweep
	HzTo      float64       // where a sweep ends; 0: half the rate
	Period    time.Duration // of a sweep; 0: 10 s; at most a minute
	Amplitude float64       // peak of a sine or sweep, above 0 to 1; 0: 0.5
	Frames    int64         // then io.EOF; 0: endless
	Speed     float64       // 1: real time, N: N times faster, 0: as fast as it is read
	Batch     time.Duration // frames come at multiples of this; 0: source.DefaultBatch
	Clock     clock.Clock   // nil: the machine's
	Start     time.Time     // of the first frame; zero: it is captured now
	Admit     source.Admit  // gate for Speed 0; nil: none
}

// Source is a tone. See source.Source.
type Source struct {
	c     Config
	pace  *source.Pace
	phase phase // nil: the ramp
	table *table
	pos   int64
}

var _ source.Dated = (*Source)(nil)

// Open checks the configuration and starts the tone: its first frame begins
// now. It does not wait.
func Open(_ context.Context, c Config) (*Source, error) {
	if err := c.Format.Check(); err != nil {
		return nil, &source.Fault{Reason: source.Failed, Err: err}
	}
	c = c.defaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	pace, err := source.NewPace(source.PaceConfig{Clock: c.Clock, Rate: c.Format.Rate, Speed: c.Speed, Batch: c.Batch, Admit: c.Admit})
	if err != nil {
		return nil, err
	}
	s := &Source{c: c, pace: pace}
	switch c.Kind {
	case Sine:
		s.phase, s.table = newSteady(c.Hz, c.Format.Rate), newTable()
	case Sweep:
		s.phase, s.table = newSweep(c.Hz, c.HzTo, c.Format.Rate, c.Format.Frames(c.Period)), newTable()
	}
	return s, nil
}

func (c Config) defaults() Config {
	if c.Kind == "" {
		c.Kind = Sine
	}
	if c.Hz == 0 {
		c.Hz = min(440, float64(c.Format.Rate)/4)
	}
	if c.HzTo == 0 {
		c.HzTo = float64(c.Format.Rate) / 2
	}
	if c.Period == 0 {
		c.Period = 10 * time.Second
	}
	if c.Amplitude == 0 {
		c.Amplitude = 0.5
	}
	return c
}

func (c Config) check() error {
	if _, err := ParseKind(string(c.Kind)); err != nil {
		return err
	}
	half := float64(c.Format.Rate) / 2
	if !(c.Hz >= 0 && c.Hz <= half) {
		return source.Faultf(source.Failed, "tone of %v Hz: a rate of %d Hz holds 0 to %v", c.Hz, c.Format.Rate, half)
	}
	if !(c.HzTo >= 0 && c.HzTo <= half) {
		return source.Faultf(source.Failed, "tone to %v Hz: a rate of %d Hz holds 0 to %v", c.HzTo, c.Format.Rate, half)
	}
	if c.Period > time.Minute || c.Format.Frames(c.Period) < 1 {
		return source.Faultf(source.Failed, "sweep of %v is out of range: one frame to 1m", c.Period)
	}
	if !(c.Amplitude > 0 && c.Amplitude <= 1) {
		return source.Faultf(source.Failed, "amplitude %v is out of range: above 0 to 1", c.Amplitude)
	}
	if c.Frames < 0 || c.Frames > math.MaxInt64/int64(time.Second) {
		return source.Faultf(source.Failed, "%d frames is out of range", c.Frames)
	}
	return nil
}

// Format is the configured one.
func (s *Source) Format() audio.Format { return s.c.Format }

// Start is the configured start.
func (s *Source) Start() (time.Time, bool) { return s.c.Start, !s.c.Start.IsZero() }

// Read makes the next frames. It allocates nothing but a timer when it waits.
func (s *Source) Read(ctx context.Context, p []byte) (source.Packet, error) {
	frame := s.c.Format.FrameBytes()
	want := len(p) / frame
	if want == 0 {
		return source.Packet{}, nil
	}
	if s.c.Frames > 0 {
		want = int(min(int64(want), s.c.Frames-s.pos))
	}
	if want == 0 {
		return source.Packet{}, io.EOF
	}
	n, err := s.pace.Take(ctx, s.pos, s.c.Frames, want)
	if err != nil {
		return source.Packet{}, err
	}
	if s.phase == nil {
		RampAt(s.c.Format, audio.Pos(s.pos), p[:n*frame])
	} else {
		s.phase.seek(s.pos)
		putWave(s.c.Format, p[:n*frame], s.phase, s.table, s.c.Amplitude)
	}
	first := s.pos == 0
	s.pos += int64(n)
	return source.Packet{Frames: n, At: s.pace.At(s.pos), Exact: true, First: first}, nil
}

// Close does nothing: a tone holds nothing.
func (s *Source) Close() error { return nil }
