package reader

import (
	"context"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

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

// A margin is a part of what is stored, not of the positions.
func TestMarginCountsStoredFrames(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	rd := mustOpen(t, ring, Margin(0.5))
	insert(w, 10)
	w.Skip(1000, audio.Suspend)
	insert(w, 3) // the window is 6..9 and 1010..1012
	p := make([]byte, 10*frameBytes)
	if _, err := rd.Read(t.Context(), p); loss(err) != overrun(0, 9).lost {
		t.Errorf("%v, want [0, 9) lost", err)
	}
	if n, err := rd.Read(t.Context(), p); n != 1 || err != nil || wrong(p[:frameBytes], 9) >= 0 {
		t.Errorf("%d frames, %v", n, err)
	}
}
