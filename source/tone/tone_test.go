package tone

import (
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/sourcetest"
)

func TestSource(t *testing.T) {
	f := audio.Format{Rate: 48000, Channels: 2, Encoding: audio.S24}
	for _, speed := range []float64{0, 20} {
		sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
			const frames = 5001
			want := make([]byte, frames*f.FrameBytes())
			RampAt(f, 0, want)
			return open(t, Config{Format: f, Kind: Ramp, Frames: frames, Speed: speed}), sourcetest.Want{Bytes: want, Ends: true}
		})
	}
	sourcetest.TestWaiting(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		return open(t, Config{Format: f, Speed: 1, Batch: time.Hour, Clock: clock.NewBubble()}), sourcetest.Want{}
	})
}

func open(t *testing.T, c Config) *Source {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
