package clock

import (
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"testing"
	"weak"

	"pgregory.net/rapid"
)

// shapes are the numbers of row i of n, from those that a guess hits to those
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

// pairs is a table of positions and keys.
type pairs = Table[[2]int64]

const (
	ofPos = iota
	ofKey
)

// filled is a table of n rows of that shape. Its positions are regular.
func filled(shape func(i, n int64) int64, n int64) *pairs {
	t := new(pairs)
	for i := range n {
		t.Append([2]int64{480 * i, shape(i, n)})
	}
	return t
}

// Whatever the keys, a look-up finds what bisecting finds, at no more than
// twice its looks and a few.
func TestLookUpIsBoundedWhateverTheKeys(t *testing.T) {
	for name, shape := range shapes() {
		for _, n := range []int64{2, 3, 100, 3000, 100_000} {
			k := filled(shape, n).Look()
			most, bound := 0, 2*bits.Len64(uint64(n))+5
			check := func(want int64) {
				got, looks := k.Find(ofKey, want)
				if got > 0 && k.at(ofKey, got-1) >= want || got < n && k.at(ofKey, got) < want {
					t.Fatalf("%s, %d rows: key %d is found at %d", name, n, want, got)
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
				t.Errorf("%s, %d rows: %d looks, the bound is %d", name, n, most, bound)
			}
			t.Logf("%s, %d rows: at most %d looks", name, n, most)
		}
	}
}

// The same for keys that are drawn, with questions beside each.
func TestLookUpFindsTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table pairs
		steps := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 1<<40), rapid.Just(int64(1<<56))), 1, 60).Draw(t, "steps")
		key := rapid.SampledFrom([]int64{math.MinInt64, -1, 0}).Draw(t, "first")
		for i, step := range steps {
			key += step
			table.Append([2]int64{int64(i), key})
		}
		k := table.Look()
		beside := k.at(ofKey, rapid.Int64Range(0, k.To-1).Draw(t, "i"))
		for _, want := range []int64{beside, max(beside, math.MinInt64+1) - 1, beside + 1, rapid.Int64().Draw(t, "anywhere")} {
			first := int64(0)
			for first < k.To && k.at(ofKey, first) < want {
				first++
			}
			if got, looks := k.Find(ofKey, want); got != first || looks > 2*bits.Len64(uint64(k.To))+5 {
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
			k := filled(shapes()[name], n).Look()
			for i := range n {
				if _, looks := k.Find(ofKey, shapes()[name](i, n)); looks > 7 {
					t.Fatalf("%s, %d rows: %d looks for row %d", name, n, looks, i)
				}
			}
		}
	}
}

// A table that is appended to for years keeps what is not forgotten, and a
// page or two.
func TestForgetGivesMemoryBack(t *testing.T) {
	var table pairs
	for i := range int64(200 * pageRows) {
		table.Append([2]int64{10 * i, i})
		if i%100 == 0 {
			table.Forget(ofPos, 10*(i-3*pageRows))
		}
		if kept := len(table.kept.Load().list); kept > 5 {
			t.Fatalf("%d pages are kept after %d rows, 3 are wanted", kept, i)
		}
		if size := cap(table.kept.Load().list); size > 16 {
			t.Fatalf("the list of pages has room for %d", size)
		}
	}
	old := weak.Make(table.kept.Load().list[0])
	table.Forget(ofPos, math.MaxInt64)
	if runtime.GC(); old.Value() != nil {
		t.Error("a forgotten page is still there")
	}
	if last := table.Look().Last(); last == nil || last[ofKey] != 200*pageRows-1 {
		t.Errorf("the last row is %v", last)
	}
}

// What Forget promises to keep is exact, also where a page begins.
func TestForgetKeepsAllThatIsNotBefore(t *testing.T) {
	const n, begins = 3 * pageRows, 2 * pageRows // the last page, from that row on
	for before := int64(10*begins - 21); before <= 10*begins+21; before++ {
		table := filled(func(i, _ int64) int64 { return 10 * i }, n)
		table.Forget(ofKey, before)
		k := table.Look()
		if k.From == 0 || k.To != n || k.at(ofKey, k.From) >= before || k.From+pageRows < n && k.at(ofKey, k.From+pageRows) < before {
			t.Fatalf("before %d is forgotten: rows [%d, %d) are kept", before, k.From, k.To)
		}
	}
	table := filled(func(i, _ int64) int64 { return 10 * i }, n)
	old := table.Look()
	table.Forget(ofKey, math.MaxInt64)
	for i := range int64(n) {
		if old.at(ofKey, i) != 10*i {
			t.Fatalf("who looked before has row %d as %v", i, *old.Row(i))
		}
	}
}

// A look at a table does not change, and says what is to come.
func TestALookStaysAsItIs(t *testing.T) {
	var table pairs
	var looks []Look[[2]int64]
	for i := range int64(2*pageRows + 2) {
		k := table.Look()
		if k.From != 0 || k.To != i || k.Over || i > 0 && k.Last()[ofKey] != 7*i-7 || i == 0 && k.Last() != nil {
			t.Fatalf("after %d rows: [%d, %d), %v", i, k.From, k.To, k.Over)
		}
		looks = append(looks, k)
		table.Append([2]int64{i, 7 * i})
	}
	for n, k := range looks {
		if k.To != int64(n) || k.Over || n > 0 && k.Last()[ofKey] != int64(7*n-7) {
			t.Fatalf("a look at %d rows sees %d", n, k.To)
		}
	}
	table.Close()
	table.Close()
	if k := table.Look(); !k.Over || k.To != int64(len(looks)) {
		t.Errorf("closed: %d rows, over %v", k.To, k.Over)
	}
	var none pairs
	if none.Close(); !none.Look().Over {
		t.Error("an empty table is closed and not over")
	}
}

func BenchmarkTable(b *testing.B) {
	for _, name := range []string{"regular", "jittered", "steps", "cubic", "doubling", "one far"} {
		for _, n := range []int64{1000, 10_000, 100_000, 1_000_000} {
			k := filled(shapes()[name], n).Look()
			asked := make([]int64, 1<<12)
			for i := range asked {
				asked[i] = k.at(ofKey, int64(uint64(i)*0x9e3779b97f4a7c15>>1)%n)
			}
			b.Run(fmt.Sprintf("%s/%d/bisect", name, n), func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if want := asked[i%len(asked)]; want > k.at(ofKey, 0) {
						k.bisect(ofKey, 0, n-1, want)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/%d/Find", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					k.Find(ofKey, asked[i%len(asked)])
				}
			})
		}
	}
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		var table pairs
		for i := int64(0); b.Loop(); i++ {
			table.Append([2]int64{i, i})
		}
	})
}
