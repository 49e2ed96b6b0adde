package reader

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"pgregory.net/rapid"
)

// TestSeed_C3: ends that are left out or count from the head, with creek's
// answers beside them: of 0..4, and of 3..9, which is what is left of ten.
func TestSeed_C3(t *testing.T) {
	none := Index{}
	for _, c := range []struct {
		ask             string
		i, j            Index
		creek5, creek10 string
		ours5, ours10   audio.Span
	}{
		{"[:]", none, none, "0..4", "OverlapsPast", span(0, 5), span(3, 10)},
		{"[2:]", At(2), none, "ValueError (bug)", "ValueError (bug)", span(2, 5), span(2, 10)},
		{"[5:]", At(5), none, "ValueError (bug)", "ValueError (bug)", span(5, 5), span(5, 10)},
		{"[-3:]", At(-3), none, "ValueError (bug)", "ValueError (bug)", span(2, 5), span(7, 10)},
		{"[:3]", none, At(3), "0 1 2", "OverlapsPast", span(0, 3), span(0, 0)}, // of 3..9 it is lost
		{"[:2]", none, At(2), "0 1", "OverlapsPast", span(0, 2), span(0, 0)},
		{"[:0]", none, At(0), "[]", "OverlapsPast", span(0, 0), span(0, 0)},
		{"[12:]", At(12), none, "ValueError (bug)", "ValueError (bug)", span(0, 0), span(0, 0)}, // yet to come
		{"[:5]", none, At(5), "0..4", "OverlapsPast", span(0, 5), span(3, 5)},
		{"[4:-1]", At(4), At(-1), "[]", "4..8", span(4, 4), span(4, 9)},
		{"[-5:-1]", At(-5), At(-1), "0..3", "5..8", span(0, 4), span(5, 9)},
		{"[-8:-1]", At(-8), At(-1), "-", "OverlapsPast naming 2..9", span(0, 0), span(2, 9)},
		{"[3:99]", At(3), At(99), "OverlapsFuture", "OverlapsFuture", span(3, 99), span(3, 99)},
	} {
		ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
		rd := mustOpen(t, ring)
		for _, want := range []audio.Span{c.ours5, c.ours10} {
			insert(w, 5)
			got, err := rd.Resolve(c.i, c.j)
			var future *FutureError
			switch {
			case c.ask == "[12:]":
				if !errors.As(err, &future) || future.Head != ring.Head() {
					t.Errorf("%s with the head at %d: %v", c.ask, ring.Head(), err)
				}
				continue
			case !c.i.given && want.Empty() && ring.Head() == 10:
				if loss(err) != overrun(0, 3).lost {
					t.Errorf("%s of 3..9: %v, want [0, 3) lost", c.ask, err)
				}
				continue
			}
			if c.ask == "[-8:-1]" && ring.Head() == 5 {
				if !errors.Is(err, ErrOutside) {
					t.Errorf("%s of 5: %v, want an error: there are no 8", c.ask, err)
				}
				continue
			}
			if err != nil || got != want {
				t.Errorf("%s with the head at %d: %v, %v; want %v", c.ask, ring.Head(), got, err, want)
			}
			answers := answer{}
			if oldest := ring.Bounds().From; got.From < oldest {
				answers = overrun(got.From, oldest)
			} else if got.To > ring.Head() {
				answers.future = ring.Head()
			}
			checkSlice(t, rd, got.From, got.To, answers)
		}
	}
}

// A frame by its index; creek answers IndexError for the one that comes next.
func TestFrameByIndex(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 6, BlockFrames: 1})
	rd := mustOpen(t, ring)
	insert(w, 10)
	for _, c := range []struct {
		i    Index
		want audio.Pos
	}{{At(3), 3}, {At(9), 9}, {At(-1), 9}, {At(-7), 3}} {
		v, err := rd.Frame(c.i)
		if err != nil || v.Span() != span(c.want, c.want+1) || wrong(v.AppendTo(nil), c.want) >= 0 {
			t.Errorf("%+v: %v, %v; want %d", c.i, v.Span(), err, c.want)
		}
		v.Release()
	}
	var future *FutureError
	if _, err := rd.Frame(At(10)); !errors.As(err, &future) {
		t.Errorf("the next: %v", err)
	}
	for _, i := range []Index{At(2), At(-8)} {
		if _, err := rd.Frame(i); loss(err) != overrun(2, 3).lost {
			t.Errorf("%+v: %v", i, err)
		}
	}
	for _, i := range []Index{At(-11), At(-1 << 63)} {
		if _, err := rd.Frame(i); !errors.Is(err, ErrOutside) || !loss(err).Empty() {
			t.Errorf("before the first frame ever: %v", err)
		}
	}
	if _, err := rd.Frame(Index{}); err == nil {
		t.Error("the frame at no index was given")
	}
	if v, err := rd.Last(4); err != nil || v.Span() != span(6, 10) {
		t.Errorf("the last 4: %v, %v", v.Span(), err)
	}
	if v, err := rd.Last(0); err != nil || v.Span() != span(10, 10) {
		t.Errorf("the last 0: %v, %v", v.Span(), err)
	}
	if _, err := rd.Last(-5); err == nil || errors.Is(err, ErrOutside) {
		t.Errorf("the last -5: %v", err)
	}
	if _, err := rd.Last(11); !errors.Is(err, ErrOutside) {
		t.Errorf("the last 11 of 10: %v", err)
	}
	if _, err := rd.Last(8); loss(err) != overrun(2, 3).lost {
		t.Errorf("the last 8 of 7: %v", err)
	}
	w.Skip(5, audio.XRun)
	insert(w, 1)
	if _, err := rd.Last(2); loss(err) != (audio.Hole{Span: span(14, 15), Cause: audio.XRun}) {
		t.Errorf("the last 2 beside a hole: %v", err)
	}
}

