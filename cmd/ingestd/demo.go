package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/internal/daemon"
	"github.com/ingestd/ingestd/source"
)

const (
	demoRoot     = "var/demo"
	demoPort     = 8080
	demoPorts    = 20               // how many ports are tried from there
	demoUnplug   = 12 * time.Second // when mic1 is unplugged
	demoUnplugIn = 5 * time.Second  // for how long
	demoReport   = 10 * time.Second
	shortest     = time.Millisecond // what --for may be
)

type demoFlags struct {
	length time.Duration
	root   string
	noHTTP bool
}

func (p *program) demoCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:     "demo",
		Short:   "See it work: a built-in recording, played as two microphones",
		Long:    "Plays a built-in recording as two microphones, in real time, through everything, into a\nstore of its own. One of them is unplugged for five seconds, so that you see a hole.",
		Example: "  ingestd demo\n  ingestd demo --for 30s --root /tmp/demo",
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case f.length < 0:
				return withCode(exitUsage, fmt.Errorf("--for must not be negative, not %v", f.length))
			case c.Flags().Changed("for") && f.length < shortest:
				return withCode(exitUsage, fmt.Errorf("--for must be at least %v, not %v", shortest, f.length))
			}
			if err := homeless(f.root); err != nil {
				return withCode(exitUsage, flagError("--root", err))
			}
			stop, kill, release := signals(c.Context(), p.clock)
			defer release()
			return p.demo(stop, kill, f)
		},
	}
	fs := c.Flags()
	fs.DurationVar(&f.length, "for", 0, "how long (default: until Ctrl-C)")
	fs.StringVar(&f.root, "root", filepath.FromSlash(demoRoot), "the store's `DIR`; it is kept")
	fs.BoolVar(&f.noHTTP, "no-http", false, "no metrics and no health")
	return c
}

func (p *program) demo(stop, kill context.Context, f demoFlags) (err error) {
	stop, cancel := context.WithCancel(stop)
	defer cancel()
	scratch, err := os.MkdirTemp("", "ingestd-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	name := filepath.Join(scratch, "demo.wav")
	if err := writeDemo(name); err != nil {
		return err
	}
	var listener net.Listener
	if !f.noHTTP {
		if listener, err = listenNear(demoPort); err != nil {
			return err
		}
		defer listener.Close()
	}
	log, stopLog, err := newLogger(p.stderr, logConfig{Level: "error", Format: "text"})
	if err != nil {
		return err
	}
	defer stopLog()
	fmt.Fprintf(p.stdout, "ingestd demo: mic0, mic1 from the built-in recording (%d s, %d kHz), looped in real time\n", demoSeconds, demoRate/1000)
	if listener != nil {
		fmt.Fprintf(p.stdout, "metrics      http://%v/metrics\nhealth       http://%v/readyz?verbose\n", listener.Addr(), listener.Addr())
	}
	fmt.Fprintf(p.stdout, "store        %s    kept; each run is a session of its own\n\n", f.root)

	var reports sync.WaitGroup
	over, end := context.WithCancel(context.Background())
	defer reports.Wait()
	defer end()
	err = p.runDaemon(stop, kill, demoConfig(name, f.root), log, running{
		change: func(c *daemon.Config, _ *assembler) error {
			c.HTTP, c.UntilEnded = listener, f.length > 0
			for i := range c.Sensors {
				c.Sensors[i].Limit = c.Sensors[i].Format.Frames(f.length)
			}
			c.Sensors[1].Open = unplugged(p.clock, c.Sensors[1].Open)
			return nil
		},
		made: func(d *daemon.Daemon) {
			reports.Go(func() { p.reportDemo(over, d, f.root) })
			if f.length > 0 { // one that is unplugged then is not waited for
				reports.Go(func() {
					if p.clock.Sleep(over, p.clock.Monotonic()+int64(f.length+time.Second)) == nil {
						cancel()
					}
				})
			}
		},
	})
	if errors.Is(err, errEarly) {
		return nil
	}
	return err
}

// demoConfig is two sensors, one reader and one sink.
func demoConfig(recording, root string) *config {
	cfg := builtInConfig()
	cfg.Station = "demo"
	for _, id := range []string{"mic0", "mic1"} {
		s := builtInSensor(cfg.Defaults.Sensor)
		s.ID, s.Source, s.Loop, s.Files = id, sourceWAV, true, []file{file(recording)}
		s.Rate, s.Channels, s.Encoding = 0, 0, 0
		cfg.Sensors = append(cfg.Sensors, s)
	}
	r, k := builtInReader(), builtInSink()
	r.Name, r.Sink, r.Chunk = "archive", "disk", chunkLength{time: time.Second}
	k.Driver, k.Root = driverFiles, file(root)
	cfg.Readers, cfg.Sinks["disk"] = []*readerConfig{r}, k
	return cfg
}

// listenNear listens on the first free port of the loopback from port on.
func listenNear(port int) (l net.Listener, err error) {
	for try := range demoPorts {
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+try)); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no port from %d to %d is free: use --no-http: %w", port, port+demoPorts-1, err)
}

