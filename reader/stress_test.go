package reader

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// schedule is what the writer of a stress run does, known to both sides.
type schedule struct {
	steps []step
	holes []audio.Hole // adjacent ones of one cause are one
	head  audio.Pos    // at the end
	known bool         // the log of the ring is long enough for all holes
}

type step struct {
	frames int64
	cause  audio.Cause // of a hole; 0 is sound
}

func plan(seed uint64, frames int64) schedule {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var s schedule
	for left := frames; left > 0; {
		one := step{frames: 1 + rnd.Int64N(40)}
		if rnd.IntN(6) == 0 {
			one = step{1 + rnd.Int64N(1000), []audio.Cause{audio.XRun, audio.Device}[rnd.IntN(2)]}
			if last := len(s.holes) - 1; last >= 0 && s.holes[last].To == s.head && s.holes[last].Cause == one.cause {
				s.holes[last].To += audio.Pos(one.frames)
			} else {
				s.holes = append(s.holes, audio.Hole{Span: span(s.head, s.head+audio.Pos(one.frames)), Cause: one.cause})
			}
		} else {
			left -= one.frames
		}
		s.steps = append(s.steps, one)
		s.head += audio.Pos(one.frames)
	}
	return s
}

// lossIn says whether what is lost agrees with the schedule: a hole ends where
// it really ends, or, while it grows, where it ended then; an overrun meets no
// hole that is known.
func (s *schedule) lossIn(lost audio.Hole) bool {
	i, in := slices.BinarySearchFunc(s.holes, lost.From, func(h audio.Hole, p audio.Pos) int {
		switch {
		case h.Contains(p):
			return 0
		case h.From > p:
			return 1
		}
		return -1
	})
	if lost.Cause == audio.Overrun {
		return !s.known || !in && (i == len(s.holes) || lost.To <= s.holes[i].From)
	}
	return in && lost.Cause == s.holes[i].Cause && lost.To <= s.holes[i].To
}

func (s *schedule) write(w *buffer.Writer, rnd *rand.Rand, end error) {
	for _, one := range s.steps {
		if one.cause != 0 {
			w.Skip(one.frames, one.cause)
			continue
		}
		for left := int(one.frames); left > 0; {
			room := w.Reserve(left)
			n := 1 + rnd.IntN(len(room)/frameBytes)
			stamp(room[:n*frameBytes], w.Head())
			w.Commit(n)
			left -= n
			if rnd.IntN(4) == 0 {
				runtime.Gosched()
			}
		}
	}
	w.Close(end)
}

// Readers of a ring that is lapped all the time get right frames and exact
// losses, and these tile the stream.
func TestDeliveredAndLostTileTheStream(t *testing.T) {
	frames := int64(400_000)
	if raceEnabled {
		frames = 30_000
	}
	for _, c := range []buffer.Config{
		{Frames: 16, BlockFrames: 1, MaxReaders: 6, MaxPins: 2, Holes: 3},
		{Frames: 60, BlockFrames: 8, MaxReaders: 6, MaxPins: 3, Holes: 1 << 15},
		{Frames: 4000, BlockFrames: 64, MaxReaders: 6, Holes: 1 << 15},
	} {
		s := plan(uint64(c.Frames), frames)
		s.known = c.Holes > len(s.holes)
		ring, w := newRing(t, c)
		var all sync.WaitGroup
		var delivered atomic.Int64
		for i, policy := range []Option{Oldest, Oldest, Margin(0.5), Latest} {
			rd := mustOpen(t, ring, policy)
			all.Go(func() { delivered.Add(follow(t, rd, &s, uint64(i), i < 2)) })
		}
		for i := range 2 {
			rd := mustOpen(t, ring)
			all.Go(func() { pick(t, rd, &s, uint64(i)) })
		}
		all.Go(func() { s.write(w, rand.New(rand.NewPCG(2, 3)), nil) })
		all.Wait()
		if delivered.Load() == 0 {
			t.Error("nothing was delivered: the run shows nothing")
		}
		if ring.Head() != s.head || ring.Stats().Holes != int64(len(s.holes)) {
			t.Errorf("head %d of %d, %d holes of %d", ring.Head(), s.head, ring.Stats().Holes, len(s.holes))
		}
	}
}

