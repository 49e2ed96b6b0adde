package reader

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// S10: head, tail, last position, whether it is over and with what are always
// answered, by the ring to anybody and by a reader for itself.
func TestSeed_S10(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	rd := mustOpen(t, ring)
	ask := func(bounds audio.Span, pos audio.Pos, lag int64, over bool) {
		t.Helper()
		if ring.Bounds() != bounds || ring.Head() != bounds.To || rd.Pos() != pos || rd.Lag() != lag || ring.Closed() != over {
			t.Errorf("bounds %v, head %d, reader at %d, %d behind, over: %v; want %v, %d, %d, %v",
				ring.Bounds(), ring.Head(), rd.Pos(), rd.Lag(), ring.Closed(), bounds, pos, lag, over)
		}
	}
	ask(span(0, 0), 0, 0, false)
	insert(w, 5)
	ask(span(0, 5), 0, 5, false)
	if n, err := rd.Read(t.Context(), make([]byte, 3*frameBytes)); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	ask(span(0, 5), 3, 2, false)
	insert(w, 15)
	ask(span(13, 20), 3, 17, false) // what was overwritten counts too: it is yet to be told
	if err := ring.Err(); err != nil {
		t.Errorf("it ended with %v before its end", err)
	}
	broken := errors.New("unplugged")
	w.Close(broken)
	ask(span(13, 20), 3, 17, true)
	if err := ring.Err(); !errors.Is(err, broken) {
		t.Errorf("it ended with %v", err)
	}
}

// S18: what is not there is told by type, with the range that is: gone, or not
// yet; both are outside, and so is neither the end nor a mistake.
func TestSeed_S18(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	rd := mustOpen(t, ring)
	insert(w, 10)
	w.Skip(5, audio.Device)
	insert(w, 2)
	for _, c := range []struct {
		i, j   audio.Pos
		lost   audio.Span
		cause  audio.Cause
		future audio.Pos
	}{
		{0, 7, span(0, 5), audio.Overrun, 0},
		{0, 99, span(0, 5), audio.Overrun, 0}, // past before future
		{9, 16, span(10, 15), audio.Device, 0},
		{12, 13, span(12, 15), audio.Device, 0},
		{15, 18, span(0, 0), 0, 17},
	} {
		v, err := rd.Slice(c.i, c.j)
		v.Release()
		var lost *LostError
		var future *FutureError
		switch {
		case c.future != 0:
			if !errors.As(err, &future) || errors.As(err, &lost) || future.Head != c.future || future.Want != span(c.i, c.j) {
				t.Errorf("[%d, %d): %v", c.i, c.j, err)
			}
		case !errors.As(err, &lost) || lost.Lost != c.lost || lost.Cause != c.cause || lost.Want != span(c.i, c.j) || lost.Holds != ring.Bounds():
			t.Errorf("[%d, %d): %v", c.i, c.j, err)
		}
		if !errors.Is(err, ErrOutside) {
			t.Errorf("[%d, %d): %v is not outside", c.i, c.j, err)
		}
	}
	if _, err := rd.Slice(9, 3); err == nil || errors.Is(err, ErrOutside) {
		t.Errorf("backwards: %v", err)
	}
	w.Close(nil)
	rd.Seek(17)
	if _, err := rd.Read(t.Context(), make([]byte, frameBytes)); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
}

// C8: count, byte offset and time index the same frames: a key of one kind
// finds the frame that has the key of the other, and the byte offset is exact.
func TestSeed_C8(t *testing.T) {
	const mark, rate, frame = 1234, 44100, 6
	bytes, count, time := Bytes(mark, frame), Frames(mark), Millis(mark, rate)
	for i := range int64(100_000) {
		p := audio.Pos(mark + i)
		b, err := bytes.Key(p)
		n, err2 := count.Key(p)
		ms, err3 := time.Key(p)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		if b != i*frame || n != i || ms != i*1000/rate {
			t.Fatalf("frame %d: byte %d, count %d, ms %d", i, b, n, ms)
		}
		// Every byte of a frame means the frame behind it, but its first.
		for _, inside := range []int64{0, 1, frame - 1} {
			want := p
			if inside > 0 {
				want++
			}
			if got, err := bytes.Lower(b + inside); err != nil || got != want {
				t.Fatalf("byte %d is frame %d, %v, want %d", b+inside, got, err, want)
			}
		}
		if first, err := time.Lower(ms); err != nil || first > p {
			t.Fatalf("ms %d of frame %d begins at %d, %v", ms, p, first, err)
		}
	}
}

