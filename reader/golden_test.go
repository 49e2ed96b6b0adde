package reader

import (
	"context"
	"errors"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// answer is what Slice must say: a view, or one of the losses.
type answer struct {
	lost   audio.Hole
	future audio.Pos // head of a FutureError
	plain  bool      // the caller is wrong
}

func checkSlice(t *testing.T, rd *Reader, i, j audio.Pos, want answer) {
	t.Helper()
	v, err := rd.Slice(i, j)
	defer v.Release()
	var lost *LostError
	var future *FutureError
	switch {
	case errors.As(err, &lost):
		if loss(err) != want.lost || lost.Want != span(i, j) {
			t.Errorf("Slice(%d, %d): %v, want %+v", i, j, err, want)
		}
	case errors.As(err, &future):
		if future.Head != want.future || want.future == 0 || future.Want != span(i, j) {
			t.Errorf("Slice(%d, %d): %v, want %+v", i, j, err, want)
		}
	case err != nil:
		if !want.plain {
			t.Errorf("Slice(%d, %d): %v, want %+v", i, j, err, want)
		}
	default:
		sound := v.AppendTo(nil)
		if want != (answer{}) || len(sound) != int(j-i)*frameBytes || wrong(sound, i) >= 0 || v.Span() != span(i, j) {
			t.Errorf("Slice(%d, %d): view of %v, %d bytes, wrong from %d; want %+v", i, j, v.Span(), len(sound), wrong(sound, i), want)
		}
	}
	if (lost != nil || future != nil) != errors.Is(err, ErrOutside) {
		t.Errorf("Slice(%d, %d): %v is not told by ErrOutside", i, j, err)
	}
}

func overrun(from, to audio.Pos) answer {
	return answer{lost: audio.Hole{Span: span(from, to), Cause: audio.Overrun}}
}

// TestSeed_C1: frames are counted for ever, lost ones included; the oldest is
// max(head - window, 0), and the end resets nothing.
func TestSeed_C1(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	for head := audio.Pos(0); head < 50; head++ {
		if b := ring.Bounds(); b != span(max(head-7, 0), head) || w.Head() != head {
			t.Errorf("bounds %v, writer at %d, want the newest 7 of %d", b, w.Head(), head)
		}
		insert(w, 1)
	}
	w.Skip(1000, audio.Stopped)
	w.Close(nil)
	if b := ring.Bounds(); b != span(43, 1050) {
		t.Errorf("bounds %v at the end", b)
	}
}

// TestSeed_C10: a view is the memory of the ring in pieces, or a copy in one;
// one piece is a call away.
func TestSeed_C10(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 60, BlockFrames: 8, MaxPins: 3})
	rd := mustOpen(t, ring)
	insert(w, 50)
	for _, c := range []struct {
		i, j     audio.Pos
		pieces   int
		borrowed bool
	}{{16, 24, 1, true}, {17, 18, 1, true}, {20, 28, 2, true}, {17, 40, 3, true}, {17, 41, 1, false}, {0, 50, 1, false}} {
		v, err := rd.Slice(c.i, c.j)
		if err != nil || v.Borrowed() != c.borrowed || len(v.Segments()) != c.pieces {
			t.Errorf("[%d, %d): %v, borrowed %v, %d pieces; want %+v", c.i, c.j, err, v.Borrowed(), len(v.Segments()), c)
		}
		if one := v.AppendTo(nil); len(one) != int(c.j-c.i)*frameBytes || wrong(one, c.i) >= 0 {
			t.Errorf("[%d, %d): %d bytes, wrong from %d", c.i, c.j, len(one), wrong(one, c.i))
		}
		v.Release()
	}
}

