//go:build bench

package ring

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// live is how many chunks a ring holds that is asked for ranges.
const live = 10_000

// A store answers for ranges of its chunks, i being the i-th oldest one.
type store interface {
	Open(i, n int) bool             // whether they are there
	Walk(i, n int) (sum uint64)     // the first words of all, xored
	Copy(dst []byte, i, n int) bool // into one piece
}

type oursStore struct{ *ours }

func (o oursStore) span(i, n int) (from, to audio.Pos) {
	from = o.ring.Head() - (live-audio.Pos(i))*chunkFrames
	return from, from + audio.Pos(n)*chunkFrames
}

func (o oursStore) Open(i, n int) bool {
	from, to := o.span(i, n)
	return openRange(o.last, from, to)
}

func (o oursStore) Walk(i, n int) uint64 {
	from, to := o.span(i, n)
	sum, ok := walkRange(o.last, from, to)
	if !ok {
		o.t.Error("a range is not there")
	}
	return sum
}

func (o oursStore) Copy(dst []byte, i, n int) bool {
	from, _ := o.span(i, n)
	return copyRange(o.last, dst[:n*chunk], from)
}

// refs is a ring of references to chunks under a lock. A range is a slice of
// references, and whoever has it keeps the chunks.
type refs struct {
	mu     sync.RWMutex
	chunks [][]byte // guarded by mu, as is next
	next   int      // place of the oldest one
}

func (r *refs) write(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.chunks) < live {
		r.chunks = append(r.chunks, append([]byte(nil), p...))
		return
	}
	r.chunks[r.next] = append([]byte(nil), p...)
	r.next = (r.next + 1) % live
}

// get returns n references from the i-th oldest on.
func (r *refs) get(i, n int) [][]byte {
	out := make([][]byte, 0, n)
	r.mu.RLock()
	defer r.mu.RUnlock()
	from := (r.next + i) % live
	first := min(n, live-from)
	return append(append(out, r.chunks[from:from+first]...), r.chunks[:n-first]...)
}

func (r *refs) Open(i, n int) bool { return len(r.get(i, n)) == n }

func (r *refs) Walk(i, n int) (sum uint64) {
	for _, c := range r.get(i, n) {
		sum ^= binary.LittleEndian.Uint64(c)
	}
	return sum
}

func (r *refs) Copy(dst []byte, i, n int) bool {
	for at, c := range r.get(i, n) {
		copy(dst[at*chunk:], c)
	}
	return true
}

// mutexStore is the ring under a mutex. To walk is to copy first: nothing may
// be looked at once the lock is given back.
type mutexStore struct {
	*mutexed
	room []byte
}

func (m mutexStore) Open(i, n int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head >= live && i+n <= live
}

func (m mutexStore) Walk(i, n int) (sum uint64) {
	m.Copy(m.room, i, n)
	for at := range n {
		sum ^= binary.LittleEndian.Uint64(m.room[at*chunk:])
	}
	return sum
}

func (m mutexStore) Copy(dst []byte, i, n int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.copyFrom(dst[:n*chunk], m.head-live+int64(i))
	return true
}

// stores are filled alike, so that all walks have the same sum.
func stores(t testing.TB) []store {
	o, r, m := newRing(t, live, 0), new(refs), newMutexed(t, live).(*mutexed)
	p := make([]byte, chunk)
	for i := range live + live/2 {
		binary.LittleEndian.PutUint64(p, uint64(i)*0x9e3779b97f4a7c15)
		o.Write(p)
		r.write(p)
		m.Write(p)
	}
	return []store{oursStore{o}, r, mutexStore{m, touched(live * chunk)}}
}

// rangeCosts is thread CPU ns: medians of opening, walking, copying.
func rangeCosts(t testing.TB, all []store, dst []byte, i, n, rounds int) [][3]float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ns := make([][3][]float64, len(all))
	var sums []uint64
	for range rounds {
		for k, s := range all {
			var sum uint64
			for way, do := range []func(){
				func() { _ = s.Open(i, n) },
				func() { sum = s.Walk(i, n) },
				func() { _ = s.Copy(dst, i, n) },
			} {
				times := max(1, 1000/n)
				if way == 0 {
					times = 100
				}
				t0 := threadTime(t)
				for range times {
					do()
				}
				ns[k][way] = append(ns[k][way], float64(threadTime(t)-t0)/float64(times))
			}
			if sums = append(sums, sum); sum != sums[0] {
				t.Fatalf("store %d holds other chunks: sum %x, want %x", k, sum, sums[0])
			}
			if !s.Open(i, n) || !s.Copy(dst, i, n) {
				t.Fatalf("store %d does not hold [%d, %d)", k, i, i+n)
			}
		}
	}
	out := make([][3]float64, len(all))
	for k := range all {
		for way := range out[k] {
			out[k][way] = median(ns[k][way])
		}
	}
	return out
}

// tooDear says what of ours, opening, walking or copying a long range, costs too
// much beside a plain copy of it, which takes about 200 ns for a chunk.
func tooDear(ns [3]float64, plain float64) string {
	for way, most := range []float64{0.01, 0.4, 1.4} {
		if most *= slack(); ns[way] > most*plain {
			return fmt.Sprintf("%s takes %.0f ns, %.3f times a plain copy, want %.2f", []string{"opening", "walking", "copying"}[way], ns[way], ns[way]/plain, most)
		}
	}
	return ""
}

func TestRangesAreOpenedAndWalkedWithoutCopying(t *testing.T) {
	all, dst, src := stores(t), touched(live*chunk), touched(live*chunk)
	rounds := either(5, 15)
	rows := table{{"thread ns of a range", "plain copy", "ours: open", "walk", "copy", "references: open", "walk", "copy", "Mutex: open", "walk", "copy"}}
	for _, n := range []int{1, 100, live} {
		for _, at := range []struct {
			name string
			i    int
		}{{"head", live - n}, {"middle", (live - n) / 2}, {"tail", 0}} {
			var got [][3]float64
			var plain float64
			for try := 1; ; try++ {
				got = rangeCosts(t, all, dst, at.i, n, rounds)
				plain = plainCopy(t, dst, src[at.i*chunk:(at.i+n)*chunk], rounds)
				dear := tooDear(got[0], plain)
				if n < live || dear == "" {
					break
				}
				if t.Logf("%d at the %s: %s", n, at.name, dear); try == tries {
					t.Errorf("%d at the %s: too dear %d times", n, at.name, tries)
					break
				}
			}
			cells := []string{fmt.Sprintf("%d at the %s", n, at.name), short3(plain)}
			for _, c := range got {
				for _, ns := range c {
					cells = append(cells, cell(ns, ns/plain))
				}
			}
			rows.row(cells...)
		}
	}
	rows.log(t, "ranges of 4 KiB chunks out of %d; a walk touches a word of each; medians of %d rounds", live, rounds)
}

func plainCopy(t testing.TB, dst, src []byte, rounds int) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ns []float64
	times := max(1, 1000*chunk/len(src))
	for range rounds {
		t0 := threadTime(t)
		for range times {
			copy(dst, src)
		}
		ns = append(ns, float64(threadTime(t)-t0)/float64(times))
	}
	return median(ns)
}
