//go:build bench

package ring

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What is written in time.
const (
	every       = 50 * time.Microsecond // a write
	poll        = time.Millisecond      // of a reader
	stall       = 200 * time.Millisecond
	stallEvery  = 300 * time.Millisecond
	windowBytes = 3 << 20
)

// scene is what goes on while a writer keeps its pace.
type scene struct {
	name    string
	readers int
	window  bool // one more copies the newest 3 MiB at each poll
	garbage bool // the collector is kept busy
	stalls  bool // one more stands still for 200 ms at times, with all that it may borrow
}

func scenes() []scene {
	return []scene{
		{name: "2 readers", readers: 2},
		{name: "8 readers", readers: 8},
		{name: "2 readers and one that copies 3 MiB", readers: 2, window: true},
		{name: "2 readers, the garbage collector busy", readers: 2, garbage: true},
		{name: "2 readers and one that stalls 200 ms", readers: 2, stalls: true},
	}
}

// begin starts the others of the scene around r. It returns what ends them.
// copying is true while a window is copied.
func (s scene) begin(r rival, copying *atomic.Bool) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range s.readers {
		f := r.Follow()
		all.Go(func() { follows(ctx, f, nil) })
	}
	if s.stalls {
		f := r.Follow()
		all.Go(func() {
			at := time.NewTicker(stallEvery)
			defer at.Stop()
			follows(ctx, f, at.C)
		})
	}
	if s.window {
		all.Go(func() { window(ctx, r, copying) })
	}
	if s.garbage {
		all.Go(func() { litter(ctx) })
	}
	return func() { cancel(); all.Wait() }
}

// window copies the newest 3 MiB at each poll.
func window(ctx context.Context, r rival, copying *atomic.Bool) {
	dst, tick := make([]byte, windowBytes), time.NewTicker(poll)
	defer tick.Stop()
	if !r.Last(dst) {
		return // it keeps no past
	}
	for ctx.Err() == nil {
		<-tick.C
		copying.Store(true)
		r.Last(dst)
		copying.Store(false)
	}
}

// litter makes garbage, with a heap beside it that the collector must walk.
func litter(ctx context.Context) {
	heap := make([]*[4]*int, 1<<18)
	for i := range heap {
		heap[i] = &[4]*int{new(int), new(int)}
	}
	for ctx.Err() == nil {
		runtime.GC()
	}
	runtime.KeepAlive(heap)
}

// follows reads all that there is at each poll, and stalls when it is told to.
func follows(ctx context.Context, f follower, stalls <-chan time.Time) {
	defer f.Close()
	dst, tick := make([]byte, 16*chunk), time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		<-tick.C
		for f.Next(dst) > 0 {
		}
		select {
		case <-stalls:
			release := func() {}
			if h, ok := f.(holder); ok {
				release = h.Hold()
			}
			<-time.After(stall)
			release()
		default:
		}
	}
}

// paced is the ns of a write in each round: half of all writes took less than
// p50, and so on. during is the ns of each write that came while a window was
// copied.
type paced struct{ p50, p99, p999, during []float64 }

func (p *paced) add(ns []int64) {
	slices.Sort(ns)
	p.p50 = append(p.p50, float64(quantile(ns, 0.5)))
	p.p99 = append(p.p99, float64(quantile(ns, 0.99)))
	p.p999 = append(p.p999, float64(quantile(ns, 0.999)))
}

// inTime writes at its pace, in rounds that alternate between the rivals.
func (s scene) inTime(rivals []rival, rounds, writes int) []paced {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	src, out, ns := make([]byte, chunk), make([]paced, len(rivals)), make([]int64, writes)
	var copying atomic.Bool
	for range rounds {
		for i, r := range rivals {
			for range flatLarge { // the others have had the caches
				r.Write(src)
			}
			end := s.begin(r, &copying)
			due := time.Now()
			for n := range ns {
				for due = due.Add(every); time.Until(due) > 0; {
				}
				hit, begun := copying.Load(), time.Now()
				r.Write(src)
				ns[n] = int64(time.Since(begun))
				if hit {
					out[i].during = append(out[i].during, float64(ns[n]))
				}
			}
			end()
			out[i].add(ns)
		}
	}
	return out
}

// Bars of the scene in which one copies 3 MiB.
const (
	mostTail  = 3  // times the p99.9 of the floor
	leastLock = 20 // times the median of the floor while it copies: its reader holds the lock
)

// missed says which bar was missed, if one was.
func missed(got []paced) string {
	tail := min(times(got[own].p999, got[0].p999), times(got[own].p999, got[unprotected].p999))
	lock := median(got[mutex].during) / median(got[0].during)
	switch {
	case !(tail <= mostTail*slack()):
		return fmt.Sprintf("p99.9 is %.2f times that of the copy, %.1f at most are wanted", tail, mostTail*slack())
	case !(lock >= leastLock/slack()):
		return fmt.Sprintf("the median under a mutex during a copy is %.1f times that of the floor, %.1f at least are wanted: this scene shows nothing", lock, leastLock/slack())
	}
	return ""
}

func (s scene) table(got []paced) *table {
	rows := table{{"wall ns of a write", "p50", "p99", "p99.9"}}
	if s.window {
		rows[0] = append(rows[0], "p50 during a copy", "writes then")
	}
	for i, c := range contenders() {
		rows.row(c.name, beside(got[i].p50, got[0].p50), beside(got[i].p99, got[0].p99), beside(got[i].p999, got[0].p999))
		if s.window {
			ns := median(got[i].during)
			rows[i+1] = append(rows[i+1], cell(ns, ns/median(got[0].during)), fmt.Sprint(len(got[i].during)))
		}
	}
	return &rows
}

func TestPacedWriterIsHeldUpByNobody(t *testing.T) {
	rounds, writes := either(3, 7), either(1200, 5000)
	rivals := makeAll(t, contenders(), flatLarge)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			for try := 1; ; try++ {
				got := s.inTime(rivals, rounds, writes)
				s.table(got).log(t, "paced: %s; 4 KiB each %v, polled each %v; medians of %d rounds of %d writes, x: of the ratios to %s", s.name, every, poll, rounds, writes, floor)
				miss := ""
				if s.window {
					miss = missed(got)
				}
				switch {
				case miss == "":
					return
				case try == tries:
					t.Fatal(miss)
				}
				t.Log(miss)
			}
		})
	}
}
