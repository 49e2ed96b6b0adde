//go:build linux && cgo && !noportaudio

package portaudio

import (
	"errors"
	"strings"
	"time"
	"unsafe"

	"github.com/gordonklaus/portaudio"
	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/audio"
)

// built says whether this program has PortAudio.
const built = true

func versionText() string { return portaudio.VersionText() }

// start opens and starts the stream, and says so after each step. It returns
// what went wrong. A stream is never stopped: the process exits.
func (c *capture) start() *notice {
	if err := portaudio.Initialize(); err != nil {
		return classify(initialized, err)
	}
	if err := c.out.notice(state, notice{Stage: initialized}); err != nil {
		return classify(initialized, err)
	}
	device, bad := pick(c.order.Device)
	if bad != nil {
		return bad
	}
	p := portaudio.StreamParameters{
		Input: portaudio.StreamDeviceParameters{
			Device: device, Channels: c.format.Channels, Latency: time.Duration(c.order.LatencyNS),
		},
		SampleRate: float64(c.format.Rate),
		// With any other size a loss would lie inside a buffer.
		FramesPerBuffer: portaudio.FramesPerBufferUnspecified,
		Flags:           portaudio.ClipOff | portaudio.DitherOff,
	}
	// PortAudio reports a rate and a number of channels that do not fit alike.
	if c.format.Channels > device.MaxInputChannels {
		return &notice{Stage: opened, Class: badChannels, Channels: device.MaxInputChannels}
	}
	stream, err := portaudio.OpenStream(p, c.callback())
	if err != nil {
		bad := classify(opened, err)
		if bad.Class == badRate {
			bad.Rates = offered(p)
		}
		return bad
	}
	n := notice{Stage: opened, Device: device.Name, HostAPI: device.HostApi.Name, LatencyNS: int64(stream.Info().InputLatency)}
	if err := c.out.notice(state, n); err != nil {
		return classify(opened, err)
	}
	if err := stream.Start(); err != nil {
		return classify(started, err)
	}
	if err := c.out.notice(state, notice{Stage: started}); err != nil {
		return classify(started, err)
	}
	return nil
}

// pick finds the input of that name, or of which it is the part before " (hw:".
// An empty name is the default input.
func pick(name string) (*portaudio.DeviceInfo, *notice) {
	if name == "" {
		d, err := portaudio.DefaultInputDevice()
		if err != nil || d.MaxInputChannels == 0 {
			return nil, &notice{Stage: opened, Class: noDevice}
		}
		return d, nil
	}
	all, err := portaudio.Devices()
	if err != nil {
		return nil, classify(opened, err)
	}
	var found []*portaudio.DeviceInfo
	var names, seen []string
	for _, d := range all {
		if d.MaxInputChannels == 0 {
			continue
		}
		if d.Name == name {
			return d, nil
		}
		seen = append(seen, d.Name)
		if short, _, ok := strings.Cut(d.Name, " (hw:"); ok && short == name {
			found, names = append(found, d), append(names, d.Name)
		}
	}
	switch len(found) {
	case 0:
		return nil, &notice{Stage: opened, Class: noDevice, Seen: seen}
	case 1:
		return found[0], nil
	}
	return nil, &notice{Stage: opened, Class: twins, Seen: names}
}

// callback is PortAudio's, for the type of the samples.
func (c *capture) callback() any {
	switch c.format.Encoding {
	case audio.S16:
		return callback[int16](c)
	case audio.S24:
		return callback[portaudio.Int24](c)
	case audio.S32:
		return callback[int32](c)
	}
	return callback[float32](c)
}

// callback copies what PortAudio lends it. It runs on PortAudio's thread, must
// not wait and allocates nothing: the collector hardly ever runs.
func callback[T int16 | portaudio.Int24 | int32 | float32](c *capture) any {
	var none T
	clocks := new(clocks)
	longest := 4*time.Duration(c.order.LatencyNS) + time.Second
	return func(in []T, t portaudio.StreamCallbackTimeInfo, flags portaudio.StreamCallbackFlags) {
		mono := clocks.read()
		if len(in) == 0 {
			return
		}
		// Stream times have another zero for each kind of device: at first only
		// their difference means something.
		age := t.CurrentTime - t.InputBufferAdcTime + clocks.since(t.CurrentTime)
		if age < 0 || age > longest {
			age = -1
		}
		b := unsafe.Slice((*byte)(unsafe.Pointer(&in[0])), len(in)*int(unsafe.Sizeof(none)))
		c.feed.sound(b, mono, int64(age), flags&portaudio.InputOverflow != 0)
	}
}

// clocks are those that a host API may date its buffers by.
type clocks struct{ mono, unix unix.Timespec }

// read reads them and returns CLOCK_MONOTONIC in ns.
func (c *clocks) read() int64 {
	// The arguments are right, so neither can fail.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &c.mono)
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &c.unix)
	return c.mono.Nano()
}

// since is how long ago a stream time was. PortAudio takes it some time before
// it calls back, and this thread may have had to wait in between. It is 0 if
// the stream has a clock of its own.
func (c *clocks) since(stream time.Duration) time.Duration {
	for _, now := range []int64{c.mono.Nano(), c.unix.Nano()} {
		if d := time.Duration(now) - stream; d >= 0 && d < time.Second {
			return d
		}
	}
	return 0
}

// offered lists the usual rates that the device can do.
func offered(p portaudio.StreamParameters) []int {
	var can []int
	for _, rate := range usualRates() {
		p.SampleRate = float64(rate)
		if portaudio.IsFormatSupported(p, func([]int16) {}) == nil {
			can = append(can, rate)
		}
	}
	return can
}

// classify puts PortAudio's error into one of our classes.
func classify(stage string, err error) *notice {
	n := &notice{Stage: stage, Class: other, Text: err.Error()}
	var e portaudio.Error
	if errors.As(err, &e) {
		switch e {
		case portaudio.InvalidSampleRate:
			n.Class = badRate
		case portaudio.InvalidChannelCount:
			n.Class = badChannels
		case portaudio.SampleFormatNotSupported:
			n.Class = badFormat
		case portaudio.InvalidDevice, portaudio.NoDefaultInputDevice:
			n.Class = noDevice
		case portaudio.DeviceUnavailable:
			n.Class = busy
		}
		return n
	}
	for words, class := range map[string]string{"busy": busy, "ermission denied": denied, "o such device": noDevice} {
		if strings.Contains(n.Text, words) {
			n.Class = class
		}
	}
	return n
}

// inputs lists what PortAudio can capture from.
func inputs() ([]input, error) {
	if err := portaudio.Initialize(); err != nil {
		return nil, err
	}
	all, err := portaudio.Devices()
	if err != nil {
		return nil, err
	}
	normal, err := portaudio.DefaultInputDevice()
	if err != nil {
		normal = nil // there is none
	}
	var found []input
	for _, d := range all {
		if d.MaxInputChannels == 0 {
			continue
		}
		p := portaudio.StreamParameters{Input: portaudio.StreamDeviceParameters{Device: d, Channels: 1, Latency: d.DefaultHighInputLatency}}
		rates := offered(p)
		if rates == nil { // some cannot do one channel
			p.Input.Channels = d.MaxInputChannels
			rates = offered(p)
		}
		found = append(found, input{Name: d.Name, HostAPI: d.HostApi.Name, Channels: d.MaxInputChannels, Rates: rates, Default: d == normal})
	}
	return found, nil
}
