package reader

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// Those whose position is reached wake, and nobody else does.
func TestExactlyThoseDueWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 100})
		woken := make([]int, 9) // how far the head was, seen by the reader of that wish
		for i := range woken {
			rd := mustOpen(t, ring)
			go func() {
				if err := rd.Await(t.Context(), audio.Pos(10*i)); err != nil {
					t.Error(err)
				}
				woken[i] = 1 + int(ring.Head())
				rd.Close()
			}()
		}
		for head := 0; head <= 80; head++ {
			synctest.Wait()
			for i := range woken {
				if due := 10*i <= head; due != (woken[i] > 0) {
					t.Errorf("head %d: who waits for %d is awake: %v", head, 10*i, woken[i] > 0)
				}
			}
			if got, want := ring.Stats().Waiting, 8-head/10; got != want {
				t.Errorf("head %d: %d wait, want %d", head, got, want)
			}
			insert(w, 1)
		}
		for i := range woken {
			if woken[i] != 10*i+1 {
				t.Errorf("who waits for %d woke at %d", 10*i, woken[i]-1)
			}
		}
	})
}

func TestOneCommitWakesAllWhoAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 100})
		for i := range 12 {
			rd := mustOpen(t, ring)
			go func() {
				p := make([]byte, 1000)
				if n, err := rd.Read(t.Context(), p); n == 0 || err != nil {
					t.Errorf("reader %d: %d frames, %v", i, n, err)
				}
				if n, err := rd.Read(t.Context(), p); loss(err) != (audio.Hole{Span: span(7, 1007), Cause: audio.Muted}) {
					t.Errorf("reader %d: %d frames, %v", i, n, err)
				}
				if n, err := rd.Read(t.Context(), p); n != 0 || err != io.EOF {
					t.Errorf("reader %d: %d frames, %v", i, n, err)
				}
			}()
		}
		synctest.Wait()
		insert(w, 7)
		synctest.Wait()
		if n := ring.Stats().Waiting; n != 12 {
			t.Errorf("%d wait, want 12", n)
		}
		w.Skip(1000, audio.Muted) // a hole wakes, too
		synctest.Wait()
		w.Close(nil)
		synctest.Wait()
	})
}

func TestWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 100})
		rd, other := mustOpen(t, ring), mustOpen(t, ring)
		go func() {
			if err := other.Await(t.Context(), 5); err != nil {
				t.Error(err)
			}
			other.Close()
		}()
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n, err := rd.Read(ctx, make([]byte, frameBytes))
		if n != 0 || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("%d frames, %v after %v", n, err, time.Since(begin))
		}
		if n := ring.Stats().Waiting; n != 1 {
			t.Errorf("%d wait, want the other one", n)
		}
		if err := rd.Await(ctx, 0); err != nil {
			t.Errorf("%v for what is there already", err)
		}
		insert(w, 4)
		synctest.Wait()
		if n := ring.Stats().Waiting; n != 1 {
			t.Errorf("%d wait, want the other one", n)
		}
		insert(w, 1)
		synctest.Wait()
		if n := ring.Stats().Waiting; n != 0 {
			t.Errorf("%d wait, want none", n)
		}
	})
}

// TestSeed_S13: readers drain the stream, then get what it ended with.
func TestSeed_S13(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct{ end, want error }{{nil, io.EOF}, {broken, broken}} {
		synctest.Test(t, func(t *testing.T) {
			ring, w := newRing(t, buffer.Config{Frames: 100})
			for range 3 {
				rd := mustOpen(t, ring)
				go func() {
					total, p := 0, make([]byte, 3*frameBytes)
					for {
						n, err := rd.Read(t.Context(), p)
						if total += n; err != nil {
							if err != c.want || total != 17 {
								t.Errorf("%v after %d frames, want %v after 17", err, total, c.want)
							}
							break
						}
					}
					if err := rd.Await(t.Context(), 1000); err != nil {
						t.Errorf("await behind the end: %v", err)
					}
				}()
			}
			insert(w, 10)
			synctest.Wait()
			insert(w, 7)
			w.Close(c.end)
			w.Close(errors.New("again"))
			synctest.Wait()
			if err := ring.Err(); err != c.end || !ring.Closed() {
				t.Errorf("the ring ended with %v", err)
			}
			late := mustOpen(t, ring)
			checkSlice(t, late, 0, 17, answer{})
		})
	}
}

// With a timer nobody but Tick wakes, and it wakes all who are due and nobody
// else; the end of the stream and of a context need no timer.
func TestTimerWakesThoseDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 100, Wake: buffer.ByTimer})
		began := time.Now()
		stop := make(chan struct{})
		go func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					ring.Tick()
				case <-stop:
					return
				}
			}
		}()
		woke := make([]time.Duration, 4)
		for i := range woke {
			rd := mustOpen(t, ring)
			go func() {
				if err := rd.Await(t.Context(), audio.Pos(10*i+1)); err != nil {
					t.Error(err)
				}
				woke[i] = time.Since(began)
			}()
		}
		synctest.Wait()
		insert(w, 15)
		synctest.Wait()
		if n := ring.Stats().Waiting; n != 4 {
			t.Errorf("%d wait: the writer woke somebody", n)
		}
		<-time.After(25 * time.Millisecond)
		if n := ring.Stats().Waiting; n != 2 {
			t.Errorf("%d wait, want the two that are not due", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
		defer cancel()
		if err := mustOpen(t, ring).Await(ctx, 1000); err != context.DeadlineExceeded {
			t.Errorf("a context that ends: %v", err)
		}
		w.Close(nil)
		synctest.Wait()
		close(stop)
		if want := []time.Duration{10 * time.Millisecond, 10 * time.Millisecond, 28 * time.Millisecond, 28 * time.Millisecond}; !slices.Equal(woke, want) {
			t.Errorf("woke at %v, want %v", woke, want)
		}
	})
	if _, err := buffer.New(buffer.Config{FrameBytes: 2, Frames: 10, Wake: 2}); err == nil {
		t.Error("a third way to wake was accepted")
	}
}
