package source_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
	"github.com/ingestd/ingestd/source/wavfile"
)

// S1: nothing yet, over and broken are told apart: a read waits, and the end of
// its context costs no frame; the end is io.EOF, again and again; anything else
// is a Fault, and closing twice is one closing.
func TestSeed_S1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mono := audio.Format{Rate: 8000, Channels: 1, Encoding: audio.S16}
		src, err := tone.Open(t.Context(), tone.Config{Format: mono, Kind: tone.Ramp, Speed: 1, Frames: 5000, Clock: clock.NewBubble()})
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 20_000)
		none, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		begun := time.Now()
		if pk, err := src.Read(none, p); pk != (source.Packet{}) || err != context.DeadlineExceeded || time.Since(begun) != 10*time.Millisecond {
			t.Errorf("nothing yet: %+v, %v after %v", pk, err, time.Since(begun))
		}
		total := 0
		for total < 5000 {
			pk, err := src.Read(t.Context(), p)
			if err != nil || pk.Frames == 0 || pk.First != (total == 0) {
				t.Fatalf("behind %d frames: %+v, %v", total, pk, err)
			}
			if err := tone.CheckRamp(mono, audio.Pos(total), p[:pk.Frames*2]); err != nil {
				t.Fatal(err)
			}
			total += pk.Frames
		}
		for range 3 {
			if pk, err := src.Read(t.Context(), p); pk != (source.Packet{}) || err != io.EOF {
				t.Errorf("over: %+v, %v", pk, err)
			}
		}
		if err := errors.Join(src.Close(), src.Close()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
	path := filepath.Join(t.TempDir(), "a.wav")
	f := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}
	head, err := wav.AppendHeader(nil, f, nil, 40_000)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(head, make([]byte, 40_000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := wavfile.Open(t.Context(), wavfile.Config{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	p := make([]byte, 8000)
	if pk, err := src.Read(t.Context(), p); err != nil || pk.Frames != 4000 {
		t.Fatalf("%+v, %v", pk, err)
	}
	if err := os.Truncate(path, 4000); err != nil {
		t.Fatal(err)
	}
	err = nil
	for err == nil {
		_, err = src.Read(t.Context(), p)
	}
	var broken *source.Fault
	if err == io.EOF || !errors.As(err, &broken) {
		t.Errorf("broken: %v", err)
	}
}
