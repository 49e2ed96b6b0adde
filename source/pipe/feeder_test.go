//go:build unix

package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

const ms = int64(time.Millisecond)

// steps is a clock that stands still but in Sleep, and calls each at every
// multiple of 20 ms, like a feeder.
type steps struct {
	clock.Clock // nil: the rest is not asked

	now    int64
	sleeps int
	each   func()
}

func (c *steps) Monotonic() int64 { return c.now }
func (c *steps) UTC() time.Time   { return time.Unix(0, c.now).UTC() }

func (c *steps) Sleep(ctx context.Context, until int64) error {
	c.sleeps++
	for next := c.now - c.now%(20*ms) + 20*ms; next <= until; next += 20 * ms {
		if c.now = next; c.each != nil {
			c.each()
		}
	}
	c.now = max(c.now, until)
	return ctx.Err()
}

func writer(t *testing.T, path string) *os.File {
	t.Helper()
	w, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t *testing.T, w *os.File, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}

// batch is what the tests reckon with.
const batch = 100 * time.Millisecond

func TestWakesOnceForManyWrites(t *testing.T) {
	path := mkfifo(t)
	mono := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}
	c := &steps{now: 1040 * ms}
	s := open(t, Config{Path: path, Format: mono, Clock: c, Batch: batch})
	w := writer(t, path)
	c.each = func() { write(t, w, ramp(mono, 0, 960)) }
	p := make([]byte, 1<<20)
	if pk, err := s.Read(t.Context(), p); err != nil || pk.Frames != 3*960 {
		t.Fatalf("first Read: %+v, %v; want the 60 ms up to the tick", pk, err)
	}
	for c.now < 3000*ms { // at first it wants to know exactly when frames come
		if _, err := s.Read(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	c.sleeps = 0
	for i := range 20 {
		pk, err := s.Read(t.Context(), p)
		if err != nil || pk.Frames != 4800 {
			t.Fatalf("Read %d: %+v, %v; want 100 ms of sound", i, pk, err)
		}
		if pk.At%(100*ms) != 0 || pk.Exact {
			t.Errorf("Read %d: %+v; want the arrival, at a tick", i, pk)
		}
	}
	if c.sleeps != 20 {
		t.Errorf("%d wake-ups for 20 ticks", c.sleeps)
	}
}

func TestSilenceIsAStall(t *testing.T) {
	path := mkfifo(t)
	c := &steps{now: 1000 * ms}
	s := open(t, Config{Path: path, Clock: c, Batch: batch})
	stalls := func(after time.Duration) {
		t.Helper()
		begun := c.now
		_, err := s.Read(t.Context(), make([]byte, 900))
		var f *source.Fault
		if !errors.As(err, &f) || f.Reason != source.Stall || !strings.Contains(err.Error(), path) {
			t.Fatalf("got %v, want a stall that names %s", err, path)
		}
		if took := time.Duration(c.now - begun); took < after || took > after+150*time.Millisecond {
			t.Errorf("the stall was seen after %v, want %v", took, after)
		}
		if _, again := s.Read(t.Context(), make([]byte, 900)); again != err {
			t.Errorf("then %v", again)
		}
	}
	stalls(DefaultSilence)

	s = open(t, Config{Path: path, Clock: c, Batch: batch})
	c.now += 3000 * ms
	write(t, writer(t, path), ramp(format, 0, 100))
	if pk, err := s.Read(t.Context(), make([]byte, 900)); err != nil || pk.Frames != 100 {
		t.Fatalf("%+v, %v", pk, err)
	}
	stalls(DefaultSilence)
}

func TestNextWriterBeginsWithAWholeFrame(t *testing.T) {
	path := mkfifo(t)
	var warned []string
	s := open(t, Config{Path: path, Clock: &steps{now: ms}, Warn: func(line string) { warned = append(warned, line) }})
	p := make([]byte, 900)
	for i := range 3 {
		w := writer(t, path)
		write(t, w, append(ramp(format, 0, 10), "part"...))
		w.Close()
		pk, err := s.Read(t.Context(), p)
		if err != nil || !bytes.Equal(p[:pk.Frames*9], ramp(format, 0, 10)) {
			t.Fatalf("writer %d: %d frames, %v", i, pk.Frames, err)
		}
		// The end of a writer is seen at the next tick.
		ctx, cancel := context.WithCancel(t.Context())
		s.c.Clock.(*steps).each = cancel
		if _, err := s.Read(ctx, p); err != context.Canceled {
			t.Fatal(err)
		}
		s.c.Clock.(*steps).each = nil
		if s.fill(p); len(warned) != i+1 || !strings.Contains(warned[i], "4 bytes when its writer left") {
			t.Fatalf("warned %q", warned)
		}
	}
}

func TestTheEndComesBehindWhatWasHeldBack(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, n := &steps{now: 1000 * ms}, 0
	c.each = func() {
		if n++; n < 100 || n > 180 {
			write(t, w, ramp(format, n, 1)) // late from n on
		}
		if n == 190 {
			w.Close()
			c.each = nil
		}
	}
	slow := audio.Format{Rate: 50, Channels: format.Channels, Encoding: format.Encoding}
	s := open(t, Config{Path: "-", Stdin: r, Format: slow, Clock: c})
	frames, p := 0, make([]byte, 900)
	for {
		pk, err := s.Read(t.Context(), p)
		if err == io.EOF {
			break
		}
		if err != nil || pk.Lost > 0 {
			t.Fatalf("%+v, %v", pk, err)
		}
		frames += pk.Frames
	}
	if want := 99 + 10; frames != want {
		t.Errorf("%d frames, want %d", frames, want)
	}
}

func TestHeldFIFOKeepsFeederAndFrame(t *testing.T) {
	path := mkfifo(t)
	hold := new(Hold)
	defer hold.Close()
	want := ramp(format, 0, 300)
	s := open(t, Config{Path: path, Clock: &steps{now: ms}, Hold: hold})
	w := writer(t, path)
	var got []byte
	for _, piece := range [][]byte{want[:500], want[500:1111], want[1111:]} {
		write(t, w, piece)
		p := make([]byte, 9000)
		pk, err := s.Read(t.Context(), p)
		if err != nil || !pk.First {
			t.Fatalf("%+v, %v", pk, err)
		}
		got = append(got, p[:pk.Frames*9]...)
		s.Close()
		s = open(t, Config{Path: path, Clock: &steps{now: ms}, Hold: hold})
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes differ from the %d written", len(got), len(want))
	}
	s.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Path: path, Format: format, Hold: hold}); err == nil {
		t.Error("a FIFO that is gone was opened")
	}
}

