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

	"github.com/ingestd/ingestd/internal/daemon"
)

func (p *program) recordCommand() *cobra.Command {
	var length time.Duration
	c := &cobra.Command{
		Use:     "record SENSOR",
		Short:   "Record one sensor of the configuration, then stop",
		Long:    "Records one sensor of the configuration to the sinks of its readers, for a length of time\nor until Ctrl-C. The daemon must not be running on the same sinks.",
		Example: "  ingestd record mic0 --for 10m --config ./ingestd.toml",
		Args:    p.oneSensor,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("for") && length == 0 {
				return withCode(exitUsage, errors.New("--for must be more than nothing"))
			}
			stop, kill, release := signals(c.Context())
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
		return withCode(exitUsage, fmt.Errorf("no sensor %s in %s. %s", quoted(id), p.config, cmp.Or(meant(id, "Sensors", cfg.ids()), "It has none: see [[sensor]].")))
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
	err = p.runDaemon(stop, kill, cfg, log, running{
		change: func(c *daemon.Config, _ *assembler) error {
			c.UntilEnded = true
			sensor := &c.Sensors[0]
			if sensor.Limit = sensor.Format.Frames(length); length > 0 && sensor.Limit == 0 {
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
	fmt.Fprintln(p.stdout, summaryOf(status, false, cfg.rootsOf(status), p.clock.UTC().Sub(begun)))
	if length > 0 && errors.Is(stop.Err(), context.Canceled) {
		return withCode(exitInterrupted, errors.New("interrupted: what was recorded until then is stored"))
	}
	return nil
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
