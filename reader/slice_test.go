package reader

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

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
		{"[:3]", none, At(3), "0 1 2", "OverlapsPast", span(0, 3), span(3, 3)},
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

// TestSeed_S11: windows of a length, at a distance.
func TestSeed_S11(t *testing.T) {
	for _, c := range []struct {
		frames, hop int64
		want        []audio.Span // before, between and behind the hole [20, 30), up to 37
	}{
		{5, 5, []audio.Span{span(0, 5), span(5, 10), span(10, 15), span(15, 20), span(20, 30), span(30, 35), span(35, 37)}},
		{8, 8, []audio.Span{span(0, 8), span(8, 16), span(16, 20), span(20, 30), span(30, 37)}},
		{10, 5, []audio.Span{span(0, 10), span(5, 15), span(10, 20), span(20, 30), span(30, 37)}},
		{4, 3, []audio.Span{span(0, 4), span(3, 7), span(6, 10), span(9, 13), span(12, 16), span(15, 19), span(18, 20), span(20, 30), span(30, 34), span(33, 37)}},
		{2, 9, []audio.Span{span(0, 2), span(9, 11), span(18, 20), span(27, 30), span(30, 32)}},
	} {
		synctest.Test(t, func(t *testing.T) {
			ring, w := newRing(t, buffer.Config{Frames: 60, BlockFrames: 4, MaxPins: 2})
			rd := mustOpen(t, ring)
			var got []audio.Span
			go func() {
				for v, err := range rd.All(t.Context(), c.frames, c.hop) {
					if l := loss(err); !l.Empty() {
						got = append(got, l.Span)
						continue
					}
					if at := wrong(v.AppendTo(nil), v.Span().From); err != nil || at >= 0 || v.Frames() == 0 {
						t.Errorf("window %v: %v, wrong from %d", v.Span(), err, at)
					}
					got = append(got, v.Span())
				}
			}()
			insert(w, 7)
			synctest.Wait()
			insert(w, 13)
			synctest.Wait()
			w.Skip(10, audio.Device)
			for range 7 {
				insert(w, 1)
				synctest.Wait()
			}
			w.Close(nil)
			synctest.Wait()
			if !slices.Equal(got, c.want) {
				t.Errorf("%d every %d:\ngot  %v\nwant %v", c.frames, c.hop, got, c.want)
			}
		})
	}
	ring, _ := newRing(t, buffer.Config{Frames: 60, BlockFrames: 4})
	rd := mustOpen(t, ring)
	for _, bad := range [][2]int64{{0, 1}, {1, 0}, {61, 1}, {-1, 1}} {
		given := 0
		for v, err := range rd.All(t.Context(), bad[0], bad[1]) {
			if given++; err == nil || v.Frames() != 0 {
				t.Errorf("windows of %v: %v, %v", bad, v.Span(), err)
			}
		}
		if given != 1 {
			t.Errorf("windows of %v: %d errors", bad, given)
		}
	}
}

func TestWindowsEndWithTheLoopTheContextAndFail(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
	rd := mustOpen(t, ring, Fail)
	insert(w, 20)
	for v, err := range rd.All(t.Context(), 4, 2) {
		if err != nil || v.Span() != span(0, 4) {
			t.Errorf("%v, %v", v.Span(), err)
		}
		break
	}
	if rd.Pos() != 2 {
		t.Errorf("left at %d, want behind the first hop", rd.Pos())
	}
	insert(w, 50)
	given := 0
	for _, err := range rd.All(t.Context(), 4, 2) {
		if given++; loss(err) != overrun(2, ring.Bounds().From).lost {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rd.Seek(ring.Head() - 4)
	for v, err := range rd.All(ctx, 4, 4) {
		if given++; err != nil && err != context.Canceled || err == nil && v.Frames() != 4 {
			t.Errorf("%v, %v", v.Span(), err)
		}
		cancel()
	}
	if given != 3 {
		t.Errorf("%d were given, want a loss that stays, a window, the end of the context", given)
	}
}

// TestSeed_C13: the data of all sensors in fixed windows of time, holes told
// for the sensor that has them and for no other.
func TestSeed_C13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rates := []int{8000, 44100, 96000}
		var rs []*Reader
		var ws []*buffer.Writer
		for _, rate := range rates {
			ring, w := newRing(t, buffer.Config{Frames: int64(10 * rate)})
			rs, ws = append(rs, mustOpen(t, ring, Keys(Millis(0, rate)))), append(ws, w)
		}
		go func() {
			for range 4 { // seconds
				for i, w := range ws {
					if i == 1 && w.Head() == 88200 { // the third second of the second sensor begins with a hole
						w.Skip(100, audio.XRun)
						insert(w, rates[i]-100)
						continue
					}
					insert(w, rates[i])
					synctest.Wait()
				}
			}
		}()
		for bt := int64(0); bt < 4000; bt += 2000 {
			for i, part := range Gather(t.Context(), rs, bt, bt+2000) {
				want := span(audio.Pos(bt)*audio.Pos(rates[i])/1000, audio.Pos(bt+2000)*audio.Pos(rates[i])/1000)
				if i == 1 && bt == 2000 {
					if loss(part.Err) != (audio.Hole{Span: span(88200, 88300), Cause: audio.XRun}) {
						t.Errorf("sensor %d from %d ms: %v", i, bt, part.Err)
					}
					continue
				}
				if part.Err != nil || part.View.Span() != want || wrong(part.View.AppendTo(nil), want.From) >= 0 {
					t.Errorf("sensor %d from %d ms: %v, %v; want %v", i, bt, part.View.Span(), part.Err, want)
				}
				part.View.Release()
			}
		}
		ws[0].Close(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for i, part := range Gather(ctx, rs, 3999, 5000) {
			if i == 0 && (part.Err != io.EOF || part.View.Frames() != 8) || i > 0 && part.Err != context.DeadlineExceeded {
				t.Errorf("sensor %d: %v, %v", i, part.View.Span(), part.Err)
			}
		}
	})
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
