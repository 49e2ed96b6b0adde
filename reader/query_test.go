package reader

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// A range that was opened ends with its reader, and takes no block from those
// who come after.
func TestRangeEndsWithItsReader(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1, MaxReaders: 1, MaxPins: 1})
	insert(w, 20)
	rd := mustOpen(t, ring)
	g, err := rd.Range(0, 20)
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for v, err := range g.Pieces() {
		switch given++; given {
		case 1:
			if v.Frames() != 1 || err != nil {
				t.Errorf("%v, %v", v.Span(), err)
			}
			rd.Close()
		default:
			if v.Frames() != 0 || err != ErrClosed {
				t.Errorf("after Close: %v, %v", v.Span(), err)
			}
		}
	}
	if n, err := g.Copy(make([]byte, 20*frameBytes)); n != 0 || err != ErrClosed || given != 2 {
		t.Errorf("after Close: %d copied, %v; %d given", n, err, given)
	}
	other := mustOpen(t, ring)
	v, err := other.Slice(19, 20)
	if err != nil || !v.Borrowed() {
		t.Fatal(err)
	}
	for range g.Pieces() {
		insert(w, 100)
	}
	if wrong(v.AppendTo(nil), 19) >= 0 {
		t.Error("a view changed")
	}
}

// Whichever order they are in, a reader that has nothing costs the others
// neither their answers nor their frames.
func TestGatherIsSpoiledByNobody(t *testing.T) {
	for _, reversed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			silent, _ := newRing(t, buffer.Config{Frames: 16, BlockFrames: 1})
			ring, w := newRing(t, buffer.Config{Frames: 16, BlockFrames: 1})
			rs := []*Reader{mustOpen(t, silent), mustOpen(t, ring)}
			live := 1
			if reversed {
				slices.Reverse(rs)
				live = 0
			}
			go func() {
				for range 100 {
					<-time.After(time.Second)
					insert(w, 1)
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			parts := Gather(ctx, rs, 0, 10)
			if p := parts[live]; p.Err != nil || p.View.Span() != span(0, 10) || wrong(p.View.AppendTo(nil), 0) >= 0 {
				t.Errorf("%v, %v", p.View.Span(), p.Err)
			}
			if err := parts[1-live].Err; err != context.DeadlineExceeded {
				t.Errorf("the silent one: %v", err)
			}
			if n := silent.Stats().Waiting + ring.Stats().Waiting; n != 0 {
				t.Errorf("%d are left in the lists", n)
			}
			twice := Gather(ctx, []*Reader{rs[live], rs[live]}, 80, 81)
			if twice[0].Err != nil || twice[1].Err != nil {
				t.Errorf("a reader given twice: %v, %v", twice[0].Err, twice[1].Err)
			}
			<-time.After(20 * time.Second)
		})
	}
}

// The end of the stream ends a query whose index was left open.
func TestEndOfStreamEndsTheWaitingForKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 40, BlockFrames: 1})
		index := new(Ledger)
		if err := index.Append(0, 5); err != nil {
			t.Fatal(err)
		}
		between, until := mustOpen(t, ring, Keys(index)), mustOpen(t, ring, Keys(index))
		insert(w, 20)
		broken := errors.New("unplugged")
		go func() {
			if v, err := between.Between(t.Context(), 0, 100); v.Span() != span(0, 20) || err != broken {
				t.Errorf("between: %v, %v", v.Span(), err)
			}
			if v, err := between.Between(t.Context(), 50, 100); v.Frames() != 0 || err != broken {
				t.Errorf("beyond: %v, %v", v.Span(), err)
			}
			if v, err := until.Until(t.Context(), 100); v.Span() != span(0, 20) || err != nil {
				t.Errorf("until: %v, %v", v.Span(), err)
			}
			if _, err := until.Until(t.Context(), 100); err != broken {
				t.Errorf("and then: %v", err)
			}
		}()
		synctest.Wait()
		w.Close(broken)
		synctest.Wait()
	})
}

// What is lost is told as soon as it is lost, not when the rest has come.
func TestBetweenTellsALossWithoutTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 16, BlockFrames: 1})
		index := new(Ledger)
		_ = index.Append(0, 5)
		_ = index.Append(1, 6)
		insert(w, 40)
		rd := mustOpen(t, ring, Keys(index))
		if _, err := rd.Between(t.Context(), 5, 100); loss(err) != overrun(0, ring.Bounds().From).lost {
			t.Errorf("the index does not know the end: %v", err)
		}
		long := mustOpen(t, ring)
		told := make(chan audio.Pos, 1)
		go func() {
			_, err := long.Between(t.Context(), 30, 900)
			if loss(err).Cause != audio.Overrun || loss(err).From != 30 {
				t.Errorf("%v", err)
			}
			told <- ring.Head()
		}()
		for range 100 {
			synctest.Wait()
			insert(w, 1)
		}
		if at := <-told; at > 30+16+3 {
			t.Errorf("told with the head at %d", at)
		}
	})
}

// What is new and more than the ring holds comes in parts, and none is lost.
func TestUntilDoesNotWaitItselfIntoALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 8, BlockFrames: 1})
		rd := mustOpen(t, ring, Fail)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for at := audio.Pos(0); at < 50; at = rd.Pos() {
				v, err := rd.Until(t.Context(), 50)
				if err != nil || v.Frames() == 0 || v.Span().From != at || wrong(v.AppendTo(nil), at) >= 0 {
					t.Errorf("at %d: %v, %v", at, v.Span(), err)
					return
				}
				v.Release()
			}
		}()
		for range 56 {
			synctest.Wait()
			insert(w, 1)
		}
		<-done
		if rd.Pos() != 50 {
			t.Errorf("at %d", rd.Pos())
		}
		go w.Close(nil)
		if v, err := rd.Until(t.Context(), math.MaxInt64); err != nil || v.Frames() == 0 { // stream2py: range(0,inf,only_new) at the end is a ValueError
			t.Errorf("all that is new: %v, %v", v.Span(), err)
		}
	})
}

// Lengths without end leap to the end and no further.
func TestNumbersWithoutEndDoNotWrap(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
	rd := mustOpen(t, ring, From(3))
	insert(w, 20)
	w.Close(nil)
	given := 0
	for v, err := range rd.All(t.Context(), 5, math.MaxInt64) {
		if given++; err != nil || v.Span() != span(3, 8) {
			t.Errorf("%v, %v", v.Span(), err)
		}
	}
	if given != 1 || rd.Pos() != math.MaxInt64 {
		t.Errorf("%d windows, then at %d", given, rd.Pos())
	}
	if _, err := rd.Next(t.Context(), math.MaxInt64); err != io.EOF {
		t.Error(err)
	}
	rd.Seek(5)
	if v, err := rd.Next(t.Context(), math.MaxInt64); err != nil || v.Span().From != 5 {
		t.Errorf("%v, %v", v.Span(), err)
	}
}