func TestCopyBesideHoles(t *testing.T) {
	ring, w := holed(t)
	rd := mustOpen(t, ring)
	insert(w, 20)
	for _, c := range []struct {
		at     audio.Pos
		room   int
		frames int
		lost   audio.Hole
		future audio.Pos
	}{
		{5000, 3000, 1000, audio.Hole{Span: span(6000, 6500), Cause: audio.Device}, 0},
		{5000, 1000, 1000, audio.Hole{}, 0},
		{6200, 10, 0, audio.Hole{Span: span(6200, 6500), Cause: audio.Device}, 0},
		{9800, 200, 100, audio.Hole{Span: span(9900, 10000), Cause: audio.XRun}, 0},
		{10000, 200, 20, audio.Hole{}, 10020},
		{10020, 1, 0, audio.Hole{}, 10020},
		{100, 50, 0, audio.Hole{Span: span(100, 3020), Cause: audio.Overrun}, 0},
		{100, 0, 0, audio.Hole{}, 0},
	} {
		p := make([]byte, c.room*frameBytes)
		n, err := rd.Copy(p, c.at)
		var future *FutureError
		if errors.As(err, &future); n != c.frames || loss(err) != c.lost || (future != nil) != (c.future != 0) || wrong(p[:n*frameBytes], c.at) >= 0 {
			t.Errorf("Copy of %d at %d: %d, %v; want %+v", c.room, c.at, n, err, c)
		}
		if future != nil && (future.Head != c.future || future.Want != span(c.at+audio.Pos(n), c.at+audio.Pos(c.room))) {
			t.Errorf("Copy of %d at %d: %v", c.room, c.at, err)
		}
	}
	if n, err := rd.Copy(make([]byte, frameBytes-1), 7000); n != 0 || err != io.ErrShortBuffer {
		t.Errorf("no room: %d, %v", n, err)
	}
	if _, err := rd.Copy(make([]byte, 100), -1); err == nil {
		t.Error("a copy from -1 was accepted")
	}
}

func TestRunsTellHolesOverrunsAndFuture(t *testing.T) {
	ring, _ := holed(t)
	rd := mustOpen(t, ring)
	got := slices.Collect(rd.Runs(1000, 12000))
	want := []Run{
		{Span: span(1000, 3000), Cause: audio.Overrun}, {Span: span(3000, 6000)}, {Span: span(6000, 6500), Cause: audio.Device},
		{Span: span(6500, 9900)}, {Span: span(9900, 10000), Cause: audio.XRun}, {Span: span(10000, 12000), Future: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, none := range [][2]audio.Pos{{5, 5}, {7, 3}, {-3, 100}} {
		if got := slices.Collect(rd.Runs(none[0], none[1])); len(got) != 0 {
			t.Errorf("runs of %v: %v", none, got)
		}
	}
	for run := range rd.Runs(1000, 12000) { // may be left at any time
		if run.To > 3000 {
			break
		}
	}
}

// Whatever is asked for, runs tile it, and each is true.
func TestRunsTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ring, err := buffer.New(buffer.Config{FrameBytes: frameBytes, Frames: 20, BlockFrames: 4, Holes: 4})
		if err != nil {
			t.Fatal(err)
		}
		w, _ := ring.Writer()
		rd := mustOpenIn(t, ring)
		var holes []audio.Hole
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			n := rapid.Int64Range(1, 20).Draw(t, "n")
			if rapid.IntRange(0, 2).Draw(t, "hole") == 0 {
				holes = append(holes, audio.Hole{Span: span(w.Head(), w.Head()+audio.Pos(n)), Cause: audio.Cause(1 + len(holes)%2)})
				w.Skip(n, holes[len(holes)-1].Cause)
			} else {
				insert(w, int(n))
			}
		}
		i := audio.Pos(rapid.Int64Range(0, int64(w.Head())+5).Draw(t, "i"))
		j := i + audio.Pos(rapid.Int64Range(0, 60).Draw(t, "length"))
		at := i
		for run := range rd.Runs(i, j) {
			if run.From != at || run.Empty() || run.To > j {
				t.Fatalf("run %v at %d of [%d, %d)", run, at, i, j)
			}
			at = run.To
			v, err := rd.Slice(run.From, run.To)
			v.Release()
			if sound := run.Cause == 0 && !run.Future; sound != (err == nil) || !sound && !errors.Is(err, ErrOutside) || run.Future != (run.From >= w.Head()) {
				t.Fatalf("run %v: %v", run, err)
			}
			if l := loss(err); run.Cause != 0 && (l.Cause != run.Cause || l.Intersect(span(i, j)) != run.Span) {
				t.Fatalf("run %v: %v", run, err)
			}
		}
		if at != max(i, j) {
			t.Fatalf("runs of [%d, %d) end at %d", i, j, at)
		}
	})
}