// Reads are consistent while the buffer advances: readers that slice near its
// edge get what they asked for, or are told what is gone.
func TestSeed_ReadsAreConsistentWhileTheBufferAdvances(t *testing.T) {
	const readers, looks, frames, block = 4, 100, 30_000, 8192
	ring, w := newRing(t, buffer.Config{Frames: 2 * frames, BlockFrames: block, MaxReaders: readers, MaxPins: 1})
	insert(w, 2*frames)
	var wait sync.WaitGroup
	var busy atomic.Int32
	for range readers {
		rd := mustOpen(t, ring)
		busy.Add(1)
		wait.Go(func() {
			defer rd.Close()
			defer busy.Add(-1)
			for whole, look := 0, 0; whole < looks; look++ {
				from := ring.Bounds().From + audio.Pos(look%3*block/2) // the edge, and just before it
				v, err := rd.Slice(from, from+frames)
				if err != nil {
					if lost := loss(err); lost.From != from || lost.Cause != audio.Overrun {
						t.Errorf("[%d, %d): %v", from, from+frames, err)
						return
					}
					continue
				}
				sound := v.AppendTo(nil)
				if len(sound) != frames*frameBytes || v.Span() != span(from, from+frames) || wrong(sound, from) >= 0 {
					t.Errorf("[%d, %d): %d bytes, wrong from %d on", from, from+frames, len(sound), wrong(sound, from))
					return
				}
				v.Release()
				whole++
			}
		})
	}
	for busy.Load() > 0 {
		insert(w, 1000)
		runtime.Gosched()
	}
	w.Close(nil)
	wait.Wait()
}

// The same query on a changed buffer has the same answer, or is told that its
// frames are gone: positions mean one frame for ever.
func TestSeed_TheSameQueryOnAChangedBuffer(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 60, BlockFrames: 8})
	rd := mustOpen(t, ring)
	gone := false
	for head := audio.Pos(0); head < 200; head++ {
		v, err := rd.Slice(20, 40)
		switch {
		case err == nil:
			if sound := v.AppendTo(nil); gone || len(sound) != 20*frameBytes || wrong(sound, 20) >= 0 {
				t.Errorf("at %d: %d bytes, wrong from %d on, gone before: %v", head, len(sound), wrong(sound, 20), gone)
			}
		case loss(err).Cause == audio.Overrun:
			gone = true
		case gone || head >= 40:
			t.Errorf("at %d: %v", head, err)
		}
		v.Release()
		insert(w, 1)
	}
	if !gone {
		t.Error("nothing was ever overwritten")
	}
}

// A reader is an iterator, a cursor and sliceable, and one does not disturb
// the other.
func TestSeed_AReaderIsAnIteratorACursorAndSliceable(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 100, BlockFrames: 8})
	rd := mustOpen(t, ring)
	insert(w, 50)
	w.Close(nil)
	p := make([]byte, 7*frameBytes)
	for next := audio.Pos(0); ; {
		if rd.Pos() != next {
			t.Fatalf("the cursor is at %d, want %d", rd.Pos(), next)
		}
		checkSlice(t, rd, 3, 45, answer{})
		n, err := rd.Read(t.Context(), p)
		if err == io.EOF {
			break
		}
		if err != nil || n == 0 || wrong(p[:n*frameBytes], next) >= 0 {
			t.Fatalf("%d frames at %d, %v", n, next, err)
		}
		next += audio.Pos(n)
	}
	rd.Seek(10)
	if n, err := rd.Read(t.Context(), p); n != 7 || err != nil || wrong(p, 10) >= 0 || rd.Pos() != 17 {
		t.Errorf("%d frames from 10 on, %v; then at %d", n, err, rd.Pos())
	}
	// It neither starts nor waits for anything on its own.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := rd.Read(gone, p); n != 0 || err != context.Canceled || rd.Pos() != 17 {
		t.Errorf("%d frames, %v; at %d", n, err, rd.Pos())
	}
}

// Memory: however long a ring runs and however its readers hang, it keeps no
// more than its window.
func TestSeed_Memory(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 10_000, BlockFrames: 512, MaxReaders: 8})
	var hang []*Reader
	for range 8 {
		rd := mustOpen(t, ring)
		hang = append(hang, rd)
	}
	window := func() {
		for range 1000 { // a hole and some frames each
			w.Skip(3, audio.XRun)
			insert(w, 10)
		}
	}
	window()
	if v, err := hang[0].Slice(ring.Head()-10, ring.Head()); err != nil || v.Frames() != 10 { // never released
		t.Fatal(v.Frames(), err)
	}
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	for range 100 {
		window()
	}
	if after := inUse(); after > before+1<<20 {
		t.Errorf("%d bytes more after 100 windows", after-before)
	}
	if b := ring.Bounds(); ring.Stored(b.To)-ring.Stored(b.From) > 10_512 {
		t.Errorf("it holds %d frames", ring.Stored(b.To)-ring.Stored(b.From))
	}
	for _, rd := range hang {
		if err := rd.Close(); err != nil {
			t.Error(err)
		}
	}
}
