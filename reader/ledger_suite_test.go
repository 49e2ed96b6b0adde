package reader_test

import (
	"math"
	"sort"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/reader/readertest"
)

type entry struct {
	p   audio.Pos
	key int64
}

// entries are the first n of a shape.
func entries(n int, shape func(i int64) entry) []entry {
	all := make([]entry, n)
	for i := range all {
		all[i] = shape(int64(i))
	}
	return all
}

func mix(i int64) int64 { return int64(uint64(i) * 0x9e3779b97f4a7c15 >> 40) }

func regular(i int64) entry  { return entry{audio.Pos(100 + 48*i), 1000 + 10*i} }
func jittered(i int64) entry { return entry{audio.Pos(48*i + mix(i)%40), 10*i + mix(i+1)%9} }
func repeated(i int64) entry { return entry{audio.Pos(3 * i), i / 5} }
func constant(i int64) entry { return entry{audio.Pos(3 * i), -7} }
func dense(i int64) entry    { return entry{audio.Pos(i), 3 * i} }
func doubling(i int64) entry { return entry{audio.Pos(i), 1 << i} }
func farApart(i int64) entry { return entry{audio.Pos(i << 56), math.MinInt64 + i<<58} }
func toTheEnd(i int64) entry {
	return entry{math.MaxInt64 - audio.Pos(1000-i), math.MaxInt64 - 1000 + i}
}

// growing is a ledger that knows some of the entries, and learns the others:
// the next one, some, the rest, and that there are no more.
func growing(all []entry, known int) readertest.Keys {
	l := new(reader.Ledger)
	told := 0
	tell := func(upTo int) {
		for ; told < upTo; told++ {
			if err := l.Append(all[told].p, all[told].key); err != nil {
				panic(err)
			}
		}
	}
	tell(known)
	steps := []int{known + 1, (known + len(all)) / 2, len(all)}
	closed := false
	return readertest.Keys{
		KeyTrans: l,
		Span:     audio.Span{From: all[0].p, To: all[known-1].p + 1},
		Want:     func(p audio.Pos) int64 { return keyOf(all, p) },
		Grow: func() bool {
			switch {
			case len(steps) > 0:
				tell(steps[0])
				steps = steps[1:]
			case !closed:
				closed = l.Close() == nil
			default:
				return false
			}
			return true
		},
	}
}

// keyOf is the key of the last entry at or before p.
func keyOf(all []entry, p audio.Pos) int64 {
	return all[sort.Search(len(all), func(i int) bool { return all[i].p > p })-1].key
}

func TestLedgerPassesTheSuite(t *testing.T) {
	for name, c := range map[string]struct {
		all   []entry
		known int
	}{
		"regular":            {entries(300, regular), 100},
		"jittered":           {entries(300, jittered), 100},
		"repeated keys":      {entries(300, repeated), 102},
		"one key":            {entries(300, constant), 100},
		"every position":     {entries(300, dense), 100},
		"doubling keys":      {entries(63, doubling), 40},
		"far apart":          {entries(63, farApart), 30},
		"to the last number": {entries(1001, toTheEnd), 900},
		"one entry":          {entries(2, regular), 1},
		"several pages":      {entries(5000, jittered), 2048},
	} {
		t.Run(name, func(t *testing.T) {
			readertest.TestKeyTrans(t, func() readertest.Keys { return growing(c.all, c.known) })
		})
	}
}

// What a ledger has forgotten is not asked of it any more, but the rest obeys.
func TestLedgerThatForgetsPassesTheSuite(t *testing.T) {
	all := entries(6000, jittered)
	readertest.TestKeyTrans(t, func() readertest.Keys {
		k := growing(all, 4000)
		l, grow := k.KeyTrans.(*reader.Ledger), k.Grow
		k.Span.From = all[3600].p
		l.Forget(all[1500].p)
		k.Grow = func() bool {
			l.Forget(k.Span.From)
			return grow()
		}
		return k
	})
}

// both is the composition of two that are known.
func both(outer, inner readertest.Keys) readertest.Keys {
	return readertest.Keys{
		KeyTrans: reader.Compose(outer.KeyTrans, inner.KeyTrans),
		Span:     inner.Span,
		Want:     func(p audio.Pos) int64 { return outer.Want(audio.Pos(inner.Want(p))) },
		Grow: func() bool {
			grew := inner.Grow != nil && inner.Grow()
			return outer.Grow != nil && outer.Grow() || grew
		},
	}
}
