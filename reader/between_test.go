package reader

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// tens are the keys of the golden table: 0, 10, 20, …
func tens() Option { return Keys(Affine{Num: 10, Den: 1}) }

// keysOf is the keys of the frames of v.
func keysOf(t testing.TB, rd *Reader, v View) (keys []int64) {
	t.Helper()
	if at := wrong(v.AppendTo(nil), v.Span().From); at >= 0 {
		t.Errorf("view of %v is wrong from %d", v.Span(), at)
	}
	for p := v.Span().From; p < v.Span().To; p++ {
		k, err := rd.Keys().Key(p)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

// TestSeed_S9: a range by key, waited for, its edges as options. Beside each
// row is what stream2py's range(bt, tt), inclusive at both ends, answers on the
// keys 0, 10, …, 90.
func TestSeed_S9(t *testing.T) {
	for _, c := range []struct {
		stream2py string
		opt       Option
		bt, tt    int64
		want      []int64
		end       error
		every     int // of these, for what is a step there and of the caller's choosing here
	}{
		{"range(20,40): 20 30 40", Matching(ByStart), 20, 40, []int64{20, 30}, nil, 1},
		{"the same, and ours that gives as much", Matching(ByStart), 20, 41, []int64{20, 30, 40}, nil, 1},
		{"range(25,45): 30 40", Matching(ByStart), 25, 45, []int64{30, 40}, nil, 1},
		{"range(25,45,start_le): 20 30 40", Matching(Overlap), 25, 45, []int64{20, 30, 40}, nil, 1},
		{"range(25,45,stop_ge): 30 40 50, what begins after the end is in", Matching(Overlap), 25, 45, []int64{20, 30, 40}, nil, 1},
		{"range(-5,5,start_le): 0, nothing is <= -5 and it is not said", Matching(Overlap), -5, 5, []int64{0}, nil, 1},
		{"range(80,200): 80 90", Matching(ByStart), 80, 200, []int64{80, 90}, io.EOF, 1},
		{"range(80,200,stop_ge): ValueError, or None", Matching(Overlap), 80, 200, []int64{80, 90}, io.EOF, 1},
		{"range(41,49): IndexError, [] or None", Matching(ByStart), 41, 49, nil, nil, 1},
		{"range(0,90,3): 0 30 60 90, cursor at 90", Matching(ByStart), 0, 90, []int64{0, 30, 60}, nil, 3},
		{"range(100,200): nothing there", Matching(ByStart), 100, 200, nil, io.EOF, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
			rd := mustOpen(t, ring, tens(), c.opt)
			insert(w, 10)
			done := make(chan struct{})
			go func() {
				defer close(done)
				v, err := rd.Between(t.Context(), c.bt, c.tt)
				got := keysOf(t, rd, v)
				for i := len(got) - 1; i >= 0; i-- {
					if i%c.every != 0 {
						got = slices.Delete(got, i, i+1)
					}
				}
				if !slices.Equal(got, c.want) || err != c.end {
					t.Errorf("%s: Between(%d, %d) gives %v, %v; want %v, %v", c.stream2py, c.bt, c.tt, got, err, c.want, c.end)
				}
				v.Release()
			}()
			synctest.Wait()
			select {
			case <-done:
				if c.end != nil {
					t.Errorf("%s: did not wait", c.stream2py)
				}
			default:
				if c.end == nil {
					t.Errorf("%s: waits", c.stream2py)
				}
			}
			w.Close(nil)
			<-done
			if rd.Pos() != 0 {
				t.Errorf("%s: the cursor moved to %d", c.stream2py, rd.Pos())
			}
		})
	}
	ring, _ := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
	rd := mustOpen(t, ring, tens())
	if _, err := rd.Between(t.Context(), 60, 20); err == nil || errors.Is(err, ErrOutside) {
		t.Errorf("range(60,20) is [] there; here: %v", err)
	}
}

// What is complete by and by is waited for to the frame, and no longer.
func TestBetweenWaitsForTheLastFrameOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 40, BlockFrames: 1})
		for _, c := range []struct {
			opt  Option
			last audio.Pos // how many frames there must be
		}{{Matching(ByStart), 20}, {Matching(Overlap), 20}, {Matching(Within), 19}, {Matching(ByEnd), 19}} {
			rd := mustOpen(t, ring, tens(), c.opt)
			go func() {
				v, err := rd.Between(t.Context(), 80, 195)
				if err != nil || ring.Head() != c.last || v.Span().To != c.last {
					t.Errorf("%v, %v with the head at %d, want it at %d", v.Span(), err, ring.Head(), c.last)
				}
				rd.Close()
			}()
		}
		for range 20 {
			synctest.Wait()
			insert(w, 1)
		}
		synctest.Wait()
		if n := ring.Stats().Readers; n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestBetweenTellsWhatIsGone(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 4, BlockFrames: 1})
	rd := mustOpen(t, ring)
	insert(w, 20) // 15 to 19 are left
	for _, tt := range []audio.Pos{16, 10, 500} {
		v, err := rd.Between(t.Context(), 0, int64(tt)) // stream2py: 15 16 of (0,16), IndexError of (0,10)
		var lost *LostError
		if !errors.As(err, &lost) || lost.Want != span(0, tt) || lost.Lost != span(0, 15) || v.Frames() != 0 {
			t.Errorf("Between(0, %d): %v, %v", tt, v.Span(), err)
		}
	}
	w.Skip(100, audio.Device)
	if _, err := rd.Between(t.Context(), 18, 60); loss(err) != (audio.Hole{Span: span(20, 120), Cause: audio.Device}) {
		t.Errorf("a key in a hole: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rd.Between(ctx, 119, 130); loss(err).Empty() {
		t.Errorf("a loss is told without waiting: %v", err)
	}
	if _, err := rd.Between(ctx, 120, 130); err != context.Canceled {
		t.Errorf("waited for with a context that is over: %v", err)
	}
	broken := errors.New("broken")
	insert(w, 2)
	w.Close(broken)
	if v, err := rd.Between(t.Context(), 120, 130); err != broken || v.Span() != span(120, 122) {
		t.Errorf("at the end: %v, %v", v.Span(), err)
	}
}

