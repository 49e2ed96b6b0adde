package buffer

import (
	"runtime"
	"sync"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// The log wraps while it is looked up: what is found is one hole, not the
// words of two.
func TestHoleIsNotMixedOfTwo(t *testing.T) {
	const holes = 600_000
	for _, size := range []int{2, 3, 5} {
		r, w, _ := make1(t, Config{Frames: 8, BlockFrames: 2, Holes: size})
		var all sync.WaitGroup
		all.Go(func() {
			for i := range int64(holes) { // hole i is [10i+5, 10i+10), and 5 frames lie before it
				w.head, w.stored = 10*i+5, 5*i+5
				r.log.add(w.head, w.stored, 5, audio.Cause(i%7))
			}
		})
		for looks := 0; r.log.n.Load() < holes; looks++ {
			count := r.log.n.Load()
			key := 10*count - 10*int64(looks%(size+1)) // about the oldest that is known
			s := r.log.find(key, false)
			i := (s.from - 5) / 10
			if s.known && (s.from != 10*i+5 || s.to != s.from+5 || s.before != 5*i || s.cause != audio.Cause(i%7) || s.from > key) {
				t.Fatalf("%d holes: found %+v for %d", size, s, key)
			}
			if s.next != noHole && (s.next%10 != 5 || s.nextStored != s.next/2+3 || s.next <= key) {
				t.Fatalf("%d holes: found %+v for %d", size, s, key)
			}
			if s.known && s.next != noHole && s.next != s.from+10 {
				t.Fatalf("%d holes: found %+v for %d: the next is not the next", size, s, key)
			}
			if looks%64 == 0 {
				runtime.Gosched()
			}
		}
		all.Wait()
	}
}

func TestEntryWrittenAnewIsNotUsable(t *testing.T) {
	const size = 4
	r, w, _ := make1(t, Config{Frames: 8, BlockFrames: 2, Holes: size})
	for range 10 {
		w.Skip(5, audio.XRun)
		put(w, 1)
		_, least := r.log.look(int64(w.Head()), false)
		for later := 0; later <= size; later++ { // the entry is being written anew once there are size-1 more
			if got, want := r.log.usable(least), later < size-1; got != want {
				t.Errorf("hole %d with %d after it: usable is %v", least, later, got)
			}
			w.Skip(5, audio.XRun)
			put(w, 1)
		}
	}
}

// A hole grows while its end is read: what lies below the head is the hole,
// never sound.
func TestGrowingHoleStaysAHole(t *testing.T) {
	const skips = 600_000
	r, w, p := make1(t, Config{Frames: 8, BlockFrames: 2})
	put(w, 8)
	w.Skip(1, audio.XRun)
	var all sync.WaitGroup
	all.Go(func() {
		for range skips {
			w.Skip(1, audio.XRun)
		}
	})
	dst := make([]byte, 1)
	for at := audio.Pos(8); at < 8+skips; at = r.Head() - 1 {
		head := r.Head()
		stored, end, lost := p.locate(at, head)
		if lost.Cause != audio.XRun || lost.From != at || lost.To < head {
			t.Fatalf("frame %d below the head %d: stored %d up to %d, lost %v", at, head, stored, end, lost)
		}
		if n, err := p.Copy(dst, at); n != 0 || err == nil {
			t.Fatalf("%d frames, %v at %d", n, err, at)
		}
	}
	all.Wait()
}
