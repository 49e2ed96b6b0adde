package main

import (
	"encoding/binary"
	"math"
	"os"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
)

// The built-in recording: a chirp each second, higher each time, clicks
// between them, and a little hiss. It is computed, so that it costs the
// program nothing to carry.
const (
	demoRate    = 48000
	demoSeconds = 20
)

// writeDemo writes the built-in recording to a WAV file called name.
func writeDemo(name string) error {
	f := audio.Format{Rate: demoRate, Channels: 1, Encoding: audio.S16}
	frames := demoRate * demoSeconds
	b, err := wav.AppendHeader(nil, f, &wav.Tags{Note: "ingestd demo: chirps and clicks"}, int64(frames*f.FrameBytes()))
	if err != nil {
		return err
	}
	noise := uint32(1)
	for i := range frames {
		noise ^= noise << 13
		noise ^= noise >> 17
		noise ^= noise << 5
		v := demoSample(i) + (float64(noise)/math.MaxUint32-0.5)*0.004
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(v*math.MaxInt16))))
	}
	return os.WriteFile(name, b, 0o600)
}

// demoSample is frame i of the recording without its hiss, from -1 to 1.
func demoSample(i int) float64 {
	second, t := i/demoRate, float64(i%demoRate)/demoRate
	switch {
	case t < 0.4: // a chirp over an octave
		low := 500 * math.Pow(2, float64(second)/6)
		window := math.Sin(math.Pi * t / 0.4)
		return 0.5 * window * window * math.Sin(2*math.Pi*(low*t+low/0.8*t*t))
	case t >= 0.7 && t < 0.702: // a click
		return 0.6 * math.Exp(-(t-0.7)*3000) * math.Sin(2*math.Pi*4000*(t-0.7))
	}
	return 0
}