// Only what is new: after 30, stream2py's range(0,50,only_new) gives 40 50, then
// IndexError, or None; at the end of the buffer ValueError or TypeError.
func TestUntilGivesWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
		rd := mustOpen(t, ring, tens())
		insert(w, 10)
		if n, err := rd.Read(t.Context(), make([]byte, 4*frameBytes)); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		for _, c := range []struct {
			tt   int64
			want []int64
		}{{51, []int64{40, 50}}, {51, nil}, {0, nil}, {60, nil}, {61, []int64{60}}, {100, []int64{70, 80, 90}}} {
			v, err := rd.Until(t.Context(), c.tt)
			if got := keysOf(t, rd, v); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("Until(%d): %v, %v; want %v", c.tt, got, err, c.want)
			}
			v.Release()
		}
		go func() {
			v, err := rd.Until(t.Context(), 1000)
			if got := keysOf(t, rd, v); err != nil || !slices.Equal(got, []int64{100, 110}) {
				t.Errorf("up to a hole: %v, %v", got, err)
			}
			v.Release()
			_, err = rd.Until(t.Context(), 1000)
			if loss(err) != (audio.Hole{Span: span(12, 15), Cause: audio.XRun}) || rd.Pos() != 15 {
				t.Errorf("the hole: %v, at %d", err, rd.Pos())
			}
			if v, err := rd.Until(t.Context(), 1000); err != nil || v.Frames() != 1 {
				t.Errorf("the rest: %v, %v", v.Span(), err)
			}
			if _, err := rd.Until(t.Context(), 1000); err != io.EOF {
				t.Errorf("the end: %v", err)
			}
		}()
		synctest.Wait()
		if rd.Pos() != 10 {
			t.Errorf("at %d, want to wait at 10", rd.Pos())
		}
		insert(w, 2)
		w.Skip(3, audio.XRun)
		insert(w, 1)
		w.Close(nil)
		synctest.Wait()
	})
}

