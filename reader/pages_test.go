package reader

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

// shapes are the keys of entry i of n, from those that a guess hits to those
// that mislead it.
func shapes() map[string]func(i, n int64) int64 {
	return map[string]func(i, n int64) int64{
		"regular":  func(i, _ int64) int64 { return 1000 * i },
		"jittered": func(i, _ int64) int64 { return 1000*i + int64(uint64(i)*0x9e3779b97f4a7c15>>54) },
		"wide":     func(i, n int64) int64 { return math.MinInt64 + i*(math.MaxInt64/n*2) },
		"one key":  func(int64, int64) int64 { return 7 },
		"one far":  func(i, n int64) int64 { return i + i/(n-1)*(math.MaxInt64-2*n) },
		"all far": func(i, n int64) int64 {
			if i == 0 {
				return math.MinInt64
			}
			return math.MaxInt64 - n + i
		},
		"two far":  func(i, n int64) int64 { return i - 2*i/n*(math.MinInt64/2) },
		"doubling": func(i, n int64) int64 { return 1<<(i*62/n) + i },
		"cubic":    func(i, n int64) int64 { return i * i * i },
		"root":     func(i, n int64) int64 { return int64(1e9 * math.Sqrt(float64(i))) },
		"steps":    func(i, n int64) int64 { return i / 100 * 1e6 },
	}
}

// filled is a ledger of n entries of that shape. Its positions are regular.
func filled(t interface {
	Helper()
	Fatal(...any)
}, shape func(i, n int64) int64, n int64) *Ledger {
	l := new(Ledger)
	for i := range n {
		mustAppend(t, l, audio.Pos(480*i), shape(i, n))
	}
	return l
}

// Whatever the keys, a look-up finds what bisecting finds, at no more than
// twice its looks and a few.
func TestLookUpIsBoundedWhateverTheKeys(t *testing.T) {
	for name, shape := range shapes() {
		for _, n := range []int64{2, 3, 100, 3000, 100_000} {
			s := filled(t, shape, n).look()
			c := s.column(partKey)
			most, bound := 0, 2*bits.Len64(uint64(n))+5
			check := func(want int64) {
				got, looks := c.find(0, n, want)
				if got > 0 && c.at(got-1) >= want || got < n && c.at(got) < want {
					t.Fatalf("%s, %d entries: key %d is found at %d", name, n, want, got)
				}
				most = max(most, looks)
			}
			for i := int64(0); i < n; i += 1 + n/2000 {
				for d := range int64(3) {
					check(max(shape(i, n), math.MinInt64+1) + d - 1)
				}
				if i > 0 {
					check(shape(i-1, n)/2 + shape(i, n)/2)
				}
			}
			check(math.MinInt64)
			check(math.MaxInt64)
			if most > bound {
				t.Errorf("%s, %d entries: %d looks, the bound is %d", name, n, most, bound)
			}
			t.Logf("%s, %d entries: at most %d looks", name, n, most)
		}
	}
}

// The same for keys that are drawn, with questions beside each.
func TestLookUpFindsTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		steps := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 1<<40), rapid.Just(int64(1<<56))), 1, 60).Draw(t, "steps")
		key := rapid.SampledFrom([]int64{math.MinInt64, -1, 0}).Draw(t, "first")
		for i, step := range steps {
			key += step
			mustAppend(t, &l, audio.Pos(i), key)
		}
		s := l.look()
		c := s.column(partKey)
		beside := c.at(rapid.Int64Range(0, s.to-1).Draw(t, "i"))
		for _, want := range []int64{beside, max(beside, math.MinInt64+1) - 1, beside + 1, rapid.Int64().Draw(t, "anywhere")} {
			first := int64(0)
			for first < s.to && c.at(first) < want {
				first++
			}
			if got, looks := c.find(0, s.to, want); got != first || looks > 2*bits.Len64(uint64(s.to))+5 {
				t.Errorf("find %d = %d at %d looks, want %d", want, got, looks, first)
			}
		}
	})
}

// What grows evenly is found in a few looks, however much there is and however
// wide its numbers are.
func TestLookUpOfEvenKeysDoesNotGrow(t *testing.T) {
	for _, name := range []string{"regular", "jittered", "wide"} {
		for _, n := range []int64{100, 1000, 10_000, 100_000} {
			s := filled(t, shapes()[name], n).look()
			for i := range n {
				if _, looks := s.column(partKey).find(0, n, shapes()[name](i, n)); looks > 7 {
					t.Fatalf("%s, %d entries: %d looks for entry %d", name, n, looks, i)
				}
			}
		}
	}
}

func BenchmarkLedger(b *testing.B) {
	for _, name := range []string{"regular", "jittered", "steps", "cubic", "doubling", "one far"} {
		for _, n := range []int64{1000, 10_000, 100_000, 1_000_000} {
			l := filled(b, shapes()[name], n)
			s := l.look()
			asked := make([]int64, 1<<12)
			for i := range asked {
				asked[i] = s.entry(int64(uint64(i)*0x9e3779b97f4a7c15>>1) % n)[partKey]
			}
			b.Run(fmt.Sprintf("%s/%d/bisect", name, n), func(b *testing.B) {
				c := s.column(partKey)
				for i := 0; b.Loop(); i++ {
					if want := asked[i%len(asked)]; want > c.at(0) {
						c.bisect(0, n-1, want)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/%d/Lower", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					l.Lower(asked[i%len(asked)])
				}
			})
		}
	}
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		var l Ledger
		for i := int64(0); b.Loop(); i++ {
			l.Append(audio.Pos(i), i)
		}
	})
}