// TestSeed_C2: slices are absolute, and the past wins over the future. Beside each is what creek's buffer of 7 answers.
func TestSeed_C2(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	rd := mustOpen(t, ring)
	defer rd.Close()
	type row struct {
		i, j            audio.Pos
		creek5, creek10 string
		ours5, ours10   answer
	}
	rows := []row{
		{0, 3, "0 1 2", "OverlapsPast", answer{}, overrun(0, 3)},
		{3, 7, "OverlapsFuture", "3..6", answer{future: 5}, answer{}},
		{3, 10, "OverlapsFuture", "3..9", answer{future: 5}, answer{}},
		{3, 11, "OverlapsFuture", "OverlapsFuture", answer{future: 5}, answer{future: 10}},
		{11, 14, "OverlapsFuture", "OverlapsFuture", answer{future: 5}, answer{future: 10}},
		{2, 5, "2 3 4", "OverlapsPast", answer{}, overrun(2, 3)},
		{0, 99, "OverlapsFuture", "OverlapsPast", answer{future: 5}, overrun(0, 3)},
		{5, 6, "OverlapsFuture", "5", answer{future: 5}, answer{}},
		{10, 11, "OverlapsFuture", "IndexError (bug)", answer{future: 5}, answer{future: 10}},
		{2, 3, "2", "OverlapsPast", answer{}, overrun(2, 3)},
		{9, 3, "ValueError", "ValueError, also as [9:3:-1]", answer{plain: true}, answer{plain: true}},
		// creek answers (3, 5) and 3.5 with TypeError; here they do not compile.
		{4, 9, "OverlapsFuture", "4..8 as [4:-1]", answer{future: 5}, answer{}},
		{9, 10, "OverlapsFuture", "9 as [-1]", answer{future: 5}, answer{}},
		{3, 9, "OverlapsFuture", "3 5 7 as [3:9:2]; a step is the caller's here", answer{future: 5}, answer{}},
		{2, 9, "OverlapsFuture", "OverlapsPast 2..9 as [-8:-1]", answer{future: 5}, overrun(2, 3)},
		{-1, 3, "counted from the end", "counted from the end", answer{plain: true}, answer{plain: true}},
		{0, 0, "[]", "[]", answer{}, answer{}},
		{5, 5, "[]", "[]", answer{}, answer{}},
		{10, 10, "[]", "[]", answer{}, answer{}},
		{11, 11, "[]", "[]", answer{}, answer{}},
	}
	insert(w, 5)
	if b := ring.Bounds(); b != span(0, 5) {
		t.Errorf("bounds %v, want [0, 5)", b)
	}
	for _, r := range rows {
		checkSlice(t, rd, r.i, r.j, r.ours5)
	}
	insert(w, 5)
	if b := ring.Bounds(); b != span(3, 10) {
		t.Errorf("bounds %v, want [3, 10)", b)
	}
	for _, r := range rows {
		checkSlice(t, rd, r.i, r.j, r.ours10)
	}
}

