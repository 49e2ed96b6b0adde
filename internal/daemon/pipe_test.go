//go:build unix

package daemon

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/pipe"
)

// feed writes 20 ms of sound when they are over, until the context ends. Each
// frame is its own number, of those that lasted since it began. It does not
// write from one time to another, both since it began.
func feed(ctx context.Context, t *testing.T, c clock.Clock, path string, from, to time.Duration, leaves bool) {
	const step = 20 * time.Millisecond
	fd := -1
	defer func() { unix.Close(fd) }()
	begun, sound := c.Monotonic(), []byte(nil)
	for at := time.Duration(0); c.Sleep(ctx, begun+int64(at+step)) == nil; at += step {
		if at >= from && at < to {
			if leaves && fd >= 0 {
				unix.Close(fd)
				fd = -1
			}
			continue
		}
		for n := mono.Frames(at); n < mono.Frames(at+step); n++ {
			sound = binary.LittleEndian.AppendUint32(sound, uint32(n))
		}
		if fd < 0 {
			var err error
			if fd, err = unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0); err != nil && err != unix.ENXIO {
				t.Error(err)
				return
			}
		}
		if n, err := unix.Write(fd, sound); err == nil { // else it waits
			sound = sound[n:]
		}
	}
}

func TestAFeederThatPausesLeavesOneHoleOfItsLength(t *testing.T) {
	for _, pause := range []time.Duration{time.Second, 3 * time.Second, 20 * time.Second, 10 * time.Minute} {
		for _, leaves := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "pipe")
			if err := unix.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				b, hold := newBench(t), &pipe.Hold{}
				b.sensor("mic", mono, 5*time.Second, func(ctx context.Context, _ source.Admit) (source.Source, error) {
					return pipe.Open(ctx, pipe.Config{Path: path, Format: mono, Clock: b.clock, Hold: hold})
				})
				b.reader("disk", mem.New(), time.Second, byBytes)
				ctx, cancel := context.WithCancel(t.Context())
				var feeding sync.WaitGroup
				feeding.Go(func() { feed(ctx, t, b.clock, path, 15*time.Second, 15*time.Second+pause, leaves) })
				d, err := b.run(pause + 40*time.Second)
				cancel()
				feeding.Wait()
				if err := hold.Close(); err != nil {
					t.Error(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				s := d.Status().Sensors[0]
				if wrong := mono.Duration(s.LostFrames) - pause; s.Holes != 1 || wrong.Abs() > 100*time.Millisecond {
					t.Errorf("a pause of %v, leaves %v: %d holes of %v", pause, leaves, s.Holes, mono.Duration(s.LostFrames))
				}
				pcm := b.sound("disk", "mic")
				last := int64(binary.LittleEndian.Uint32(pcm[len(pcm)-4:])) - int64(binary.LittleEndian.Uint32(pcm)) + 1
				if off := mono.Duration(s.Captured - last); off.Abs() > 100*time.Millisecond {
					t.Errorf("a pause of %v, leaves %v: the last frame is %v off its place", pause, leaves, off)
				}
			})
		}
	}
}
