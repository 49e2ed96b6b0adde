package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/source/portaudio"
)

func (p *program) devicesCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "devices",
		Short:   "What can be recorded here, with the string for the configuration",
		Example: "  ingestd devices\n  ingestd devices -o json",
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf(output, "table", "json"); err != nil {
				return withCode(exitUsage, fmt.Errorf("--output %w", err))
			}
			devices, err := portaudio.List(c.Context(), portaudio.ListConfig{Turn: portaudio.NewTurn(), Clock: p.clock, Env: p.lookup})
			if err != nil {
				return err
			}
			if output == "json" {
				e := json.NewEncoder(p.stdout)
				e.SetIndent("", "  ")
				return e.Encode(map[string]any{"devices": append([]portaudio.Device{}, devices...)}) // [], never null
			}
			return p.deviceTable(devices)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func (p *program) deviceTable(devices []portaudio.Device) error {
	if len(devices) == 0 {
		why := "Is a microphone plugged in, and may this user open it (group audio)?"
		if _, err := os.Stat("/dev/snd"); runtime.GOOS == "linux" && errors.Is(err, fs.ErrNotExist) {
			why = "This machine shows no sound card: there is no /dev/snd. Plug one in, or give it to the container."
		}
		fmt.Fprintln(p.stderr, "no input found. "+why+" WAV, pipe and tone work without one.")
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEVICE STRING\tNAME\tCHANNELS\tRATES\tSTATE")
	for _, d := range devices {
		channels, state := "", d.State
		if d.Channels > 0 {
			channels = strconv.Itoa(d.Channels)
		}
		if d.Resample {
			state += ", may resample"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Selector, d.Name, channels, d.RateText(), state)
	}
	return w.Flush()
}

// lookup is the environment variable of that name.
func (p *program) lookup(name string) string {
	for _, e := range p.env {
		if k, v, ok := strings.Cut(e, "="); ok && k == name {
			return v
		}
	}
	return ""
}
