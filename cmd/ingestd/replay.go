package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/internal/daemon"
)

// replayFlags are the settings of `replay`, as they are written.
type replayFlags struct {
	sensor, root, start, chunk, key, layout, codec, sync, rotate string
	speed                                                        float64
	loop, strict                                                 bool
}

func (p *program) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay FILE...",
		Short: "WAV files as if they were a microphone",
		Long: "Plays WAV files, folders or globs in the order of their names into a store, as if they\n" +
			"came from one microphone. Of a folder these are the *.wav in it, not those in folders below.\n" +
			"No sample is converted or left out; 8-bit sound is widened to 16 bits, and that is said.\n" +
			"Tags of the files are not copied.\n\n" +
			"With --start file each file begins when it says: in bext or GUANO, else in its name, such\n" +
			"as mic0_20260131_060000.wav. What is missing between two files becomes a hole (stopped). A\n" +
			"time in a name is taken for UTC, and many recorders write local time. With any other start\n" +
			"the sound of all files is one piece.\n\n" +
			"Exit codes: 0 all of it is stored; 1 nothing is, or it was refused; 3 some of it.",
		Example: "  ingestd replay pump.wav --sensor mic0 --root ./store\n" +
			"  ingestd replay day1/ --sensor mic0 --root ./store --speed 0 --start file --chunk 60s\n" +
			"  ingestd replay '*.wav' --sensor mic0 --root ./store --layout '{session}/{block}' --chunk 86016B",
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			stop, kill, release := signals(c.Context(), p.clock)
			defer release()
			return p.replay(stop, kill, f, args)
		},
	}
	fs := c.Flags()
	fs.StringVar(&f.sensor, "sensor", "mic0", "store as the sensor of this `ID`")
	fs.StringVar(&f.root, "root", "", "the store's `DIR`; made if it is not there (required)")
	fs.Float64Var(&f.speed, "speed", 1, "`N` times real time; 0 is as fast as the store takes it")
	fs.StringVar(&f.start, "start", "now", "when the first frame was captured: now, file (each file says it), or a `TIME`\n(2026-11-21T10:00:00Z, Unix milliseconds, @seconds or -10m)")
	fs.StringVar(&f.chunk, "chunk", "10s", "how much one file holds: `LENGTH` in time (10s), frames (43008f) or bytes (86016B)")
	fs.StringVar(&f.key, "key", keyBytes, "what a block counts: bytes, frames or ms")
	fs.StringVar(&f.layout, "layout", "", "`TEMPLATE` of names (default \""+layoutOf(codecWAV)+"\")")
	fs.StringVar(&f.codec, "codec", "", "wav or pcm (default: as the layout ends, else wav)")
	fs.StringVar(&f.sync, "sync", "chunk", "when what is stored is made durable: chunk, none or an interval such as 1s")
	fs.StringVar(&f.rotate, "rotate", "", "when a new session begins: never, or as in the configuration, such as 24h (midnight UTC);\nby default 24h where --start tells the time of the sound, else never")
	fs.BoolVar(&f.loop, "loop", false, "begin again at the end, for ever")
	fs.BoolVar(&f.strict, "strict", false, "refuse a file that is shorter than its header says")
	return c
}

// fastestReplay is how many times real time sound may come without a piece of
// it being too long for the ring.
const fastestReplay = 500

// replay plays the files into a store until they are over.
func (p *program) replay(stop, kill context.Context, f replayFlags, files []string) error {
	cfg, err := f.config(files, p.clock.UTC())
	if err != nil {
		return withCode(exitUsage, err)
	}
	log, stopLog, err := newLogger(p.stderr, logConfig{Level: "warn", Format: "text"})
	if err != nil {
		return err
	}
	defer stopLog()
	begun := p.clock.UTC()
	var d *daemon.Daemon
	err = p.runDaemon(stop, kill, cfg, log, running{
		change: func(c *daemon.Config, a *assembler) error {
			c.UntilEnded, c.Strict, c.Start = true, true, a.start
			return nil
		},
		strict: f.strict,
		made:   func(made *daemon.Daemon) { d = made },
	})
	if fault := (*configError)(nil); errors.As(err, &fault) {
		return withCode(exitUsage, err) // flags are its configuration
	}
	if err != nil {
		return err
	}
	status := d.Status()
	switch m := status.Sensors[0]; {
	case storedOf(status, m) > 0:
	case stop.Err() != nil:
		return withCode(exitInterrupted, errEarly)
	case m.Captured == 0:
		return errors.New("nothing was stored: there is no sound in what was named")
	default:
		return errors.New("nothing was stored: all of it was overwritten before. Use --speed 0, as fast as the store takes it")
	}
	fmt.Fprintln(p.stdout, summaryOf(status, cfg.Sensors[0].Start.File, f.root, p.clock.UTC().Sub(begun)))
	if stop.Err() != nil {
		return withCode(exitInterrupted, errors.New("interrupted: what was played until then is stored"))
	}
	if lost := lostOf(status, cfg.Sensors[0].Start.File); lost > 0 {
		return withCode(exitPartly, fmt.Errorf("%s not stored: the store is too slow for this --speed. With 0 it waits", counted(int(lost), "frame")))
	}
	return nil
}