// unplugged is a source that breaks once, and cannot be opened for a while.
func unplugged(c clock.Clock, open openFunc) openFunc {
	began := c.Monotonic()
	return func(ctx context.Context, admit source.Admit) (source.Source, error) {
		away := time.Duration(c.Monotonic() - began)
		if away >= demoUnplug && away < demoUnplug+demoUnplugIn {
			return nil, source.Faultf(source.Failed, "unplugged by the demo")
		}
		src, err := open(ctx, admit)
		if err != nil || away >= demoUnplug {
			return src, err
		}
		return &unpluggable{Source: src, clock: c, until: began + int64(demoUnplug)}, nil
	}
}

type openFunc = func(ctx context.Context, admit source.Admit) (source.Source, error)

// unpluggable breaks at a given time.
type unpluggable struct {
	source.Source
	clock clock.Clock
	until int64 // CLOCK_MONOTONIC ns
}

func (u *unpluggable) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if u.clock.Monotonic() >= u.until {
		return source.Packet{}, source.Faultf(source.Stall, "unplugged by the demo")
	}
	return u.Source.Read(ctx, p)
}

// reportDemo says what happens until ctx ends: each change of state, and a
// line now and then.
func (p *program) reportDemo(ctx context.Context, d *daemon.Daemon, root string) {
	state := map[string]string{}
	next := p.clock.Monotonic() + int64(demoReport)
	for now := p.clock.Monotonic(); p.clock.Sleep(ctx, now+int64(200*time.Millisecond)) == nil; now = p.clock.Monotonic() {
		s := d.Status()
		for _, m := range s.Sensors {
			was := state[m.ID]
			if was == m.State {
				continue
			}
			state[m.ID] = m.State
			switch {
			case m.State == "recording" && was == "retrying":
				hole := time.Duration(m.LostFrames) * time.Second / time.Duration(m.Rate)
				p.sayNow(m.ID, fmt.Sprintf("back, after a hole of %v", hole.Round(time.Millisecond)))
			case m.State == "recording":
				p.sayNow(m.ID, fmt.Sprintf("session %d  recording", s.Session))
			case m.State == "retrying":
				p.sayNow(m.ID, fmt.Sprintf("unplugged for %v, so that you see a hole", demoUnplugIn))
			}
		}
		if now >= next {
			next += int64(demoReport)
			p.sayNow(demoLine(s))
		}
	}
	s := d.Status()
	p.sayNow(demoLine(s))
	fmt.Fprint(p.stdout, "\n"+whatToLookAt(s, root))
}

// whatToLookAt is the commands that show what a demo has stored, and its hole
// if it has one.
func whatToLookAt(s daemon.Status, root string) string {
	text := fmt.Sprintf("Look at what is there: find %s -name '*.wav' | sort | head -2\n", root)
	for _, m := range s.Sensors {
		if m.Holes > 0 {
			text += fmt.Sprintf("Look at the hole:      grep -ho '\"holes\":\\[{[^]]*\\]' %s/*/data/%s/blocks.jsonl | tail -1\n", filepath.ToSlash(root), m.ID)
		}
	}
	return text
}

func (p *program) sayNow(words ...string) {
	fmt.Fprintf(p.stdout, "%s  %s\n", p.clock.UTC().Format("15:04:05"), strings.Join(words, "  "))
}

// demoLine is one line about all sensors.
func demoLine(s daemon.Status) string {
	var chunks, bytes, lost int64
	behind := time.Duration(0)
	for _, d := range s.Drains {
		chunks, bytes = chunks+d.Chunks, bytes+d.Bytes
		for _, m := range s.Sensors {
			if m.ID == d.Sensor && m.Rate > 0 {
				behind = max(behind, time.Duration(m.Captured-d.Durable)*time.Second/time.Duration(m.Rate))
			}
		}
	}
	for _, m := range s.Sensors {
		lost += m.LostFrames
	}
	return fmt.Sprintf("%d sensors, %d chunks, %.1f MB, %d frames lost, durable up to %.1f s ago",
		len(s.Sensors), chunks, float64(bytes)/1e6, lost, behind.Seconds())
}
