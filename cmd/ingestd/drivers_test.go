package main

import (
	"testing"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/source/portaudio"
)

func TestOnlyMicrophonesMayBeSlowToOpen(t *testing.T) {
	c := builtInConfig()
	a := newAssembler(&program{}, c, zap.NewNop())
	for _, name := range []string{sourcePortAudio, sourcePipe, sourceTone} {
		s := builtInSensor(c.Defaults.Sensor)
		s.ID, s.Source = "mic0", name
		got, err := a.sensor(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if want := portaudio.SlowestOpen(); name == sourcePortAudio && got.Slow != want || name != sourcePortAudio && got.Slow != 0 {
			t.Errorf("%s may take %v to open, and a microphone %v", name, got.Slow, want)
		}
	}
}