// A read of exactly what there is fails with stream2py's strict_n; a read of 20
// gives the 10 that there are, and one of nothing gives one there.
func TestReadFullGivesExactlyWhatFits(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 4})
	rd := mustOpen(t, ring)
	insert(w, 10)
	p := make([]byte, 20*frameBytes)
	if n, err := rd.ReadFull(t.Context(), p[:10*frameBytes]); n != 10 || err != nil || wrong(p[:10*frameBytes], 0) >= 0 {
		t.Errorf("%d frames, %v", n, err)
	}
	if n, err := rd.ReadFull(t.Context(), p[:frameBytes-1]); n != 0 || err != io.ErrShortBuffer {
		t.Errorf("no room: %d frames, %v", n, err)
	}
	if n, err := rd.ReadFull(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("nothing: %d frames, %v", n, err)
	}
	rd.Seek(0)
	if n, err := rd.Read(t.Context(), p); n != 10 || err != nil {
		t.Errorf("%d frames, %v", n, err)
	}
	w.Skip(5, audio.XRun)
	insert(w, 3)
	w.Close(nil)
	rd.Seek(8)
	if n, err := rd.ReadFull(t.Context(), p); n != 2 || loss(err) != (audio.Hole{Span: span(10, 15), Cause: audio.XRun}) || rd.Pos() != 15 {
		t.Errorf("before a hole: %d frames, %v, at %d", n, err, rd.Pos())
	}
	if n, err := rd.ReadFull(t.Context(), p); n != 3 || err != io.ErrUnexpectedEOF {
		t.Errorf("at the end: %d frames, %v", n, err)
	}
	if n, err := rd.ReadFull(t.Context(), p); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d frames, %v", n, err)
	}
}

// An empty buffer answers stream2py's read, head and range with ValueError,
// IndexError and IndexError. Here reading waits and the bounds are empty.
func TestEmptyRingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 20})
		if b := ring.Bounds(); b != span(0, 0) {
			t.Errorf("bounds %v", b)
		}
		one, other := mustOpen(t, ring), mustOpen(t, ring)
		go func() {
			if n, err := one.Read(t.Context(), make([]byte, 100)); n != 1 || err != nil {
				t.Errorf("%d frames, %v", n, err)
			}
		}()
		go func() {
			if v, err := other.Between(t.Context(), 0, 1); v.Frames() != 1 || err != nil {
				t.Errorf("%v, %v", v.Span(), err)
			}
		}()
		synctest.Wait()
		if n := ring.Stats().Waiting; n != 2 {
			t.Errorf("%d wait, want both", n)
		}
		insert(w, 1)
		synctest.Wait()
	})
}

// Data that carries its own index: a query waits until the index knows its
// edges, and then for the frames. Two readers share the index.
func TestBetweenWaitsForItsIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 40, BlockFrames: 1})
		index := new(Ledger)
		type got struct {
			span audio.Span
			err  error
		}
		ask := func(bt, tt int64, opts ...Option) <-chan got {
			rd := mustOpen(t, ring, append(opts, Keys(index))...)
			done := make(chan got, 1)
			go func() {
				v, err := rd.Between(t.Context(), bt, tt)
				done <- got{v.Span(), err}
				rd.Close()
			}()
			synctest.Wait()
			return done
		}
		answered := func(what string, done <-chan got, want audio.Span, end error) {
			t.Helper()
			synctest.Wait()
			select {
			case g := <-done:
				if g.span != want || g.err != end {
					t.Errorf("%s: %v, %v; want %v, %v", what, g.span, g.err, want, end)
				}
			default:
				t.Errorf("%s: still waits", what)
			}
		}
		waits := func(what string, done ...<-chan got) {
			t.Helper()
			synctest.Wait()
			for _, d := range done {
				select {
				case g := <-d:
					t.Errorf("%s: %v, %v without waiting", what, g.span, g.err)
				default:
				}
			}
		}
		item := func(key int64) {
			if err := index.Append(w.Head(), key); err != nil {
				t.Fatal(err)
			}
			insert(w, 1)
		}
		item(100)
		item(205)
		one, long := ask(100, 300), ask(100, 300, Lasting(10, StampedAtEnd))
		waits("no key of 300 yet", one, long)
		if err := index.Append(2, 300); err != nil { // the index is ahead of the sound
			t.Fatal(err)
		}
		answered("the sound was there", one, span(0, 2), nil)
		waits("300 may be the stamp of an item that began before", long)
		item2 := ask(300, 301)
		waits("the sound is behind the index", item2)
		insert(w, 1)
		waits("an item with the same key may follow", item2)
		item(310)
		answered("known and there", item2, span(2, 3), nil)
		answered("began before 300", long, span(1, 3), nil)
		rest, never := ask(300, 1000), ask(5000, 6000)
		waits("not yet", rest, never)
		index.Close()
		answered("no item will be there", never, span(0, 0), io.EOF)
		waits("the sound behind the last item is its own", rest)
		insert(w, 3)
		w.Close(nil)
		answered("the end", rest, span(2, 7), io.EOF)
		until := mustOpen(t, ring, Keys(index), From(3))
		if v, err := until.Until(t.Context(), 1000); err != nil || v.Span() != span(3, 7) {
			t.Errorf("new up to 1000: %v, %v", v.Span(), err)
		}
	})
}
