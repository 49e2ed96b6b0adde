package buffer

import (
	"errors"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// The tests here stop the writer between two of its stores, by doing the first
// half of an operation in its place, and look at what a reader sees then.

func make1(t testing.TB, c Config) (*Ring, *Writer, *Place) {
	t.Helper()
	c.FrameBytes = 1
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Writer()
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Take()
	if err != nil {
		t.Fatal(err)
	}
	return r, w, p
}

// put writes frames whose byte is their position.
func put(w *Writer, frames int) {
	for range frames {
		room := w.Reserve(1)
		room[0] = byte(w.Head())
		w.Commit(1)
	}
}

// swing is the half of a Commit that retires the oldest block, without the
// half that moves the head.
func swing(w *Writer) {
	w.Reserve(1)
	w.swing()
}

func TestBoundsBetweenSwingAndHead(t *testing.T) {
	r, w, p := make1(t, Config{Frames: 8, BlockFrames: 2})
	put(w, 20) // 5 blocks in the window
	if b := r.Bounds(); b != (audio.Span{From: 10, To: 20}) {
		t.Fatalf("bounds %v", b)
	}
	swing(w)
	if b := r.Bounds(); b != (audio.Span{From: 12, To: 20}) {
		t.Errorf("bounds %v, but the block of 10 has been retired", b)
	}
	var lost *LostError
	if _, err := p.Copy(make([]byte, 9), 11); !errors.As(err, &lost) || lost.Lost != (audio.Span{From: 11, To: 12}) {
		t.Errorf("%v, want [11, 12) lost", err)
	}
	if _, err := p.Slice(11, 14); !errors.As(err, &lost) || lost.Lost != (audio.Span{From: 11, To: 12}) {
		t.Errorf("%v, want [11, 12) lost", err)
	}
	if v, err := p.Slice(12, 14); err != nil || string(v.AppendTo(nil)) != "\x0c\x0d" {
		t.Errorf("%v", err)
	}
}

// What is left of a room after a Commit stays reserved, at its place.
func TestRestOfTheRoomStaysReserved(t *testing.T) {
	_, w, p := make1(t, Config{Frames: 8, BlockFrames: 8})
	copy(w.Reserve(8), "abcdefgh")
	w.Commit(3)
	w.Skip(2, audio.XRun)
	w.Commit(4)
	w.Commit(1)
	b := make([]byte, 8)
	if n, err := p.Copy(b, 5); n != 5 || err != nil || string(b[:n]) != "defgh" {
		t.Errorf("%d frames, %v: %q", n, err, b)
	}
}

// Reserve alone retires nothing: a source may sit in its room for hours.
func TestReserveEvictsNothing(t *testing.T) {
	r, w, _ := make1(t, Config{Frames: 8, BlockFrames: 2})
	put(w, 20)
	w.Reserve(2)
	w.Reserve(1)
	if b := r.Bounds(); b != (audio.Span{From: 10, To: 20}) {
		t.Errorf("bounds %v after Reserve", b)
	}
}

// The next hole is in the log and the head has not moved: what follows must
// not be taken for sound.
func TestHoleLoggedBeforeHead(t *testing.T) {
	for _, before := range []int64{0, 3} {
		r, w, p := make1(t, Config{Frames: 8, BlockFrames: 2})
		w.Skip(before, audio.Device)
		put(w, 5)
		from := w.Head()
		p.Copy(make([]byte, 1), from-1) // fills what the place remembers
		r.log.add(int64(from), w.stored, 4, audio.XRun)
		if n, err := p.Copy(make([]byte, 9), from-1); n != 1 || err != nil {
			t.Errorf("%d frames, %v: looked up while the hole is in the log", n, err)
		}
		if b := r.Bounds(); b.To != from || b.From != audio.Pos(before) {
			t.Errorf("bounds %v", b)
		}
		if n := r.Stored(from); n != 5 {
			t.Errorf("%d stored, want 5", n)
		}
		w.grows, w.cause = true, audio.XRun
		w.publish(4)
		put(w, 2)
		var lost *LostError
		if n, err := p.Copy(make([]byte, 9), from); n != 0 || !errors.As(err, &lost) || lost.Lost != (audio.Span{From: from, To: from + 4}) {
			t.Errorf("%d frames, %v, want the hole [%d, %d)", n, err, from, from+4)
		}
		b := make([]byte, 9)
		if n, err := p.Copy(b, from+4); n != 2 || err != nil || b[0] != byte(from+4) {
			t.Errorf("%d frames, %v", n, err)
		}
	}
}

// While a hole grows its end is ahead of the head for an instant.
func TestGrowingHoleIsNoSound(t *testing.T) {
	r, w, p := make1(t, Config{Frames: 8, BlockFrames: 2})
	w.Skip(3, audio.Device)
	r.log.grow(10)
	if b := r.Bounds(); b != (audio.Span{From: 3, To: 3}) {
		t.Errorf("bounds %v, nothing is stored and the head is at 3", b)
	}
	if n := r.Stored(3); n != 0 {
		t.Errorf("%d stored", n)
	}
	var lost *LostError
	if n, err := p.Copy(make([]byte, 9), 1); n != 0 || !errors.As(err, &lost) || lost.Lost != (audio.Span{From: 1, To: 10}) {
		t.Errorf("%d frames, %v", n, err)
	}
	if n, err := p.Copy(make([]byte, 9), 10); n != 0 || err != nil {
		t.Errorf("%d frames, %v ahead of the head", n, err)
	}
	w.publish(7)
	put(w, 1)
	if n, err := p.Copy(make([]byte, 9), 10); n != 1 || err != nil {
		t.Errorf("%d frames, %v", n, err)
	}
}

// The bound on spare blocks is tight: with every pin of every reader and one
// copy of each under way, one free block is left.
func TestWriterFindsAFreeBlockWhateverIsPinned(t *testing.T) {
	const readers, pins = 3, 2
	r, w, _ := make1(t, Config{Frames: 4, BlockFrames: 1, MaxReaders: readers, MaxPins: pins})
	for i := range readers * (pins + 1) {
		put(w, 1)
		if _, ok := r.pin(int64(i)); !ok { // as a reader holds a block
			t.Fatal("the newest block cannot be pinned")
		}
	}
	put(w, 1000)
	if most := readers*(pins+1) + 1; w.search != most {
		t.Errorf("looked at %d pins for a free block, want the bound %d reached", w.search, most)
	}
	if n := testing.AllocsPerRun(100, func() { put(w, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The block is retired after a reader has looked at the slot and before it has
// pinned: the pin is given up, whatever is in the slot by then.
func TestPinOfRetiredBlockIsGivenUp(t *testing.T) {
	const window = 5 // blocks
	r, w, _ := make1(t, Config{Frames: window - 1, BlockFrames: 1, MaxReaders: 1, MaxPins: 1})
	put(w, window)
	all := len(r.pins) // enough for every memory to come round
	for later := 1; later <= 3*all; later++ {
		block := w.stored - window
		slot := r.slot(block)
		word := slot.Load()
		put(w, later)
		if _, ok := r.hold(slot, word); ok {
			t.Errorf("block %d was pinned %d blocks after its slot was seen", block, later)
		}
		if _, ok := r.pin(block); ok {
			t.Errorf("block %d was pinned after it was overwritten", block)
		}
	}
	for id := range r.pins {
		if n := r.pins[id].Load(); n != 0 {
			t.Errorf("memory %d has %d pins", id, n)
		}
	}
}

func TestConfigOutOfRangeIsRefused(t *testing.T) {
	good := Config{FrameBytes: 2, Frames: 10}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.FrameBytes = 0 }, func(c *Config) { c.FrameBytes = -1 }, func(c *Config) { c.FrameBytes = 1 << 30 },
		func(c *Config) { c.Frames = 0 }, func(c *Config) { c.Frames = -1 }, func(c *Config) { c.Frames = 1 << 62 }, func(c *Config) { c.Frames = 1<<63 - 1 },
		func(c *Config) { c.BlockFrames = 3 }, func(c *Config) { c.BlockFrames = -4 }, func(c *Config) { c.BlockFrames = 1 << 40 },
		func(c *Config) { c.MaxReaders = -1 }, func(c *Config) { c.MaxReaders = 1 << 40 },
		func(c *Config) { c.MaxPins = -1 }, func(c *Config) { c.Holes = -1 }, func(c *Config) { c.Holes = 1 << 40 },
		func(c *Config) { c.BlockFrames = 1; c.Frames = 1 << 20 }, func(c *Config) { c.BlockFrames = 1 << 20; c.FrameBytes = 1 << 12 },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func TestFaultsOfTheCallerPanic(t *testing.T) {
	for name, fault := range map[string]func(*Writer){
		"Reserve(0)":       func(w *Writer) { w.Reserve(0) },
		"Commit too much":  func(w *Writer) { w.Commit(len(w.Reserve(3)) + 1) },
		"Commit twice":     func(w *Writer) { w.Reserve(3); w.Commit(3); w.Commit(1) },
		"Commit(-1)":       func(w *Writer) { w.Commit(-1) },
		"Skip(-1)":         func(w *Writer) { w.Skip(-1, audio.Device) },
		"Skip of none":     func(w *Writer) { w.Skip(1, 0) },
		"Skip of overrun":  func(w *Writer) { w.Skip(1, audio.Overrun) },
		"Skip beyond":      func(w *Writer) { w.Skip(1, audio.Device); w.Skip(1<<63-1, audio.Device) },
		"Reserve at end":   func(w *Writer) { w.Close(nil); w.Reserve(1) },
		"Commit at end":    func(w *Writer) { w.Reserve(1); w.Close(nil); w.Commit(1) },
		"Skip after Close": func(w *Writer) { w.Close(nil); w.Skip(1, audio.Device) },
	} {
		t.Run(name, func(t *testing.T) {
			_, w, _ := make1(t, Config{Frames: 8})
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			fault(w)
		})
	}
}