// TestAFreshPipeBeginsWithWhatComesNow writes while the pipe is not open, in the
// middle of a frame at last: what comes afterwards is in step.
func TestAFreshPipeBeginsWithWhatComesNow(t *testing.T) {
	path := mkfifo(t)
	hold := new(Hold)
	defer hold.Close()
	c := &steps{now: ms}
	s := open(t, Config{Path: path, Clock: c, Hold: hold, Fresh: true})
	w := writer(t, path)
	sound := ramp(format, 0, 1000)
	read := func() []byte {
		t.Helper()
		p := make([]byte, 9000)
		pk, err := s.Read(t.Context(), p)
		if err != nil || !pk.First || pk.Lost != 0 {
			t.Fatalf("%+v, %v", pk, err)
		}
		return p[:pk.Frames*9]
	}
	write(t, w, sound[:904]) // 100 frames and 4 bytes
	if got := read(); !bytes.Equal(got, sound[:900]) {
		t.Errorf("%d bytes differ from what was written while it was open", len(got))
	}
	s.Close()
	write(t, w, sound[904:4000])
	write(t, w, sound[4000:4507]) // in all 500 frames and 7 bytes
	c.now += 3600 * 1000 * ms
	s = open(t, Config{Path: path, Clock: c, Hold: hold, Fresh: true})
	write(t, w, sound[4507:5400])
	if got := read(); !bytes.Equal(got, sound[4500:5400]) {
		t.Errorf("%d bytes differ from the frames that were whole only when it was open again", len(got))
	}
	s.Close()
	w.Close() // and what nobody held is gone with its writer
	s = open(t, Config{Path: path, Clock: c, Hold: hold, Fresh: true})
	w = writer(t, path)
	write(t, w, sound[:900])
	if got := read(); !bytes.Equal(got, sound[:900]) {
		t.Errorf("%d bytes differ from those of another writer", len(got))
	}
}

func TestWhatIsNoPipeIsRefusedWithACure(t *testing.T) {
	dir := t.TempDir()
	locked := filepath.Join(dir, "locked")
	if err := os.WriteFile(locked, nil, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, want string
		format           audio.Format
	}{
		{"missing", dir + "/no", "mkfifo " + dir + "/no", format},
		{"directory", dir, "is a directory", format},
		{"locked", locked, "chmod", format},
		{"no standard input", "-", "name a FIFO", format},
		{"no format", dir, "rate 0 Hz", audio.Format{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.path == locked && os.Geteuid() == 0 {
				t.Skip("left out: root may read any file")
			}
			_, err := Open(t.Context(), Config{Path: c.path, Format: c.format})
			var f *source.Fault
			if !errors.As(err, &f) || f.Reason != source.Failed || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}

func TestTicksKeepTheKernelsBufferHalfEmpty(t *testing.T) {
	for _, c := range []struct {
		f        audio.Format
		capacity int64
		want     time.Duration
	}{
		{audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}, 128 << 10, 100 * time.Millisecond},
		{audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}, 64 << 10, 100 * time.Millisecond},
		{audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}, 8 << 10, 100 * time.Millisecond / 3},
		{audio.Format{Rate: 192000, Channels: 8, Encoding: audio.S24}, 1 << 20, 100 * time.Millisecond},
		{audio.Format{Rate: 192000, Channels: 8, Encoding: audio.S32}, 64 << 10, 100 * time.Millisecond / 19},
		{audio.Format{Rate: audio.MaxRate, Channels: 64, Encoding: audio.F32}, 4096, time.Millisecond},
	} {
		rate := int64(c.f.Rate * c.f.FrameBytes())
		got := tickOf(batch, c.capacity, rate)
		if got != c.want {
			t.Errorf("%v in %d bytes: a tick of %v, want %v", c.f, c.capacity, got, c.want)
		}
		if fill := int64(got) * rate / int64(time.Second); got > minTick && fill > c.capacity/2 {
			t.Errorf("%v: a tick brings %d bytes into %d", c.f, fill, c.capacity)
		}
	}
}

func TestFullPipeIsEmptiedWithoutTicks(t *testing.T) {
	path := mkfifo(t)
	c := &steps{now: 1000*ms + 1}
	s := open(t, Config{Path: path, Clock: c})
	w := writer(t, path)
	p := make([]byte, 9000)
	if err := fillUp(w); err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // no more than a live feeder may be ahead
		before := c.now
		if _, err := s.Read(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if waited := c.now - before; waited > ms {
			t.Errorf("Read %d waited %v for a full pipe", i, time.Duration(waited))
		}
	}
}

// fillUp writes until the pipe is full.
func fillUp(w *os.File) error {
	raw, err := w.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		for failed == nil {
			_, failed = unix.Write(int(fd), make([]byte, 4096))
		}
		return true
	})
	if failed != unix.EAGAIN {
		return fmt.Errorf("fill the pipe: %w", failed)
	}
	return err
}
