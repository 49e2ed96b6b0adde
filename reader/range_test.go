package reader

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// A long range is opened without reading it, and walked in borrowed blocks or
// copied; what was overwritten since is told where it is met.
func TestRangeIsWalkedInPieces(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 100, BlockFrames: 8, MaxPins: 2})
	rd := mustOpen(t, ring)
	insert(w, 90)
	g, err := rd.Range(3, 85)
	if err != nil || g.Span() != span(3, 85) {
		t.Fatal(err)
	}
	walk := func(g Range, step func(View)) (at audio.Pos, err error) {
		at = g.Span().From
		for v, err := range g.Pieces() {
			if err != nil {
				return at, err
			}
			if v.Span().From != at || len(v.Segments()) != 1 || wrong(v.Segments()[0], at) >= 0 || int64(len(v.Segments()[0])) != v.Frames()*frameBytes {
				t.Errorf("piece %v at %d", v.Span(), at)
			}
			at = v.Span().To
			step(v)
		}
		return at, nil
	}
	borrowed := 0
	if at, err := walk(g, func(v View) {
		if v.Borrowed() {
			borrowed++
		}
	}); at != 85 || err != nil || borrowed != 11 {
		t.Errorf("walked to %d, %v, %d pieces borrowed", at, err, borrowed)
	}
	p := make([]byte, 82*frameBytes)
	if n, err := g.Copy(p); n != 82 || err != nil || wrong(p, 3) >= 0 {
		t.Errorf("copied %d, %v, wrong from %d", n, err, wrong(p, 3))
	}
	if n, err := g.Copy(p[1:]); n != 0 || err != io.ErrShortBuffer {
		t.Errorf("into too little: %d, %v", n, err)
	}
	held, err := rd.Slice(80, 89) // all pins are in use: pieces are copies
	if err != nil || !held.Borrowed() {
		t.Fatal(err)
	}
	if at, err := walk(g, func(v View) {
		if v.Borrowed() {
			t.Errorf("borrowed %v beyond what may be", v.Span())
		}
	}); at != 85 || err != nil {
		t.Errorf("walked to %d, %v", at, err)
	}
	held.Release()
	// The writer laps the walk while a piece is held.
	at, err := walk(g, func(v View) {
		if v.Span().To == 24 {
			insert(w, 60)
			if wrong(v.AppendTo(nil), v.Span().From) >= 0 {
				t.Error("a borrowed piece changed")
			}
		}
	})
	if oldest := ring.Bounds().From; at != 24 || loss(err) != overrun(24, oldest).lost {
		t.Errorf("walked to %d, %v; want [24, %d) lost", at, err, oldest)
	}
	if n, err := g.Copy(p); n != 0 || loss(err).From != 3 {
		t.Errorf("copied %d, %v", n, err)
	}
	for _, c := range []struct {
		i, j audio.Pos
		want answer
	}{{0, 3, overrun(0, ring.Bounds().From)}, {149, 151, answer{future: 150}}} {
		if _, err := rd.Range(c.i, c.j); c.want.future == 0 && loss(err) != c.want.lost || !errors.Is(err, ErrOutside) {
			t.Errorf("range [%d, %d): %v", c.i, c.j, err)
		}
	}
	if _, err := rd.Range(5, 3); err == nil {
		t.Error("a range was opened backwards")
	}
	for range (Range{}).Pieces() {
		t.Error("the zero range has a piece")
	}
}

func TestNextBorrowsWhatReadCopies(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 100, BlockFrames: 8, MaxPins: 2})
	rd := mustOpen(t, ring)
	insert(w, 30)
	w.Skip(5, audio.XRun)
	insert(w, 3)
	w.Close(nil)
	var held []View
	take := func(frames int64, want audio.Span, borrowed bool) {
		t.Helper()
		v, err := rd.Next(t.Context(), frames)
		if err != nil || v.Span() != want || v.Borrowed() != borrowed || rd.Pos() != want.To {
			t.Errorf("%v, %v, borrowed %v, cursor at %d; want %v", v.Span(), err, v.Borrowed(), rd.Pos(), want)
		}
		held = append(held, v)
	}
	take(3, span(0, 3), true)
	take(100, span(3, 8), true)
	take(100, span(8, 16), false) // both pins are held
	for _, v := range held {
		if wrong(v.AppendTo(nil), v.Span().From) >= 0 {
			t.Errorf("view of %v is wrong", v.Span())
		}
		v.Release()
	}
	take(100, span(16, 30), true)
	if _, err := rd.Next(t.Context(), 1); loss(err) != (audio.Hole{Span: span(30, 35), Cause: audio.XRun}) || rd.Pos() != 35 {
		t.Errorf("%v at %d", err, rd.Pos())
	}
	held[len(held)-1].Release()
	take(100, span(35, 38), true)
	if _, err := rd.Next(t.Context(), 1); err != io.EOF {
		t.Error(err)
	}
	if _, err := rd.Next(t.Context(), 0); err == nil {
		t.Error("a view of nothing was given")
	}
}

