//go:build unix

package pipe

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/sourcetest"
	"github.com/ingestd/ingestd/source/tone"
)

var format = audio.Format{Rate: 48000, Channels: 3, Encoding: audio.S24}

func ramp(f audio.Format, from, frames int) []byte {
	b := make([]byte, frames*f.FrameBytes())
	tone.RampAt(f, audio.Pos(from), b)
	return b
}

func mkfifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mic0")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, c Config) *Source {
	t.Helper()
	if c.Format == (audio.Format{}) {
		c.Format = format
	}
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// feed writes b in pieces that are no whole frames, and closes w.
func feed(t *testing.T, w *os.File, b []byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(b) > 0 {
			n, err := w.Write(b[:min(len(b), 1921)])
			if err != nil {
				return // the source was closed before its end
			}
			b = b[n:]
		}
		w.Close()
	}()
	t.Cleanup(func() { w.Close(); <-done })
}

func TestStandardInput(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		want := ramp(format, 0, 20001)
		feed(t, w, append(bytes.Clone(want), "part"...))
		return open(t, Config{Path: "-", Stdin: r, Batch: time.Millisecond}), sourcetest.Want{Bytes: want, Ends: true}
	})
}

func TestSilentStandardInputIsNotWaitedFor(t *testing.T) {
	sourcetest.TestWaiting(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		s := open(t, Config{Path: "-", Stdin: r, Silence: time.Hour})
		if err := unix.SetNonblock(s.in.fd, false); err != nil {
			t.Fatal(err)
		}
		return s, sourcetest.Want{}
	})
}

func TestFIFO(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		path, want := mkfifo(t), ramp(format, 0, 20001)
		s := open(t, Config{Path: path, Batch: time.Millisecond})
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		feed(t, w, want)
		return s, sourcetest.Want{Bytes: want}
	})
	sourcetest.TestWaiting(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		return open(t, Config{Path: mkfifo(t), Silence: time.Hour}), sourcetest.Want{}
	})
}

func TestFile(t *testing.T) {
	for _, stdin := range []bool{false, true} {
		sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
			path, want := filepath.Join(t.TempDir(), "a.raw"), ramp(format, 0, 20001)
			if err := os.WriteFile(path, append(bytes.Clone(want), "part"...), 0o600); err != nil {
				t.Fatal(err)
			}
			c := Config{Path: path}
			if stdin {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				c = Config{Path: "-", Stdin: f}
			}
			return open(t, c), sourcetest.Want{Bytes: want, Ends: true}
		})
	}
}
