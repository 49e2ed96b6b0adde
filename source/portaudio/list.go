package portaudio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// ListConfig says where to look for devices. Its fields are those of Config.
type ListConfig struct {
	Turn  *Turn
	Clock clock.Clock
	Sysfs string
	Log   func(line string)
	Env   func(string) string
}

// Device is an input of this machine.
type Device struct {
	Selector string `json:"device"`             // text for Config.Device that means this input and no other
	Path     string `json:"path,omitempty"`     // the same by its socket
	Name     string `json:"name"`               // for people
	Channels int    `json:"channels,omitempty"` // 0: not known, see State
	Rates    []int  `json:"rates,omitempty"`    // of the usual ones, Hz
	State    string `json:"state"`              // free, or why it cannot be opened
	Resample bool   `json:"resample,omitempty"` // it may resample
}

// RateText lists Rates for people, long runs as the first and the last.
func (d Device) RateText() string { return rates(d.Rates) }

// input is what PortAudio says of a device.
type input struct {
	Name     string `json:"name"`
	HostAPI  string `json:"host_api"`
	Channels int    `json:"channels"`
	Rates    []int  `json:"rates"`
	Default  bool   `json:"default"`
}

// The rates that a listing asks for, Hz.
func usualRates() []int {
	return []int{8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000, 250000, 256000, 384000}
}

// List lists the inputs of this machine, in a child: USB devices first, then
// what PortAudio knows by name only, then the default. It opens every device,
// and so may break the start of a capture that does not share its Turn. Its
// errors are Faults, and those of ctx.
func List(ctx context.Context, c ListConfig) ([]Device, error) {
	if !built {
		return nil, notBuilt()
	}
	all := Config{Turn: c.Turn, Clock: c.Clock, Log: c.Log, Env: c.Env, Device: "default"}
	all.Format.Rate, all.Format.Channels, all.Format.Encoding = 1, 1, 1 // unused
	if _, err := all.defaults(); err != nil {
		return nil, err
	}
	if err := all.Turn.take(ctx); err != nil {
		return nil, err
	}
	defer all.Turn.pass()
	found, err := ask(ctx, all)
	if err != nil {
		return nil, err
	}
	return newSystem(c.Sysfs).devices(found)
}

// ask runs the listing child.
func ask(ctx context.Context, c Config) ([]input, error) {
	p, err := spawn(devicesChild, devicesChild, append(environment(c.Env, ""), c.extra...), c)
	if err != nil {
		return nil, source.Faultf(source.Failed, "%w", err)
	}
	defer p.stop()
	stop := context.AfterFunc(ctx, func() { _ = p.data.SetReadDeadline(time.Unix(1, 0)) }) // as in Source.watch
	defer stop()
	if err := p.data.SetReadDeadline(deadline(c.limits.list)); err != nil {
		return nil, source.Faultf(source.Failed, "list devices: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(p.data, maxPayload))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, source.Faultf(source.Timeout, "list devices: a driver has not answered for %v; the process that asked was ended.", c.limits.list)
	case err != nil:
		return nil, source.Faultf(source.Failed, "list devices: %w", err)
	}
	var answer struct {
		Inputs []input `json:"inputs"`
		Error  string  `json:"error"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		if !p.stop() {
			return nil, source.Faultf(source.Hang, "list devices: the process that asked does not end although it was killed.")
		}
		return nil, source.Faultf(source.Exit, "list devices: the process that asked ended: %v.%s", p.err, p.talk.words())
	}
	if answer.Error != "" {
		return nil, source.Faultf(source.Failed, "list devices: %s", brief(answer.Error))
	}
	return answer.Inputs, nil
}

// devicesMain is the life of a listing child. It returns its exit status.
func devicesMain(exit func(int)) int {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // any end is the end
		exit(0)
	}()
	found, err := inputs()
	answer := map[string]any{"inputs": found}
	if err != nil {
		answer["error"] = err.Error()
	}
	if err := json.NewEncoder(os.NewFile(3, "data")).Encode(answer); err != nil {
		return 1
	}
	return 0
}

// devices joins what PortAudio said with what /sys says.
func (s system) devices(found []input) ([]Device, error) {
	cards, err := s.cards()
	if err != nil {
		return nil, source.Faultf(source.Failed, "%w", err)
	}
	ids := map[string]int{}
	for _, c := range cards {
		id, _ := c.selectors()
		ids[id]++
	}
	var list []Device
	for _, c := range cards {
		id, path := c.selectors()
		if id == "" {
			continue
		}
		if ids[id] > 1 && path != "" { // twins
			id = path
		}
		for i, n := range c.inputs {
			d := Device{Selector: id, Path: path, Name: c.name, State: s.state(c, n)}
			if i > 0 {
				d.Selector += fmt.Sprintf("#%d", i)
				d.Path += fmt.Sprintf("#%d", i)
			}
			for _, f := range found {
				if card, device, ok := hardware(f.Name); ok && card == c.number && device == n {
					d.Channels, d.Rates = f.Channels, f.Rates
				}
			}
			list = append(list, d)
		}
	}
	return append(list, s.byName(cards, found)...), nil
}

// byName lists the inputs that only PortAudio's names can mean.
func (s system) byName(cards []card, found []input) []Device {
	short := map[string]int{}
	for _, f := range found {
		name, _, _ := strings.Cut(f.Name, " (hw:")
		short[name]++
	}
	var list []Device
	for _, f := range found {
		name := f.Name
		d := Device{Name: printable(name), Channels: f.Channels, Rates: f.Rates, State: "free"}
		if number, n, ok := hardware(name); ok {
			usb := false
			for _, c := range cards {
				if c.number == number {
					usb, d.State = c.vendor != "", s.state(c, n)
				}
			}
			if usb {
				continue
			}
			if cut, _, _ := strings.Cut(name, " (hw:"); short[cut] == 1 {
				name = cut
			}
		}
		d.Selector = "name:" + name
		if name == "default" {
			continue // below
		}
		list = append(list, d)
	}
	for _, f := range found {
		if f.Default {
			list = append(list, Device{
				Selector: "default", Name: f.HostAPI + " default", Channels: f.Channels, Rates: f.Rates, State: "free", Resample: true,
			})
		}
	}
	return list
}

// state says whether an input could be opened.
func (s system) state(c card, input int) string {
	err := s.access(s.at(c.file(input)))
	pid, name := s.owner(c, input)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case name != "":
		return fmt.Sprintf("in use by pid %d (%s)", pid, name)
	case pid != 0:
		return fmt.Sprintf("in use by pid %d", pid)
	}
	return "free"
}