// A peek gives what the read that follows gives, also of a loss.
func TestPeekMovesNothing(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 4, BlockFrames: 1})
	for _, c := range []struct {
		policy Option
		to     audio.Pos // end of the loss
	}{{Oldest, 5}, {Latest, 10}, {Fail, 5}} {
		rd := mustOpen(t, ring, From(0), c.policy)
		if ring.Head() == 0 {
			insert(w, 10)
		}
		p, q := make([]byte, 3*frameBytes), make([]byte, 2*frameBytes)
		for range 2 {
			if n, err := rd.Peek(t.Context(), p); n != 0 || loss(err) != overrun(0, c.to).lost || rd.Pos() != 0 {
				t.Errorf("peek: %d frames, %v, at %d", n, err, rd.Pos())
			}
		}
		if n, err := rd.Read(t.Context(), p); n != 0 || loss(err) != overrun(0, c.to).lost {
			t.Errorf("read: %d frames, %v, at %d", n, err, rd.Pos())
		}
		rd.Seek(7)
		for range 2 {
			if n, err := rd.Peek(t.Context(), q); n != 2 || err != nil || wrong(q, 7) >= 0 || rd.Pos() != 7 {
				t.Errorf("peek: %d frames, %v, at %d", n, err, rd.Pos())
			}
		}
		if n, err := rd.Read(t.Context(), p); n != 3 || err != nil || wrong(p, 7) >= 0 || rd.Pos() != 10 {
			t.Errorf("read: %d frames, %v, at %d", n, err, rd.Pos())
		}
		rd.Close()
	}
}

// A reader that is forgotten, not closed, gives its place and its views back,
// and is counted.
func TestDroppedReaderIsGivenBack(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1, MaxReaders: 1})
	insert(w, 10)
	var kept View
	func() {
		rd := mustOpen(t, ring)
		var err error
		if kept, err = rd.Slice(2, 5); err != nil {
			t.Fatal(err)
		}
	}()
	runtime.GC()
	insert(w, 100)
	if ring.Stats().Dropped != 0 || wrong(kept.AppendTo(nil), 2) >= 0 {
		t.Errorf("given back while a view is known: %+v", ring.Stats())
	}
	runtime.KeepAlive(kept)
	kept = View{}
	for deadline := time.Now().Add(20 * time.Second); ring.Stats().Dropped == 0 && time.Now().Before(deadline); {
		runtime.GC()
		runtime.Gosched()
	}
	if s := ring.Stats(); s.Dropped != 1 || s.Readers != 0 {
		t.Errorf("%d dropped, %d readers", s.Dropped, s.Readers)
	}
	rd := mustOpen(t, ring)
	rd.Close()
	runtime.GC()
	if s := ring.Stats(); s.Dropped != 1 || s.Readers != 0 {
		t.Errorf("after a reader that was closed: %d dropped, %d readers", s.Dropped, s.Readers)
	}
}

// A view that is released again does not take away what was borrowed since.
func TestReleaseTwiceIsHarmless(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 40, BlockFrames: 1, MaxPins: 3})
	rd := mustOpen(t, ring)
	insert(w, 10)
	lend := func(p audio.Pos) View {
		t.Helper()
		v, err := rd.Slice(p, p+1)
		if err != nil || !v.Borrowed() {
			t.Fatal(err)
		}
		return v
	}
	first := lend(1)
	first.Release()
	first.Release()
	second, third := lend(2), lend(3)
	first.Release()
	insert(w, 500)
	for _, v := range []View{second, third} {
		if got := v.AppendTo(nil); len(got) != frameBytes || wrong(got, v.Span().From) >= 0 {
			t.Errorf("view of %v: %d bytes, wrong from %d", v.Span(), len(got), wrong(got, v.Span().From))
		}
		v.Release()
	}
	if got := first.Segments(); got != nil {
		t.Errorf("a released view has %d segments", len(got))
	}
	View{}.Release()
}
