package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/internal/daemon"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/pipe"
	"github.com/ingestd/ingestd/source/portaudio"
	"github.com/ingestd/ingestd/source/tone"
	"github.com/ingestd/ingestd/source/wavfile"
)

// An assembler turns the configuration into what the daemon is told. Every
// driver is chosen here, by a plain switch.
type assembler struct {
	p       *program
	c       *config
	log     *zap.Logger
	clock   clock.Clock
	turn    *portaudio.Turn
	lenient bool        // a source that cannot be opened stops nothing
	start   time.Time   // of the sound that is replayed, if it says; zero: now
	strict  bool        // a damaged WAV is refused
	open    []io.Closer // the buckets
}

func newAssembler(p *program, c *config, log *zap.Logger) *assembler {
	return &assembler{p: p, c: c, log: log, clock: p.clock, turn: portaudio.NewTurn()}
}

// Close closes the buckets.
func (a *assembler) Close() error {
	var errs []error
	for _, c := range slices.Backward(a.open) {
		errs = append(errs, c.Close())
	}
	a.open = nil
	return errors.Join(errs...)
}

// assemble opens the stores and describes every sensor, reader and sink. No
// source is opened for good: the daemon does that.
func (a *assembler) assemble(ctx context.Context) (daemon.Config, error) {
	var d daemon.Config
	for _, s := range a.c.enabled() {
		sensor, err := a.sensor(ctx, s)
		var told *configError
		switch {
		case errors.As(err, &told):
			return d, err // it names the sensor
		case err != nil:
			return d, fmt.Errorf("%s: %w", s.ID, err)
		}
		d.Sensors = append(d.Sensors, sensor)
	}
	used := map[string]bool{}
	for _, r := range a.c.Readers {
		if len(a.c.served(r)) > 0 {
			d.Readers = append(d.Readers, a.reader(r))
			used[r.Sink] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.c.Sinks)) {
		if !used[name] {
			continue
		}
		s, err := a.sink(ctx, name, a.c.Sinks[name])
		if err != nil {
			return d, err
		}
		d.Sinks = append(d.Sinks, s)
	}
	return d, nil
}

func (a *assembler) sensor(ctx context.Context, s *sensorConfig) (daemon.Sensor, error) {
	f, known := s.format()
	if !known {
		var err error
		if f, err = a.probe(ctx, s); err != nil && !a.lenient {
			return daemon.Sensor{}, err
		}
		if err != nil {
			// It is tried again for as long as it takes, and stops no other sensor.
			d := a.c.Defaults.Sensor
			f = audio.Format{Rate: d.Rate, Channels: d.Channels, Encoding: d.Encoding}
		}
		if err := a.c.checkSound(s, f); err != nil {
			return daemon.Sensor{}, err
		}
	}
	hold := &pipe.Hold{}
	a.open = append(a.open, hold)
	out := daemon.Sensor{
		ID:      s.ID,
		Format:  f,
		Window:  s.window(f),
		Once:    s.Source == sourceWAV && !s.Loop,
		Unpaced: a.unpaced(s), OnDemand: a.c.onDemand(s),
		Open: func(ctx context.Context, admit source.Admit) (source.Source, error) {
			if !known {
				return a.source(ctx, s, audio.Format{}, admit, hold)
			}
			return a.source(ctx, s, f, admit, hold)
		},
		Tags:   wav.Tags{Station: a.c.Station, Model: s.Device},
		Info:   a.info(s),
		Timing: a.timing(s),
	}
	if out.Unpaced && out.OnDemand {
		return out, withCode(exitConfig, fmt.Errorf("start = \"on-demand\" is for live sound, and %v is a file, which is read as fast as it goes. Write start = \"now\", or the name of a FIFO.", s.Path))
	}
	if s.Source == sourcePortAudio {
		out.Slow = portaudio.SlowestOpen()
	}
	if s.Location.Known {
		at := [2]float64{s.Location.Latitude, s.Location.Longitude}
		out.Tags.Location = &at
	}
	return out, nil
}

// What is not known of the latency of a source, as half widths. A USB device is
// served once in a frame of its bus, of 1 ms. A pipe is looked into once in a
// batch, and what its feeder does before is anybody's guess.
const (
	deviceErr = time.Millisecond
	pipeErr   = 100*time.Millisecond + source.DefaultBatch
)

// timing says where the times of a sensor's frames come from.
func (a *assembler) timing(s *sensorConfig) daemon.Timing {
	switch {
	case s.Source == sourcePortAudio:
		return daemon.Timing{Source: daemon.FromDevice, LatencyErr: deviceErr, Floor: deviceErr}
	case s.Source == sourcePipe && !a.unpaced(s):
		return daemon.Timing{Source: daemon.FromArrival, LatencyErr: pipeErr}
	}
	return daemon.Timing{Source: daemon.Given, Stated: s.Source == sourceWAV && (s.Start.File || !s.Start.Time.IsZero())}
}

// probe asks a WAV for its format, and notes when its sound begins.
func (a *assembler) probe(ctx context.Context, s *sensorConfig) (audio.Format, error) {
	src, err := a.source(ctx, s, audio.Format{}, nil, nil)
	if err != nil {
		return audio.Format{}, err
	}
	if d, ok := src.(source.Dated); ok {
		a.start, _ = d.Start()
	}
	return src.Format(), src.Close()
}

