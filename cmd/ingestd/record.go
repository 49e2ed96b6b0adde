package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			stop, kill, release := signals(c.Context())
			defer release()
			return p.record(stop, kill, args[0], length)
		},
	}
	c.Flags().DurationVar(&length, "for", 0, "how long; exact to the frame (default: until Ctrl-C)")
	return c
}

func (p *program) record(stop, kill context.Context, id string, length time.Duration) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	s := cfg.sensor(id)
	switch {
	case s == nil:
		var ids []string
		for _, s := range cfg.Sensors {
			ids = append(ids, s.ID)
		}
		return withCode(exitUsage, fmt.Errorf("no sensor %s in %s. %s", quoted(id), p.config, cmp.Or(meant(id, "Sensors", ids), "It has none: see [[sensor]].")))
	case length < 0:
		return withCode(exitUsage, fmt.Errorf("--for must not be negative, not %v", length))
	}
	s.Enabled = true
	cfg.Sensors = []*sensorConfig{s}
	cfg.HTTP.Listen = ""
	log, err := newLogger(p.stderr, logConfig{Level: "info", Format: cfg.Log.Format})
	if err != nil {
		return err
	}
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
	root := "its sinks"
	if len(cfg.Sinks) == 1 {
		for _, k := range cfg.Sinks {
			root = string(k.Root)
		}
	}
	fmt.Fprintln(p.stdout, summaryOf(d.Status(), root, p.clock.UTC().Sub(begun)))
	if length > 0 && errors.Is(stop.Err(), context.Canceled) {
		return withCode(exitInterrupted, errors.New("interrupted: what was recorded until then is stored"))
	}
	return nil
}