// follow reads the stream to its end, and checks that all of it is delivered or
// lost. Under the policy that loses the least, what is called lost is.
func follow(t *testing.T, rd *Reader, s *schedule, seed uint64, least bool) (delivered int64) {
	rnd := rand.New(rand.NewPCG(seed, 4))
	defer rd.Close()
	var lost, overruns, holes int64
	p := make([]byte, 100*frameBytes)
	for at := audio.Pos(0); ; at = rd.Pos() {
		n, err := rd.Read(context.Background(), p[:(1+rnd.IntN(100))*frameBytes])
		if err == io.EOF {
			break
		}
		if l := loss(err); !l.Empty() {
			if l.From != at || rd.Pos() != l.To || !s.lossIn(l) {
				t.Errorf("at %d: told %v, cursor at %d", at, l, rd.Pos())
				return delivered
			}
			if l.Cause == audio.Overrun {
				overruns++
				if least && !outside(rd, l.To-1) { // under the other policies it may be readable and given up
					t.Errorf("%v can be read", l)
				}
			} else {
				holes += l.Len()
			}
			lost += l.Len()
		} else if n == 0 || err != nil || rd.Pos() != at+audio.Pos(n) || wrong(p[:n*frameBytes], at) >= 0 {
			t.Errorf("at %d: %d frames, %v, cursor at %d, wrong from %d", at, n, err, rd.Pos(), wrong(p[:n*frameBytes], at))
			return delivered
		}
		delivered += int64(n)
		if seed > 0 && rnd.IntN(8) == 0 {
			runtime.Gosched()
		}
	}
	want := int64(0)
	for _, h := range s.holes {
		want += h.Len()
	}
	if delivered+lost != int64(s.head) || s.known && holes != want {
		t.Errorf("%d delivered, %d lost, %d positions; %d in holes of %d", delivered, lost, s.head, holes, want)
	}
	t.Logf("%d frames delivered, %d lost in %d overruns and %d holes", delivered, lost, overruns, len(s.holes))
	return delivered
}

// outside says whether the frame at p cannot be read.
func outside(rd *Reader, p audio.Pos) bool {
	v, err := rd.Slice(p, p+1)
	v.Release()
	return errors.Is(err, ErrOutside)
}

// pick slices about at random and keeps the views for a while.
func pick(t *testing.T, rd *Reader, s *schedule, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 5))
	defer rd.Close()
	var held []View
	drop := func(v View) bool {
		if got := v.AppendTo(nil); int64(len(got)) != v.Frames()*frameBytes || wrong(got, v.Span().From) >= 0 {
			t.Errorf("view of %v (borrowed: %v) is wrong from %d", v.Span(), v.Borrowed(), wrong(got, v.Span().From))
			return false
		}
		v.Release()
		return true
	}
	for !rd.Ring().Closed() {
		b := rd.Ring().Bounds()
		if b.From > b.To {
			t.Errorf("bounds %v", b)
			return
		}
		i := b.From + audio.Pos(rnd.Int64N(b.Len()+1)) - min(b.From, audio.Pos(rnd.IntN(3)))
		j := i + audio.Pos(rnd.IntN(30))
		v, err := rd.Slice(i, j)
		l := loss(err)
		var future *FutureError
		switch {
		case err == nil:
			held = append(held, v)
		case errors.As(err, &future):
			if future.Head >= j || future.Head < b.To {
				t.Errorf("slice [%d, %d) in %v: %v", i, j, b, err)
			}
		case !s.lossIn(l) || l.From < i || l.From >= j || l.Cause == audio.Overrun && (l.From != i || !outside(rd, l.To-1)):
			t.Errorf("slice [%d, %d) in %v: %v", i, j, b, err)
			return
		}
		if len(held) > 4 || rnd.IntN(4) == 0 && len(held) > 0 {
			if !drop(held[0]) {
				return
			}
			held = held[1:]
		}
	}
	for _, v := range held {
		drop(v)
	}
}

// The writer commits while the reader goes to sleep, as close together as two
// cores can be: the reader always wakes.
func TestNoWakeUpIsLost(t *testing.T) {
	rounds := 60_000
	if raceEnabled {
		rounds = 10_000
	}
	ring, w := newRing(t, buffer.Config{Frames: 100})
	rd := mustOpen(t, ring)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a lost one waits for ever
	defer cancel()
	var round atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		rnd := rand.New(rand.NewPCG(7, 8))
		for i := range int64(rounds) {
			for spin := 0; round.Load() <= i; spin++ {
				if ctx.Err() != nil {
					return
				}
				if spin > 1000 {
					runtime.Gosched()
				}
			}
			for range rnd.IntN(400) {
				round.Load()
			}
			insert(w, 1)
		}
	})
	for i := range int64(rounds) {
		round.Store(i + 1)
		if err := rd.Await(ctx, audio.Pos(i+1)); err != nil {
			t.Errorf("round %d: %v, the head is at %d", i, err, ring.Head())
			break
		}
	}
	cancel()
	all.Wait()
}