// config is the configuration that the flags stand for: one sensor, one
// reader, one sink.
func (f replayFlags) config(names []string, now time.Time) (*config, error) {
	cfg := builtInConfig()
	cfg.HTTP.Listen = ""
	s := builtInSensor(cfg.Defaults.Sensor)
	s.ID, s.Source, s.Speed.Times, s.Loop = f.sensor, sourceWAV, f.speed, f.loop
	s.Rate, s.Channels, s.Encoding = 0, 0, 0 // the files say them
	for _, name := range names {
		s.Files = append(s.Files, file(name))
	}
	r, k := builtInReader(), builtInSink()
	r.Name, r.Sink, r.Key = "replay", "store", f.key
	root, err := filepath.Abs(f.root)
	if err != nil {
		return nil, fmt.Errorf("--root %w", err)
	}
	k.Driver, k.Root, k.Layout = driverFiles, file(root), f.layout
	if r.Chunk, err = parseChunk(f.chunk); err != nil {
		return nil, fmt.Errorf("--chunk %w", err)
	}
	err = errors.Join(
		sensorFlagError(f.sensor),
		flagError("--root", homeless(f.root)),
		flagError("--start", s.Start.setFlag(f.start, now)),
		flagError("--speed", s.Speed.set(flagNode(fmt.Sprint(f.speed)))),
		flagError("--rotate", cfg.Session.Rotate.set(flagNode(cmp.Or(f.rotate, never)))),
		flagError("--sync", k.Sync.set(flagNode(f.sync))),
		flagError("--key", oneOf(f.key, keyBytes, keyFrames, keyMS)),
		flagError("--codec", oneOf(cmp.Or(f.codec, codecWAV), codecWAV, codecPCM)),
	)
	if s.Start != (startTime{}) && f.rotate == "" {
		cfg.Session = builtInConfig().Session
	}
	switch {
	case err != nil:
		return nil, err
	case f.root == "":
		return nil, errors.New("--root is missing: say where to store, such as --root ./store")
	case s.Speed.Times > fastestReplay:
		return nil, fmt.Errorf("--speed %v is more than can be stored in order: give at most %d, or 0 (as fast as the store takes it)", f.speed, fastestReplay)
	case s.Start.future(now):
		return nil, fmt.Errorf("--start %s is in the future. A session is named by its time and every later one must be greater, so none in %s could be named by its own again. Give the time at which it was recorded.", f.start, f.root)
	case s.Loop && s.Speed.Times == 0:
		return nil, errors.New("--loop with --speed 0 writes without end, as fast as the disk takes it. Give a --speed, such as 1, or no --loop.")
	case s.Loop && s.Start.File:
		return nil, errors.New("--start file is not for --loop: a loop is later each time than its files say. Give --start now or a time.")
	}
	if k.Codec = f.codec; k.Codec == "" {
		k.Codec = codecWAV
		if filepath.Ext(f.layout) == ".pcm" || filepath.Ext(f.layout) == ".raw" {
			k.Codec = codecPCM
		}
	}
	if k.Layout == "" {
		k.Layout = layoutOf(k.Codec)
	}
	cfg.Sensors, cfg.Readers = []*sensorConfig{s}, []*readerConfig{r}
	cfg.Sinks["store"] = k
	return cfg, cfg.check()
}

func flagError(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", flag, err)
}

// sensorFlagError judges --sensor, and names it once.
func sensorFlagError(id string) error {
	err := audio.CheckSensor(id)
	if err == nil {
		return nil
	}
	return errors.New("--" + strings.Replace(err.Error(), "sensor id", "sensor", 1))
}

func oneOf(v string, words ...string) error {
	for _, w := range words {
		if v == w {
			return nil
		}
	}
	last := len(words) - 1
	return fmt.Errorf("must be %s or %s, not %q", strings.Join(words[:last], ", "), words[last], v)
}

// summaryOf is one line about a finished run. What a sensor misses between
// files that tell their times was not lost: the recorder was off.
func summaryOf(s daemon.Status, timed bool, root string, took time.Duration) string {
	var chunks, bytes int64
	for _, d := range s.Drains {
		chunks, bytes = chunks+d.Chunks, bytes+d.Bytes
	}
	var sound time.Duration
	between := ""
	for _, m := range s.Sensors {
		f := audio.Format{Rate: m.Rate, Channels: m.Channels}
		sound += f.Duration(storedOf(s, m))
		if timed && m.Holes > 0 {
			between += fmt.Sprintf(", %v in %s between the files", f.Duration(m.LostFrames).Round(time.Millisecond), counted(int(m.Holes), "hole"))
		}
	}
	which := fmt.Sprintf("session %d", s.Session)
	if s.Turns > 0 {
		which = fmt.Sprintf("sessions %d to %d, %d in all", s.First, s.Session, s.Turns+1)
	}
	return fmt.Sprintf("%s: %v of sound in %s of %d bytes, %d frames lost%s, stored in %s (%v)",
		which, sound.Round(time.Millisecond), counted(int(chunks), "chunk"), bytes, lostOf(s, timed), between, root, took.Round(time.Millisecond))
}

// lostOf is how many frames were lost.
func lostOf(s daemon.Status, timed bool) (lost int64) {
	for _, d := range s.Drains {
		lost += d.Overrun
	}
	for _, m := range s.Sensors {
		if !timed {
			lost += m.LostFrames
		}
	}
	return lost
}

// storedOf is how many captured frames of the sensor m are in a chunk, by the
// reader that stored most of it. Without a chunk, none are.
func storedOf(s daemon.Status, m daemon.SensorStatus) (most int64) {
	for _, d := range s.Drains {
		if d.Sensor == m.ID && d.Chunks > 0 {
			most = max(most, min(d.Written, m.Captured-m.LostFrames-d.Overrun))
		}
	}
	return most
}

// flagNode is a setting as a flag writes it.
func flagNode(s string) *node { return &node{kind: kindWord, text: s} }
