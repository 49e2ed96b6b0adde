package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/internal/daemon"
)

func (p *program) recordCommand() *cobra.Command {
	var length time.Duration
	c := &cobra.Command{
		Use:   "record SENSOR",
		Short: "Record one sensor of the configuration, then stop",
		Long: "Records one sensor of the configuration to the sinks of its readers, for a length of time\nor until Ctrl-C. The daemon must not be running on the same sinks.\n\n" +
			"Exit codes: 0 all of it is stored; 1 nothing is; 3 some of it, because the source ended or\nwas away; 6 there is no such sensor.",
		Example: "  ingestd record mic0 --for 10m --config ./ingestd.toml",
		Args:    p.oneSensor,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("for") && length == 0 {
				return withCode(exitUsage, errors.New("--for must be more than nothing"))
			}
			stop, kill, release := signals(c.Context(), p.clock)
			defer release()
			return p.record(stop, kill, args[0], length)
		},
	}
	c.Flags().DurationVar(&length, "for", 0, "how long; exact to the frame (default: until Ctrl-C)")
	return c
}

// oneSensor demands one argument. Without any, it says which there are.
func (p *program) oneSensor(c *cobra.Command, args []string) error {
	err := usage(cobra.ExactArgs(1))(c, args)
	if err == nil || len(args) > 0 {
		return err
	}
	cfg, wrong := p.load()
	if wrong != nil || len(cfg.Sensors) == 0 {
		return err
	}
	return withCode(exitUsage, fmt.Errorf("no sensor is named: %s\nSensors of %s: %s.\nSee `%s --help`", c.UseLine(), p.config, listed(cfg.ids()), c.CommandPath()))
}

func (p *program) record(stop, kill context.Context, id string, length time.Duration) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	s := cfg.sensor(id)
	switch {
	case s == nil:
		return withCode(exitNone, fmt.Errorf("no sensor %s in %s. %s", quoted(id), p.config, cmp.Or(meant(id, "Sensors", cfg.ids()), "It has none: see [[sensor]].")))
	case length < 0:
		return withCode(exitUsage, fmt.Errorf("--for must not be negative, not %v", length))
	}
	s.Enabled = true
	cfg.Sensors = []*sensorConfig{s}
	cfg.HTTP.Listen = ""
	log, stopLog, err := newLogger(p.stderr, logConfig{Level: "info", Format: cfg.Log.Format})
	if err != nil {
		return err
	}
	defer stopLog()
	begun := p.clock.UTC()
	var d *daemon.Daemon
	var asked int64
	err = p.runDaemon(stop, kill, cfg, log, running{
		change: func(c *daemon.Config, _ *assembler) error {
			c.UntilEnded = true
			sensor := &c.Sensors[0]
			asked = sensor.Format.Frames(length)
			if sensor.Limit = asked; length > 0 && asked == 0 {
				return withCode(exitUsage, fmt.Errorf("--for %v is less than one frame", length))
			}
			for _, r := range c.Readers {
				if len(r.Sensors) > 0 {
					return nil
				}
			}
			return withCode(exitConfig, fmt.Errorf("%s: no reader stores %s: nothing of it would be kept. Add it to the sensors of a [[reader]].", p.config, id))
		},
		made: func(made *daemon.Daemon) { d = made },
	})
	if err != nil {
		return err
	}
	status := d.Status()
	m := status.Sensors[0]
	stored := storedOf(status, m)
	if stored == 0 {
		return nothingRecorded(m, stop.Err() != nil)
	}
	fmt.Fprintln(p.stdout, summaryOf(status, s.Start.File, cfg.rootsOf(status), p.clock.UTC().Sub(begun)))
	switch {
	case length > 0 && stop.Err() != nil:
		return withCode(exitInterrupted, errors.New("interrupted: what was recorded until then is stored"))
	case m.Captured < asked, stored < asked && !s.Start.File:
		return partlyRecorded(m, stored, asked)
	}
	return nil
}

// nothingRecorded is the error of a record that has stored nothing.
func nothingRecorded(m daemon.SensorStatus, interrupted bool) error {
	why, _, _ := strings.Cut(m.LastError, "\n")
	switch {
	case why != "":
	case interrupted:
		return withCode(exitInterrupted, errEarly)
	case m.Captured > 0:
		why = "none of its sound could be stored"
	default:
		why = "its source ended before any sound came"
	}
	return fmt.Errorf("nothing of %s was recorded: %s", m.ID, why)
}

// partlyRecorded is the error of a record that has stored less than was asked.
func partlyRecorded(m daemon.SensorStatus, stored, asked int64) error {
	f := audio.Format{Rate: m.Rate, Channels: m.Channels}
	why := "the rest is a hole"
	if m.Captured < asked {
		why = "its source ended"
	}
	return withCode(exitPartly, fmt.Errorf("%v of %v of %s recorded: %s", f.Duration(stored).Round(time.Millisecond), f.Duration(asked).Round(time.Millisecond), m.ID, why))
}

// rootsOf is where the sinks that were used keep their chunks.
func (c *config) rootsOf(s daemon.Status) string {
	var roots []string
	for _, d := range s.Drains {
		k := c.Sinks[d.Sink]
		if k == nil {
			continue
		}
		root := string(k.Root)
		if k.Driver == driverMem {
			root = "memory"
		}
		if !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	return strings.Join(roots, " and ")
}
