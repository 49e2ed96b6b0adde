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
		{9, 3, "ValueError", "ValueError", answer{plain: true}, answer{plain: true}},
		{4, 9, "OverlapsFuture", "4..8 as [4:-1]", answer{future: 5}, answer{}},
		{9, 10, "OverlapsFuture", "9 as [-1]", answer{future: 5}, answer{}},
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

// holed is a ring with Bounds [3000, 10000) and the holes [6000, 6500) device
// and [9900, 10000) xrun.
func holed(t *testing.T) (*buffer.Ring, *buffer.Writer) {
	ring, w := newRing(t, buffer.Config{Frames: 6399, BlockFrames: 1})
	insert(w, 6000)
	w.Skip(500, audio.Device)
	insert(w, 3400)
	w.Skip(100, audio.XRun)
	if b := ring.Bounds(); b != span(3000, 10000) {
		t.Fatalf("bounds %v, want [3000, 10000)", b)
	}
	return ring, w
}

func TestSliceBesideHoles(t *testing.T) {
	ring, _ := holed(t)
	rd := mustOpen(t, ring)
	hole := func(from, to audio.Pos, c audio.Cause) answer {
		return answer{lost: audio.Hole{Span: span(from, to), Cause: c}}
	}
	for _, c := range []struct {
		i, j audio.Pos
		want answer
	}{
		{5900, 6000, answer{}},
		{6500, 6600, answer{}},
		{5900, 6001, hole(6000, 6500, audio.Device)},
		{6100, 6200, hole(6100, 6500, audio.Device)},
		{6499, 6600, hole(6499, 6500, audio.Device)},
		{2000, 4000, overrun(2000, 3000)},
		{2000, 12000, overrun(2000, 3000)},
		{2000, 6100, overrun(2000, 3000)},
		{5900, 12000, hole(6000, 6500, audio.Device)},
		{9000, 9900, answer{}},
		{9900, 10001, hole(9900, 10000, audio.XRun)},
		{10000, 10001, answer{future: 10000}},
		{6200, 6200, answer{}},
		{9950, 9950, answer{}},
		{1, 1, answer{}},
		{7, 6, answer{plain: true}},
		{-7, 6, answer{plain: true}},
	} {
		checkSlice(t, rd, c.i, c.j, c.want)
	}
}

func TestReadBesideHoles(t *testing.T) {
	ctx := context.Background()
	ring, w := holed(t)
	rd := mustOpen(t, ring, From(5990))
	p := make([]byte, 100*frameBytes)
	if n, err := rd.Read(ctx, p); n != 10 || err != nil || wrong(p[:80], 5990) >= 0 {
		t.Errorf("%d frames, %v", n, err)
	}
	n, err := rd.Read(ctx, p)
	if want := (audio.Hole{Span: span(6000, 6500), Cause: audio.Device}); n != 0 || loss(err) != want || rd.Pos() != 6500 {
		t.Errorf("%d frames, %v, cursor at %d", n, err, rd.Pos())
	}
	if n, err := rd.Read(ctx, p); n != 100 || err != nil || wrong(p, 6500) >= 0 {
		t.Errorf("%d frames, %v", n, err)
	}
	rd.Seek(9900)
	n, err = rd.Read(ctx, p)
	if want := (audio.Hole{Span: span(9900, 10000), Cause: audio.XRun}); n != 0 || loss(err) != want || rd.Pos() != 10000 {
		t.Errorf("%d frames, %v, cursor at %d", n, err, rd.Pos())
	}
	soon, cancel := context.WithCancel(ctx)
	cancel()
	if n, err := rd.Read(soon, p); n != 0 || err != context.Canceled {
		t.Errorf("%d frames, %v", n, err)
	}
	w.Skip(20, audio.XRun) // the hole grows: the reader is told of what is new
	n, err = rd.Read(ctx, p)
	if want := (audio.Hole{Span: span(10000, 10020), Cause: audio.XRun}); n != 0 || loss(err) != want || rd.Pos() != 10020 {
		t.Errorf("%d frames, %v, cursor at %d", n, err, rd.Pos())
	}
	long := make([]byte, 7000*frameBytes)
	rd.Seek(5000)
	if n, err := rd.Read(ctx, long); n != 1000 || err != nil {
		t.Errorf("%d frames, %v: a read ends at a hole", n, err)
	}
}

// An overrun that reaches over a hole is told in pieces, each with its cause.
func TestOverrunDoesNotSwallowHoles(t *testing.T) {
	ctx := context.Background()
	p := make([]byte, 10*frameBytes)
	for _, c := range []struct {
		name   string
		policy Option
		end    audio.Pos
	}{{"oldest", Oldest, 1116}, {"margin", Margin(0.5), 1118}, {"latest", Latest, 1120}} {
		ring, w := newRing(t, buffer.Config{Frames: 3, BlockFrames: 1})
		rd := mustOpen(t, ring, c.policy)
		insert(w, 10)
		w.Skip(1000, audio.Suspend)
		w.Skip(100, audio.Device)
		insert(w, 10)
		var told []audio.Hole
		for rd.Pos() < c.end {
			_, err := rd.Read(ctx, p)
			if loss(err).Empty() {
				t.Fatalf("%s: %v at %d", c.name, err, rd.Pos())
			}
			told = append(told, loss(err))
		}
		want := []audio.Hole{
			{Span: span(0, 10), Cause: audio.Overrun}, {Span: span(10, 1010), Cause: audio.Suspend},
			{Span: span(1010, 1110), Cause: audio.Device}, {Span: span(1110, c.end), Cause: audio.Overrun},
		}
		if len(told) != len(want) {
			t.Fatalf("%s: told %v, want %v", c.name, told, want)
		}
		for i := range want {
			if told[i] != want[i] {
				t.Errorf("%s: told %v, want %v", c.name, told[i], want[i])
			}
		}
	}
}

func TestSkipLongerThanTheRingEvictsNothing(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 60, BlockFrames: 4})
	rd := mustOpen(t, ring)
	w.Skip(7, audio.Device)
	if b := ring.Bounds(); b != span(7, 7) {
		t.Errorf("bounds %v with nothing stored, want [7, 7)", b)
	}
	insert(w, 50)
	lag := rd.Lag()
	w.Skip(1_000_000_000_000, audio.Suspend)
	if b := ring.Bounds(); b != span(7, 1_000_000_000_057) {
		t.Errorf("bounds %v", b)
	}
	if rd.Lag() != lag || lag != 50 {
		t.Errorf("lag %d, then %d, want 50: holes do not count", lag, rd.Lag())
	}
	checkSlice(t, rd, 7, 57, answer{})
	s := ring.Stats()
	if s.Stored != 50 || s.Window != 50 || s.Holes != 2 || s.Skipped != 1_000_000_000_007 || s.Capacity != 60 || s.Readers != 1 {
		t.Errorf("stats %+v", s)
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
