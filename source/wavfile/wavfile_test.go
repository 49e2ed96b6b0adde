package wavfile

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/sourcetest"
	"github.com/ingestd/ingestd/source/tone"
)

var format = audio.Format{Rate: 48000, Channels: 3, Encoding: audio.S24}

func ramp(from, frames int) []byte {
	b := make([]byte, frames*format.FrameBytes())
	tone.RampAt(format, audio.Pos(from), b)
	return b
}

// save writes a WAV file whose header promises as much as sound has.
func save(t *testing.T, path string, f audio.Format, sound []byte, tags *wav.Tags) {
	t.Helper()
	b, err := wav.AppendHeader(nil, f, tags, int64(len(sound)))
	if err != nil {
		t.Fatal(err)
	}
	b = append(append(b, sound...), make([]byte, wav.Pad(int64(len(sound))))...)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// parts writes a ramp in files of these many frames.
func parts(t *testing.T, dir string, frames ...int) (total int) {
	t.Helper()
	for i, n := range frames {
		save(t, filepath.Join(dir, string(rune('a'+i))+".wav"), format, ramp(total, n), nil)
		total += n
	}
	return total
}

func open(t *testing.T, c Config) *Source {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// leap is a clock that stands still but in Sleep, which takes no time.
type leap struct {
	clock.Clock // nil: the rest is not asked

	now    int64
	sleeps int
}

func (c *leap) Monotonic() int64 { return c.now }
func (c *leap) UTC() time.Time   { return time.Unix(0, c.now).UTC() }
func (c *leap) Sleep(ctx context.Context, until int64) error {
	c.sleeps++
	c.now = max(c.now, until)
	return ctx.Err()
}

func TestSource(t *testing.T) {
	for _, speed := range []float64{0, 1, 7} {
		sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
			dir := t.TempDir()
			total := parts(t, dir, 1, 5000, 0, 0, 77, 4001, 0)
			c := Config{Paths: []string{dir}, Speed: speed, Clock: &leap{now: 12345}}
			return open(t, c), sourcetest.Want{Bytes: ramp(0, total), Ends: true}
		})
	}
	sourcetest.TestWaiting(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		dir := t.TempDir()
		parts(t, dir, 48000)
		return open(t, Config{Paths: []string{dir}, Speed: 1, Batch: time.Hour, Clock: clock.NewBubble()}), sourcetest.Want{}
	})
}

func TestLoopHasNoSeam(t *testing.T) {
	for _, frames := range [][]int{{1000}, {1}, {1000, 0, 7}} {
		sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
			dir := t.TempDir()
			once := ramp(0, parts(t, dir, frames...))
			var want []byte
			for len(want) < 300*len(frames)*len(once) && len(want) < 5000*format.FrameBytes() {
				want = append(want, once...)
			}
			return open(t, Config{Paths: []string{dir}, Loop: true}), sourcetest.Want{Bytes: want}
		})
	}
}

func TestFramesComeAtTicksAndTheLastOnTime(t *testing.T) {
	dir := t.TempDir()
	parts(t, dir, 48000, 12345)
	const begin, tick = 1_234_567_890, int64(source.DefaultBatch)
	c := &leap{now: begin}
	s := open(t, Config{Paths: []string{dir}, Speed: 1, Clock: c})
	p := make([]byte, 1<<20/9*9)
	total := int64(0)
	for {
		pk, err := s.Read(t.Context(), p)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		total += int64(pk.Frames)
		if end := begin + int64(format.Duration(total)); pk.At != end {
			t.Errorf("after %d frames At is %d, want %d", total, pk.At, end)
		}
		if behind := c.now - pk.At; behind < 0 || total != 48000 && behind > int64(time.Second)/48000 {
			t.Errorf("after %d frames the clock is %d ns behind the sound", total, behind)
		}
		if total < 60345 && c.now%tick != 0 {
			t.Errorf("woke at %d, which is no tick", c.now)
		}
	}
	if want := begin + int64(format.Duration(60345)); total != 60345 || c.now != want {
		t.Errorf("%d frames by %d, want 60345 by %d", total, c.now, want)
	}
	if c.sleeps > 7 {
		t.Errorf("%d wake-ups for 1.26 s", c.sleeps)
	}
}

func TestGateIsAskedAtSpeedZero(t *testing.T) {
	dir := t.TempDir()
	total := parts(t, dir, 1000)
	allowed := 0
	s := open(t, Config{Paths: []string{dir}, Admit: func(ctx context.Context, frames int) (int, error) {
		if allowed == 0 {
			return 0, context.Canceled
		}
		return min(allowed, frames), nil
	}})
	p := make([]byte, 9000)
	if pk, err := s.Read(t.Context(), p); pk.Frames != 0 || err != context.Canceled {
		t.Fatalf("%+v, %v", pk, err)
	}
	for read := 0; read < total; read += allowed {
		allowed = min(allowed+100, total-read)
		pk, err := s.Read(t.Context(), p)
		if err != nil || pk.Frames != allowed {
			t.Fatalf("%+v, %v; %d frames were admitted", pk, err, allowed)
		}
		if err := tone.CheckRamp(format, audio.Pos(read), p[:pk.Frames*9]); err != nil {
			t.Fatal(err)
		}
	}
}
