//go:build linux && !race && !chaos

package buffer

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"golang.org/x/sys/unix"
)

// chunk is what one write of the tests below moves.
const chunk = 4096

// threadTime is the CPU time that this thread has used, in ns. The caller has
// locked itself to its thread. What other threads do at the time is left out,
// but not that they take memory away from this one's cache.
func threadTime(t testing.TB) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

// costs is ns for 4 KiB: copied to the same place each time, copied round
// memory of the size of the ring, and written to the ring. No ring can do
// better than the second, which is what its bar is counted in: memory that is
// come back to late is out of the nearest cache.
type costs struct{ hot, round, write float64 }

// measure takes the medians of rounds that alternate. Readers of the ring, if
// there are any, go on all the time.
func measure(t testing.TB, r *Ring, w *Writer, rounds, writes int) costs {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	src, dst := make([]byte, chunk), make([]byte, chunk)
	slab, err := newSlab(len(r.slab))
	if err != nil {
		t.Fatal(err)
	}
	defer freeSlab(slab)
	var a, b, c []float64
	off := 0
	for range rounds {
		t0 := threadTime(t)
		for range writes {
			copy(dst, src)
		}
		t1 := threadTime(t)
		for range writes {
			copy(slab[off:off+chunk], src)
			if off += chunk; off == len(slab) {
				off = 0
			}
		}
		t2 := threadTime(t)
		for range writes {
			copy(w.Reserve(chunk), src)
			w.Commit(chunk)
		}
		t3 := threadTime(t)
		a = append(a, float64(t1-t0)/float64(writes))
		b = append(b, float64(t2-t1)/float64(writes))
		c = append(c, float64(t3-t2)/float64(writes))
	}
	return costs{median(a), median(b), median(c)}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// reading starts n goroutines that follow the ring until the returned function
// is called. Each waits for at least batch new frames before it reads them.
func reading(t testing.TB, r *Ring, n int, batch audio.Pos) (stop func() (delivered int64)) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	total := make([]int64, n)
	for i := range n {
		p, err := r.Take()
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer p.Close()
			at, dst := r.Head(), make([]byte, 1<<20)
			for ctx.Err() == nil {
				if batch > 0 && p.Wait(ctx, at+batch) != nil {
					return
				}
				frames, err := p.Copy(dst, at)
				if err != nil {
					at = r.Bounds().From
					continue
				}
				at += audio.Pos(frames)
				total[i] += int64(frames)
				if frames == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	return func() (delivered int64) {
		cancel()
		all.Wait()
		for _, n := range total {
			delivered += n
		}
		return delivered
	}
}

// scenes are the ways to read while the writer is measured.
func scenes() []scene {
	const second = 96_000 // bytes of one at 48 kHz, mono, s16
	return []scene{{"no readers", 0, 0}, {"8 readers, a second at a time", 8, second}, {"8 readers that do not wait", 8, 0}}
}

type scene struct {
	name    string
	readers int
	batch   audio.Pos
}

func (s scene) measure(t testing.TB, rounds, writes int) (c costs, delivered float64) {
	r, err := New(Config{FrameBytes: 1, Frames: 60 * 4 * 48_000})
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Writer()
	if err != nil {
		t.Fatal(err)
	}
	stop := reading(t, r, s.readers, s.batch)
	c = measure(t, r, w, rounds, writes)
	return c, float64(stop()) / float64(w.Head())
}

// bare is ns for 4 KiB that are copied round memory of that size while readers
// copy the same memory behind it, without any protection: what it costs that
// they share it. What they read is wrong at times, and nobody looks at it.
func (s scene) bare(t testing.TB, rounds, writes int) float64 {
	slab, err := newSlab(60 * 4 * 48_000 / chunk * chunk)
	if err != nil {
		t.Fatal(err)
	}
	defer freeSlab(slab)
	var head atomic.Int64
	var over atomic.Bool
	var all sync.WaitGroup
	defer all.Wait()
	defer over.Store(true)
	for range s.readers {
		all.Go(func() {
			dst := make([]byte, 1<<20)
			for at := head.Load(); !over.Load(); {
				switch have := head.Load() - at; {
				case have < max(1, int64(s.batch)):
					runtime.Gosched()
				case have > int64(len(slab))/2:
					at = head.Load()
				default:
					off := int(at % int64(len(slab)))
					at += int64(copy(dst, slab[off:min(off+int(have), len(slab))]))
				}
			}
		})
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ns []float64
	src, off := make([]byte, chunk), 0
	for range rounds {
		t0 := threadTime(t)
		for range writes {
			copy(slab[off:off+chunk], src)
			head.Add(chunk)
			if off += chunk; off == len(slab) {
				off = 0
			}
		}
		ns = append(ns, float64(threadTime(t)-t0)/float64(writes))
	}
	return median(ns)
}

// With readers on another core the floor is what sharing memory with them costs,
// where that is more than the copy.
func TestWritingCostsLittleMoreThanCopying(t *testing.T) {
	const most = 1.6
	for _, s := range scenes() {
		var c costs
		var floor float64
		for range 10 { // the machine may be busy with something else
			var delivered float64
			c, delivered = s.measure(t, 31, 1000)
			if floor = c.round; s.readers > 0 {
				floor = max(floor, s.bare(t, 31, 1000))
			}
			t.Logf("%s: copy %.0f ns, round memory of that size %.0f ns, the floor %.0f ns, write %.0f ns; %.2f times what was written was delivered", s.name, c.hot, c.round, floor, c.write, delivered)
			if c.write <= most*floor {
				break
			}
		}
		if c.write > most*floor {
			t.Errorf("%s: writing costs %.0f ns, %.2f times the floor of %.0f ns, want %.1f", s.name, c.write, c.write/floor, floor, most)
		}
	}
}

// BenchmarkWrite writes 4 KiB at a time. x-copy is the ratio to a copy round
// memory of the same size, x-hot that to a copy to one and the same 4 KiB.
func BenchmarkWrite(b *testing.B) {
	for _, s := range scenes() {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			const rounds = 21
			c, delivered := s.measure(b, rounds, b.N/rounds+1)
			b.ReportMetric(c.write, "ns/write")
			b.ReportMetric(c.write/c.round, "x-copy")
			b.ReportMetric(c.write/c.hot, "x-hot")
			b.ReportMetric(delivered, "delivered/written")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkSkip compares a hole with a whole block without bytes.
func BenchmarkSkip(b *testing.B) {
	for name, do := range map[string]func(w *Writer){
		"block": func(w *Writer) { w.Reserve(chunk); w.Commit(chunk) },
		"grow":  func(w *Writer) { w.Skip(1e9, audio.XRun) },
		"skip":  func(w *Writer) { w.Skip(1e9, audio.XRun); w.grows = false },
	} {
		b.Run(name, func(b *testing.B) {
			r, err := New(Config{FrameBytes: 1, Frames: 1 << 20})
			if err != nil {
				b.Fatal(err)
			}
			w, err := r.Writer()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				do(w)
			}
		})
	}
}
