//go:build bench

package ring

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// What is written flat out.
const (
	flatSmall = 256  // chunks: 1 MiB, which the nearer caches may hold
	flatLarge = 3072 // 12 MiB: a minute of 48 kHz, stereo, s16

	// Bars, in times the floor. A write costs some ns more than a copy, for two
	// stores that all cores must have seen: much, beside a copy within the
	// nearest caches.
	mostSmall = 1.6
	mostLarge = 1.3
)

// crowd is goroutines that follow a rival until they are stopped.
type crowd struct {
	all  sync.WaitGroup
	over atomic.Bool
	read atomic.Int64 // chunks
}

// follow starts n followers that never wait.
func follow(r rival, n int) *crowd {
	c := new(crowd)
	for range n {
		f := r.Follow()
		c.all.Go(func() {
			defer f.Close()
			dst := make([]byte, 16*chunk)
			for !c.over.Load() {
				if n := f.Next(dst); n > 0 {
					c.read.Add(int64(n))
				} else {
					runtime.Gosched()
				}
			}
		})
	}
	return c
}

// stop ends the followers, and returns how many chunks they have read.
func (c *crowd) stop() int64 {
	c.over.Store(true)
	c.all.Wait()
	return c.read.Load()
}

// flat is what one rival did.
type flat struct {
	ns   []float64 // thread CPU ns of a write, one for each round
	read float64   // chunks read for each that was written, by all readers together
}

// flatOut writes as fast as it goes, in rounds that alternate between them.
func flatOut(t testing.TB, rivals []rival, chunks, crowded, rounds, writes int) []flat {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	src, out := make([]byte, chunk), make([]flat, len(rivals))
	for _, r := range rivals {
		for range chunks { // to its steady state
			r.Write(src)
		}
	}
	for range rounds {
		for i, r := range rivals {
			readers := follow(r, crowded)
			for n := 0; n < 100 || readers.read.Load() == 0 && n < 100_000 && crowded > 0; n++ {
				r.Write(src)
			}
			read, t0 := readers.read.Load(), threadTime(t)
			for range writes {
				r.Write(src)
			}
			out[i].ns = append(out[i].ns, float64(threadTime(t)-t0)/float64(writes))
			out[i].read += float64(readers.read.Load()-read) / float64(writes*rounds)
			readers.stop()
		}
	}
	return out
}

// above is how many times the floor our write costs. With readers the floor is
// the dearer of two: they read other memory, or the same without protection.
func above(got []flat, readers int) float64 {
	over := times(got[own].ns, got[0].ns)
	if readers > 0 {
		over = min(over, times(got[own].ns, got[unprotected].ns))
	}
	return over
}

func TestWritingFlatOutCostsLittleMoreThanCopying(t *testing.T) {
	who, crowds := contenders(), []int{0, 1, 2, 4, 8}
	rounds, writes := either(5, 21), either(500, 2000)
	for _, chunks := range []int{flatSmall, flatLarge} {
		most := slack() * map[int]float64{flatSmall: mostSmall, flatLarge: mostLarge}[chunks]
		rivals := makeAll(t, who, chunks)
		rows := table{{"thread ns of a write"}}
		for _, c := range who {
			rows.row(c.name)
		}
		for _, n := range crowds {
			var got []flat
			for try := 1; ; try++ {
				got = flatOut(t, rivals, chunks, n, rounds, writes)
				over := above(got, n)
				if over <= most {
					break
				}
				t.Logf("%d KiB, %d readers: a write costs %.2f times the floor, %.2f at most are wanted", chunks*chunk>>10, n, over, most)
				if try == tries {
					t.Errorf("%d KiB, %d readers: too dear %d times", chunks*chunk>>10, n, tries)
					break
				}
			}
			rows[0] = append(rows[0], fmt.Sprintf("%d readers", n), "read")
			for i := range who {
				rows[i+1] = append(rows[i+1], beside(got[i].ns, got[0].ns), fmt.Sprintf("%.2f", got[i].read))
			}
		}
		rows.log(t, "flat out: 4 KiB at a time round %d KiB; medians of %d rounds of %d writes, x: of the ratios to %s; read: chunks that all readers together read for one that was written", chunks*chunk>>10, rounds, writes, floor)
	}
}
