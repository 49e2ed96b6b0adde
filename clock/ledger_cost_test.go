package clock

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// wandering is a ledger of n anchors a second apart of a device whose rate
// wanders, each read with some microseconds of error.
func wandering(t tb, n int64) *Ledger {
	t.Helper()
	l := newLedger(t, LedgerConfig{Rate: testRate})
	m := int64(0)
	for i := range n {
		must(t, l.Append(Anchor{audio.Pos(testRate * i), m + mixed(i)%10_000, 20_000}))
		m += 1e9 - 37_000 + mixed(i/600)%2000
	}
	return l
}

// mixed is a number of 20 bits that i gives.
func mixed(i int64) int64 { return int64(uint64(i) * 0x9e3779b97f4a7c15 >> 44) }

// questions are positions and times of a ledger, all over it.
func questions(t tb, l *Ledger, n int) (positions []audio.Pos, times []int64) {
	t.Helper()
	last := l.rows.Look().Last()
	for i := range int64(n) {
		p := audio.Pos(scaleDown(uint64(mixed(i)<<20|mixed(i+1<<30)), uint64(last[rowPos]), 1<<40))
		m, err := l.Keys().Key(p)
		must(t, err)
		positions, times = append(positions, p), append(times, m)
	}
	return positions, times
}

const rounds = 100

// perLookUp is how many ns a pair of look-ups takes, one each way, at the
// calmest of some rounds.
func perLookUp(l *Ledger, positions []audio.Pos, times []int64) float64 {
	least, keys := time.Duration(1<<62), l.Keys()
	for range rounds {
		begun := time.Now()
		for i, p := range positions {
			m, err := keys.Key(p)
			low, err2 := keys.Lower(times[i])
			if m != times[i] || low > p || err != nil || err2 != nil {
				panic(fmt.Sprint(p, m, low, err, err2))
			}
		}
		least = min(least, time.Since(begun))
	}
	return float64(least.Nanoseconds()) / float64(len(positions))
}

// perFind is how many ns it takes to find a row by its time, and to find it by
// bisecting all.
func perFind(l *Ledger, times []int64) (find, bisect float64) {
	k := l.rows.Look()
	least := [2]time.Duration{1 << 62, 1 << 62}
	for range rounds {
		begun := time.Now()
		for _, m := range times {
			k.Find(rowM, m)
		}
		half := time.Now()
		for _, m := range times {
			k.bisect(rowM, k.From-1, k.To-1, m)
		}
		least = [2]time.Duration{min(least[0], half.Sub(begun)), min(least[1], time.Since(half))}
	}
	n := float64(len(times))
	return float64(least[0].Nanoseconds()) / n, float64(least[1].Nanoseconds()) / n
}

// A look-up costs the same, within twice, in 17 minutes of anchors and in
// eleven days, and a fifth of what bisecting costs there. Both are asked as many
// questions, all over the ledger, again and again. So many questions that
// the processor's cache does not hold their rows cost more: that is told, not
// bounded.
func TestLookUpCostsTheSameHoweverManyAnchors(t *testing.T) {
	if raceEnabled {
		t.Skip("left out: the race detector costs more than what is measured")
	}
	const few, many = 1000, 1_000_000
	short, long := wandering(t, few), wandering(t, many)
	shortPos, shortTimes := questions(t, short, 512)
	longPos, longTimes := questions(t, long, 512)
	for _, n := range []int{4096, 20_000} {
		positions, times := questions(t, long, n)
		t.Logf("%d questions among %d anchors: %.1f ns for a look-up each way", n, many, perLookUp(long, positions, times))
	}
	_, times := questions(t, long, 4096)
	for try := 1; ; try++ {
		a, b := perLookUp(short, shortPos, shortTimes), perLookUp(long, longPos, longTimes)
		find, bisect := perFind(long, times)
		t.Logf("a look-up each way: %.1f ns among %d anchors, %.1f ns among %d: %.2f times; to find a row there %.1f ns, by bisecting alone %.1f ns",
			a, few, b, many, b/a, find, bisect)
		if b <= 2*a && bisect >= 5*find {
			return
		}
		if try == 3 {
			t.Fatalf("among %d anchors a look-up costs %.2f times that among %d, and bisecting alone %.1f times", many, b/a, few, bisect/find)
		}
	}
}

// However many anchors there are, few of them are looked at.
func TestLookUpLooksAtFewAnchors(t *testing.T) {
	for _, n := range []int64{1000, 10_000, 100_000, 1_000_000} {
		l := wandering(t, n)
		k := l.rows.Look()
		positions, times := questions(t, l, 10_000)
		looks := 0
		for i, p := range positions {
			_, byPos := k.Find(rowPos, int64(p))
			_, byTime := k.Find(rowM, times[i])
			looks += byPos + byTime
		}
		if each := float64(looks) / float64(2*len(positions)); each > 9 {
			t.Errorf("%d anchors: %.1f are looked at", n, each)
		}
	}
}

