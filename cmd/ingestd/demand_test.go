//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/internal/daemon"
	"github.com/ingestd/ingestd/reader"
)

func TestEverySourceCanBeOnDemandUnlessAReaderStoresIt(t *testing.T) {
	for _, name := range []string{sourcePortAudio, sourcePipe, sourceTone} {
		for _, demand := range []bool{false, true} {
			for _, stored := range []bool{false, true} {
				c := builtInConfig()
				s := builtInSensor(c.Defaults.Sensor)
				s.ID, s.Source, s.Start = "mic0", name, startTime{OnDemand: demand}
				c.Sensors = []*sensorConfig{s}
				if stored {
					c.Readers = []*readerConfig{builtInReader()}
				}
				got, err := newAssembler(&program{}, c, zap.NewNop()).sensor(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				if want := demand && !stored; got.OnDemand != want {
					t.Errorf("%s, start %v, stored: %v: on demand is %v, want %v", name, s.Start, stored, got.OnDemand, want)
				}
			}
		}
	}
}

// demandDaemon runs the sensor mic, which is on demand, until the test ends.
func demandDaemon(t *testing.T, dir, source string) *daemon.Daemon {
	t.Helper()
	name := filepath.Join(dir, "ingestd.toml")
	if err := os.WriteFile(name, []byte("[http]\nlisten = \"off\"\n[[sensor]]\nid = \"mic\"\nstart = \"on-demand\"\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	p := &program{stdout: &out, stderr: &errs, clock: clock.System{}, config: name, flags: map[string]string{}}
	cfg, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	stop, cancel := context.WithCancel(t.Context())
	made := make(chan *daemon.Daemon, 1)
	var run sync.WaitGroup
	run.Go(func() {
		defer close(made)
		err := p.runDaemon(stop, stop, cfg, zap.NewNop(), running{
			live: true, change: func(*daemon.Config, *assembler) error { return nil },
			made: func(d *daemon.Daemon) { made <- d },
		})
		if err != nil && stop.Err() == nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		run.Wait()
	})
	d := <-made
	if d == nil {
		t.Fatal("no daemon was made")
	}
	return d
}

// awaitOff waits until the sensor is off.
func awaitOff(d *daemon.Daemon) {
	for d.Status().Sensors[0].State != "off" {
		runtime.Gosched()
	}
}

// TestAMockMicrophoneOnDemandBeginsAnew plays a WAV to one reader after another:
// each time its first frame is the first.
func TestAMockMicrophoneOnDemandBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.wav"), plainWAV(8000, 1, 80_000), 0o600); err != nil {
		t.Fatal(err)
	}
	d := demandDaemon(t, dir, "source = \"wav\"\nfiles = [\"a.wav\"]\nloop = true\n")
	for turn := range 3 {
		r, err := d.Listen("mic", reader.FromHead)
		if err != nil {
			t.Fatal(err)
		}
		if got := firstSound(t, r); !bytes.Equal(got, plainWAV(8000, 1, len(got)/2)[44:]) {
			t.Errorf("turn %d begins with sample %d", turn, binary.LittleEndian.Uint16(got))
		}
		r.Close()
		awaitOff(d)
	}
	if s := d.Status().Sensors[0]; s.Captured-s.LostFrames > 8*8000 {
		t.Errorf("it ran while nobody read: %+v", s)
	}
}

// TestAPipeOnDemandGivesNothingFromBefore writes to a FIFO while nobody listens.
func TestAPipeOnDemandGivesNothingFromBefore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(w)
	d := demandDaemon(t, dir, "source = \"pipe\"\npath = \"fifo\"\nrate = 8000\n")
	for range 3 {
		if _, err := unix.Write(w, bytes.Repeat([]byte{1}, 500)); err != nil {
			t.Fatal(err)
		}
		r, err := d.Listen("mic", reader.FromHead)
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan struct{})
		var feed sync.WaitGroup
		feed.Go(func() { // until it is heard: nobody knows when the pipe is open
			for {
				select {
				case <-heard:
					return
				default:
					_, _ = unix.Write(w, bytes.Repeat([]byte{2}, 2)) // it may be full
					runtime.Gosched()
				}
			}
		})
		if got := firstSound(t, r); got[0] != 2 {
			t.Error("what was written before anybody listened was heard")
		}
		close(heard)
		feed.Wait()
		r.Close()
		awaitOff(d)
	}
}

// firstSound is what is read first behind the holes.
func firstSound(t *testing.T, r *reader.Reader) []byte {
	t.Helper()
	buf := make([]byte, 2000)
	for {
		n, err := r.Read(t.Context(), buf)
		var lost *reader.LostError
		switch {
		case errors.As(err, &lost):
		case err != nil:
			t.Fatal(err)
		default:
			return buf[:n*2]
		}
	}
}