// unpaced says whether the source of s goes as fast as it is read: a WAV that
// is told so, and a file in the place of a pipe.
func (a *assembler) unpaced(s *sensorConfig) bool {
	switch s.Source {
	case sourceWAV:
		return s.Speed.Times == 0
	case sourcePipe:
		info, err := os.Stat(string(s.Path))
		if s.Path == standardInput {
			info, err = a.p.stdin.Stat()
		}
		return err == nil && info.Mode().IsRegular()
	}
	return false
}

// source opens the source of s. A zero format is the source's to say.
func (a *assembler) source(ctx context.Context, s *sensorConfig, f audio.Format, admit source.Admit, hold *pipe.Hold) (source.Source, error) {
	switch s.Source {
	case sourcePortAudio:
		return opened(portaudio.Open(ctx, portaudio.Config{
			Device: s.Device, Format: f, Latency: s.Latency.Duration, Clock: a.clock, Turn: a.turn, Sensor: s.ID,
			Env: a.p.lookup, Dir: a.p.lookup("RUNTIME_DIRECTORY"), Sysfs: a.p.sysfs,
			Log: func(line string) { a.log.Debug(line, zap.String("sensor", s.ID)) },
		}))
	case sourceWAV:
		return opened(wavfile.Open(ctx, wavfile.Config{
			Paths: paths(s.Files), Speed: s.Speed.Times, Loop: s.Loop, Strict: a.strict, Format: f, Clock: a.clock, Admit: admit,
			Start: wavfile.Start{File: s.Start.File, Time: s.Start.Time}, Latest: a.clock.UTC().Add(ahead),
			Warn: func(text string) {
				if hold != nil { // else it is opened to be looked at, and told of when it is played
					a.log.Warn(text, zap.String("sensor", s.ID))
				}
			},
		}))
	case sourcePipe:
		return opened(pipe.Open(ctx, pipe.Config{
			Path: string(s.Path), Stdin: a.p.stdin, Format: f, Clock: a.clock, Hold: hold, Admit: admit, Fresh: a.c.onDemand(s),
			Warn: func(text string) { a.log.Warn(text, zap.String("sensor", s.ID)) },
		}))
	case sourceTone:
		return opened(tone.Open(ctx, tone.Config{
			Format: f, Kind: tone.Kind(s.Kind), Hz: s.Hz.Value, HzTo: s.HzTo.Value, Period: s.Period.Duration, Amplitude: s.Amplitude.Value,
			Frames: f.Frames(s.Duration.Duration), Speed: 1, Clock: a.clock,
		}))
	}
	return nil, fmt.Errorf("unknown source %q", s.Source)
}

// opened keeps a driver's nil pointer from becoming a Source that is not nil.
func opened[S source.Source](s S, err error) (source.Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (a *assembler) reader(r *readerConfig) daemon.Reader {
	out := daemon.Reader{
		Name: r.Name,
		Sink: r.Sink,
		Key:  r.Key,
		Keys: func(f audio.Format, mark audio.Pos) reader.KeyTrans {
			switch r.Key {
			case keyFrames:
				return reader.Frames(mark)
			case keyMS:
				return reader.Millis(mark, f.Rate)
			}
			return reader.Bytes(mark, f.FrameBytes())
		},
		Chunk: func(f audio.Format) int64 {
			n, err := r.Chunk.frames(f)
			if err != nil {
				return 0 // refused by Config.Check; the configuration has told why
			}
			return n
		},
	}
	for _, s := range a.c.served(r) {
		out.Sensors = append(out.Sensors, s.ID)
	}
	return out
}

func (a *assembler) sink(ctx context.Context, name string, s *sinkConfig) (daemon.Sink, error) {
	out := daemon.Sink{Name: name, Sync: s.Sync.Every, Never: s.Sync.None}
	layout, err := sink.ParseLayout(s.Layout)
	if err != nil {
		return out, err
	}
	if only := a.only(name); only != "" && !layout.HasSensor() {
		if layout, err = layout.WithSensor(only); err != nil {
			return out, err
		}
	}
	codec, err := sink.CodecByName(s.Codec)
	if err != nil {
		return out, err
	}
	var bucket sink.Bucket
	switch s.Driver {
	case driverFiles:
		b, err := files.Open(ctx, files.Config{Root: filepath.Clean(string(s.Root)), Sync: !s.Sync.None, Batch: s.Sync.Every > 0})
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		a.open = append(a.open, b)
		out.Space = b.Free
		bucket = b
	case driverMem:
		bucket = mem.New()
	default:
		return out, fmt.Errorf("unknown driver %q", s.Driver)
	}
	out.Store, err = sink.OpenStore(ctx, bucket, layout, codec)
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// only is the one sensor that is written to a sink; "" if there are more.
func (a *assembler) only(name string) string {
	ids := map[string]bool{}
	for _, r := range a.c.Readers {
		if r.Sink == name {
			for _, s := range a.c.served(r) {
				ids[s.ID] = true
			}
		}
	}
	if len(ids) != 1 {
		return ""
	}
	return slices.Sorted(maps.Keys(ids))[0]
}

func paths(fs []file) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = string(f)
	}
	return out
}