// Nobody who asks makes garbage.
func TestQuestionsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("left out: the race detector allocates")
	}
	l := wandering(t, 5000)
	must(t, l.AppendSegment(Segment{5002 * testRate, 5010e9, 9, audio.XRun, 2 * testRate, 5}))
	must(t, l.Append(Anchor{5003 * testRate, 5011e9, 9}))
	must(t, l.Labels().Append(Label{UTC: 17e17, Sync: SyncYes, Why: WhyOpen}))
	must(t, l.AppendMark(Mark{Session: 5}))
	a, _ := l.Labels().At(0)
	mark, _ := l.MarkAt(0)
	utc, ms, ns := l.UTC(a), l.Millis(mark), l.Keys()
	p := audio.Pos(0)
	for what, ask := range map[string]func() error{
		"ns":  func() error { key, err := ns.Key(p); return first(err, second(ns.Lower(key))) },
		"utc": func() error { key, err := utc.Key(p); return first(err, second(utc.Lower(key))) },
		"ms":  func() error { key, err := ms.Key(p); return first(err, second(ms.Lower(key))) },
		"At":  func() error { _, err := utc.At(p); return err },
		"Live": func() error {
			m, _, err := l.Live().Key(p + 3*testRate)
			_, _, err2 := l.Live().Lower(m)
			return first(err, err2)
		},
		"label": func() error { l.Labels().At(int64(p)); l.Labels().Best(0, int64(p)); l.MarkAt(p); return nil },
	} {
		p = 0
		if n := testing.AllocsPerRun(1000, func() {
			if err := ask(); err != nil {
				t.Error(err)
			}
			p += 5*testRate - 1
		}); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// Ten million anchors, a day of them kept, with a label a minute, a hole an
// hour and a session a day: the memory does not grow.
func TestLedgerThatForgetsStaysAsItIs(t *testing.T) {
	total := int64(10_000_000)
	if testing.Short() || raceEnabled {
		total /= 20
	}
	const window = 86_400
	l := newLedger(t, LedgerConfig{Rate: testRate})
	var heap []uint64
	pos, m := int64(0), int64(0)
	for i := range total {
		pos, m = pos+testRate, m+1e9
		if i%60 == 0 {
			must(t, l.Labels().Append(Label{M: m, Raw: m, UTC: 17e17 + m, Sync: SyncYes, Why: WhyBeat}))
		}
		if i%window == 0 {
			must(t, l.AppendMark(Mark{audio.Pos(pos), m, audio.Session(i + 1)}))
		}
		if i%3600 == 3599 {
			must(t, l.AppendSegment(Segment{audio.Pos(pos), m, 5, audio.XRun, testRate, 5}))
			forget(l, audio.Pos(max(0, pos-window*testRate)))
		} else {
			must(t, l.Append(Anchor{audio.Pos(pos), m, 5}))
		}
		if i%(total/10) == total/10-1 {
			heap = append(heap, heapNow())
		}
	}
	for what, c := range map[string]struct{ kept, want int64 }{
		"rows": {kept(&l.rows), window + 3600 + 2*pageRows}, "segments": {kept(&l.segments), window/3600 + 2*pageRows},
		"labels": {kept(&l.labels.rows), window/60 + 2*pageRows}, "marks": {kept(&l.marks), 2 * pageRows},
	} {
		if c.kept > c.want {
			t.Errorf("%d %s are kept, at most %d are wanted", c.kept, what, c.want)
		}
	}
	t.Logf("heap in bytes at each tenth of %d anchors: %d", total, heap)
	if least, most := slices.Min(heap[2:]), slices.Max(heap[2:]); most > least+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", least, most)
	}
	runtime.KeepAlive(l)
	for p := pos - window*testRate; p < pos; p += 1e9 {
		if _, err := l.Keys().Key(audio.Pos(p)); err != nil {
			t.Fatal(err)
		}
		if mark, ok := l.MarkAt(audio.Pos(p)); !ok || p-int64(mark.From) >= window*testRate {
			t.Fatalf("the mark at %d is %v, %v", p, mark, ok)
		}
		if a, ok := l.Labels().At(p / testRate * 1e9); !ok || p/testRate*1e9-a.M > 60e9 {
			t.Fatalf("the label at %d is %v, %v", p, a, ok)
		}
	}
}

func kept[R Row](t *Table[R]) int64 { k := t.Look(); return k.To - k.From }

func heapNow() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func BenchmarkLedger(b *testing.B) {
	for _, n := range []int64{1000, 10_000, 100_000, 1_000_000} {
		l := wandering(b, n)
		must(b, l.Labels().Append(Label{UTC: 17e17, Sync: SyncYes, Why: WhyOpen}))
		a, _ := l.Labels().At(0)
		utc := l.UTC(a)
		positions, times := questions(b, l, 1<<16)
		for what, ask := range map[string]func(i int){
			"Key":   func(i int) { utc.Key(positions[i]) },
			"Lower": func(i int) { utc.Lower(times[i] + 17e17) },
			"At":    func(i int) { utc.At(positions[i]) },
		} {
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					ask(i & (1<<16 - 1))
				}
			})
		}
	}
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		l := newLedger(b, LedgerConfig{Rate: testRate})
		for i := int64(0); b.Loop(); i++ {
			if l.Append(Anchor{audio.Pos(i), i, 5}) != nil {
				b.Fatal(i)
			}
		}
	})
}