func TestMessagesNameTheLiveRange(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	rd := mustOpen(t, ring)
	insert(w, 10)
	_, err := rd.Slice(0, 99)
	if got, want := err.Error(), "asked for [0, 99): [0, 3) was overwritten (overrun), the ring holds [3, 10)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = rd.Slice(3, 11)
	if got, want := err.Error(), "asked for [3, 11): the head is at 10"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	w.Skip(5, audio.Device)
	_, err = rd.Slice(9, 12)
	if got, want := err.Error(), "asked for [9, 12): [10, 15) was never captured (device), the ring holds [3, 15)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSeed_S7: a fresh reader begins at the oldest frame, unless told.
func TestSeed_S7(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	insert(w, 10)
	for _, c := range []struct {
		opts []Option
		want audio.Pos
	}{{nil, 3}, {[]Option{FromOldest}, 3}, {[]Option{FromHead}, 10}, {[]Option{From(5)}, 5}, {[]Option{From(50)}, 50}} {
		rd := mustOpen(t, ring, c.opts...)
		if rd.Pos() != c.want {
			t.Errorf("begins at %d, want %d", rd.Pos(), c.want)
		}
		rd.Seek(6)
		fork, err := rd.Fork()
		if err != nil {
			t.Fatal(err)
		}
		if fork.Pos() != 6 {
			t.Errorf("the fork of a reader at 6 begins at %d", fork.Pos())
		}
		fork.Close()
		rd.Close()
	}
	for _, bad := range []Option{From(-1), Margin(-0.1), Margin(1.1), Keys(nil)} {
		if _, err := Open(ring, bad); err == nil {
			t.Error("a bad option was accepted")
		}
	}
	if s := ring.Stats(); s.Readers != 0 {
		t.Errorf("%d places taken, want 0", s.Readers)
	}
}

// stream2py's reader gets 15 after 0, without a word. TestSeed_S8: loss is
// told, once, and exactly.
func TestSeed_S8(t *testing.T) {
	ctx := context.Background()
	ring, w := newRing(t, buffer.Config{Frames: 4, BlockFrames: 1})
	rd := mustOpen(t, ring)
	insert(w, 1)
	p := make([]byte, frameBytes)
	if n, err := rd.Read(ctx, p); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	insert(w, 19)
	if _, err := rd.Read(ctx, p); loss(err) != overrun(1, 15).lost {
		t.Errorf("%v, want [1, 15) lost", err)
	}
	if n, err := rd.Read(ctx, p); n != 1 || err != nil || wrong(p, 15) >= 0 {
		t.Errorf("%d frames, %v", n, err)
	}
	if n, err := rd.Read(ctx, nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: %d, %v", n, err)
	}
	if n, err := rd.Read(ctx, p[:3]); n != 0 || err == nil {
		t.Errorf("a read with no room for a frame: %d, %v", n, err)
	}
}

func TestClosedReaderSaysSo(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1, MaxReaders: 2})
	insert(w, 3)
	rd, other := mustOpen(t, ring), mustOpen(t, ring)
	if _, err := rd.Fork(); !errors.Is(err, ErrTooManyReaders) {
		t.Errorf("a third reader of two: %v", err)
	}
	for range 2 {
		if err := rd.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := ring.Stats().Readers; n != 1 {
		t.Errorf("%d places taken, want 1", n)
	}
	ctx, p := t.Context(), make([]byte, 100)
	view := func(v View, err error) error {
		if v.Frames() != 0 || len(v.Segments()) != 0 {
			t.Errorf("a closed reader gave %v", v.Span())
		}
		return err
	}
	for name, err := range map[string]error{
		"Read":     second(rd.Read(ctx, p)),
		"Peek":     second(rd.Peek(ctx, p)),
		"ReadFull": second(rd.ReadFull(ctx, p)),
		"Copy":     second(rd.Copy(p, 0)),
		"Next":     view(rd.Next(ctx, 1)),
		"Slice":    view(rd.Slice(0, 1)),
		"nothing":  view(rd.Slice(1, 1)),
		"Last":     view(rd.Last(1)),
		"Frame":    view(rd.Frame(At(0))),
		"Between":  view(rd.Between(ctx, 0, 2)),
		"Until":    view(rd.Until(ctx, 2)),
		"Range":    second(rd.Range(0, 2)),
		"Fork":     second(rd.Fork()),
		"Await":    rd.Await(ctx, 100),
		"Gather":   Gather(ctx, []*Reader{rd}, 0, 100)[0].Err,
	} {
		if err != ErrClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
	for v, err := range rd.All(ctx, 2, 2) {
		if view(v, err) != ErrClosed {
			t.Errorf("All: %v", err)
		}
	}
	if rd.Pos() != 0 {
		t.Errorf("a closed reader moved to %d", rd.Pos())
	}
	checkSlice(t, other, 0, 3, answer{})
}

func second[T any](_ T, err error) error { return err }

func TestFailStaysUntilSeek(t *testing.T) {
	ctx := context.Background()
	ring, w := newRing(t, buffer.Config{Frames: 4, BlockFrames: 1})
	rd := mustOpen(t, ring, Fail)
	insert(w, 20)
	rd.Seek(3)
	p := make([]byte, 100)
	for range 3 {
		if _, err := rd.Read(ctx, p); loss(err) != overrun(3, 15).lost || rd.Pos() != 3 {
			t.Errorf("%v at %d", err, rd.Pos())
		}
	}
	rd.Seek(15)
	if n, err := rd.Read(ctx, p); n != 5 || err != nil {
		t.Errorf("%d frames, %v", n, err)
	}
}
