//go:build bench

package ring

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
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
	window  bool // one more copies the newest 3 MiB all the time
	garbage bool // the collector is kept busy
	stalls  bool // one more stands still for 200 ms at times, with all that it may borrow
}

func scenes() []scene {
	return []scene{
		{name: "2 readers", readers: 2},
		{name: "8 readers", readers: 8},
		{name: "2 readers and one that always copies 3 MiB", readers: 2, window: true},
		{name: "2 readers, the garbage collector busy", readers: 2, garbage: true},
		{name: "2 readers and one that stalls 200 ms", readers: 2, stalls: true},
	}
}

// begin starts the others of the scene around r. It returns what ends them.
func (s scene) begin(r rival) (end func()) {
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
		all.Go(func() { window(ctx, r) })
	}
	if s.garbage {
		all.Go(func() { litter(ctx) })
	}
	return func() { cancel(); all.Wait() }
}

// window copies the newest 3 MiB again and again.
func window(ctx context.Context, r rival) {
	dst := make([]byte, windowBytes)
	for ctx.Err() == nil {
		if !r.Last(dst) { // it keeps no past, or was lapped
			runtime.Gosched()
		}
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
// p50, and so on.
type paced struct{ p50, p99, p999 []float64 }

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
	for range rounds {
		for i, r := range rivals {
			for range flatLarge { // the others have had the caches
				r.Write(src)
			}
			end := s.begin(r)
			due := time.Now()
			for n := range ns {
				for due = due.Add(every); time.Until(due) > 0; {
				}
				begun := time.Now()
				r.Write(src)
				ns[n] = int64(time.Since(begun))
			}
			end()
			out[i].add(ns)
		}
	}
	return out
}

// Bars of the scene in which one copies 3 MiB. A write that waited is followed
// by others that are overdue and do not wait, so p99 may say nothing.
const (
	mostTail  = 3  // times the p99.9 of the floor
	leastLock = 20 // the same under a mutex: the writer waits for the reader that holds it
)

// calm is the p99.9 of a quiet round, the lower quartile of all: one write in a
// thousand is about as many as the machine interrupts, and that only adds.
func (p *paced) calm() float64 { return quantile(slices.Sorted(slices.Values(p.p999)), 0.25) }

// missed says which bar was missed, if one was. The floor is the dearer of two,
// as flat out.
func missed(got []paced) string {
	tail := got[own].calm() / max(got[0].calm(), got[unprotected].calm())
	lock := got[mutex].calm() / got[0].calm()
	switch {
	case tail > mostTail*slack():
		return fmt.Sprintf("p99.9 of a calm round is %.2f times that of the floor, %.1f at most are wanted", tail, mostTail*slack())
	case lock < leastLock/slack():
		return fmt.Sprintf("p99.9 of a calm round under a mutex is %.1f times that of the copy, %.1f at least are wanted: this scene shows nothing", lock, leastLock/slack())
	}
	return ""
}

func TestPacedWriterIsHeldUpByNobody(t *testing.T) {
	rounds, writes := either(3, 7), either(1200, 5000)
	rivals := makeAll(t, contenders(), flatLarge)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			for try := 1; ; try++ {
				rounds := rounds
				if s.window { // it is judged
					rounds += 2
				}
				got := s.inTime(rivals, rounds, writes)
				rows := table{{"wall ns of a write", "p50", "p99", "p99.9"}}
				for i, c := range contenders() {
					rows.row(c.name, beside(got[i].p50, got[0].p50), beside(got[i].p99, got[0].p99), beside(got[i].p999, got[0].p999))
				}
				rows.log(t, "paced: %s; 4 KiB each %v, polled each %v; medians of %d rounds of %d writes, x: of the ratios to %s", s.name, every, poll, rounds, writes, floor)
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
