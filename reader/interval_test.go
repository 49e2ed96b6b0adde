package reader

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"pgregory.net/rapid"
)

// listed gives position p the p-th of its keys; they do not decrease.
type listed []int64

func (l listed) Key(p audio.Pos) (int64, error) {
	if p < 0 || int(p) >= len(l) {
		return 0, fmt.Errorf("key of position %d: there are %d", p, len(l))
	}
	return l[p], nil
}

func (l listed) Lower(key int64) (audio.Pos, error) {
	p, _ := slices.BinarySearch(l, key)
	return audio.Pos(p), nil
}

// matches is the definition of the intervals.
func matches(i Interval, s, e, bt, tt int64) bool {
	switch i {
	case ByStart:
		return bt <= s && s < tt
	case ByEnd:
		return bt < e && e <= tt
	case Within:
		return bt <= s && e <= tt
	case Overlap:
		return s < tt && e > bt
	}
	return s <= bt && e >= tt
}

// TestSeed_C9: an item with a start and an end, and which queries mean it. creek
// misses an item that encloses the query.
func TestSeed_C9(t *testing.T) {
	for _, c := range []struct {
		s, e                     int64
		overlap, inside, startIn bool
	}{{0, 10, false, false, false}, {5, 15, true, false, false}, {12, 18, true, true, true}, {5, 25, true, false, false}, {15, 25, true, false, true}} {
		for _, item := range []struct {
			name string
			opts []Option
		}{
			{"a start and an end", []Option{Keys(listed{c.s, 1000}), Ending(listed{c.e, 1010})}},
			{"a start and a length", []Option{Keys(listed{c.s, 1000}), Lasting(c.e-c.s, StampedAtStart)}},
			{"an end and a length", []Option{Keys(listed{c.e, 1000}), Lasting(c.e-c.s, StampedAtEnd)}},
			{"until the next", []Option{Keys(listed{c.s, c.e, c.e, 1000})}},
		} {
			for interval, want := range map[Interval]bool{Overlap: c.overlap, Within: c.inside, ByStart: c.startIn} {
				ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
				insert(w, 1)
				rd := mustOpen(t, ring, append(item.opts, Matching(interval))...)
				got, err := rd.Positions(10, 20)
				if err != nil || got.Contains(0) != want || want != matches(interval, c.s, c.e, 10, 20) {
					t.Errorf("[%d, %d) as %s, interval %d: %v, %v; want it in: %v", c.s, c.e, item.name, interval, got, err, want)
				}
			}
		}
	}
}

// The demonstration's coverage() found nothing where only the first block
// matched, and one block too many where the query began with a block.
func TestOverlapAtTheFirstItemAndOnAStart(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
	insert(w, 10)
	rd := mustOpen(t, ring, tens(), Matching(Overlap))
	for _, c := range []struct {
		bt, tt int64
		want   audio.Span
	}{{3, 7, span(0, 1)}, {0, 10, span(0, 1)}, {20, 40, span(2, 4)}, {20, 20, span(2, 2)}, {25, 25, span(2, 3)}, {-20, -10, span(0, 0)}} {
		if got, err := rd.Positions(c.bt, c.tt); err != nil || got != c.want {
			t.Errorf("[%d, %d): %v, %v; want %v", c.bt, c.tt, got, err, c.want)
		}
	}
}

// For every kind of item, interval and query, the positions are those of the
// items that the definition means.
func TestPositionsAreThoseOfTheDefinition(t *testing.T) {
	ring, _ := newRing(t, buffer.Config{Frames: 20})
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Int64Range(-12, 30)
		starts := listed(rapid.SliceOfN(key, 1, 12).Draw(t, "starts"))
		slices.Sort(starts)
		ends := make(listed, len(starts))
		for i := range ends {
			ends[i] = starts[i] + rapid.Int64Range(0, 9).Draw(t, "length")
			ends[i] = max(ends[i], ends[max(0, i-1)])
		}
		d := rapid.Int64Range(1, 9).Draw(t, "d")
		kind := rapid.IntRange(0, 4).Draw(t, "kind")
		item := func(p int) (s, e int64) {
			switch k := starts[p]; kind {
			case 1:
				return k, k + 1
			case 2:
				return k, k + d
			case 3:
				return k - d, k
			case 4:
				return k, ends[p]
			}
			return starts[p], append(starts, 1000)[p+1]
		}
		opts := []Option{Keys(starts)}
		switch kind {
		case 0:
			opts[0] = Keys(append(starts, 1000))
		case 1:
			opts = append(opts, Instants)
		case 2:
			opts = append(opts, Lasting(d, StampedAtStart))
		case 3:
			opts = append(opts, Lasting(d, StampedAtEnd))
		case 4:
			opts = append(opts, Ending(ends))
		}
		interval := Interval(rapid.IntRange(0, int(Covering)).Draw(t, "interval"))
		rd, err := Open(ring, append(opts, Matching(interval))...)
		if err != nil {
			t.Fatal(err)
		}
		defer rd.Close()
		bt := key.Draw(t, "bt")
		tt := bt + rapid.Int64Range(0, 20).Draw(t, "span")
		got, err := rd.Positions(bt, tt)
		if err != nil {
			t.Fatal(err)
		}
		for p := range starts {
			s, e := item(p)
			if want := matches(interval, s, e, bt, tt); want != got.Contains(audio.Pos(p)) {
				t.Fatalf("item %d [%d, %d), interval %d of [%d, %d): in is %v; %v", p, s, e, interval, bt, tt, want, got)
			}
		}
	})
}

func TestBadItemsAndQueriesAreRefused(t *testing.T) {
	ring, _ := newRing(t, buffer.Config{Frames: 20})
	for _, bad := range []Option{Lasting(0, StampedAtStart), Lasting(-1, StampedAtStart), Lasting(1, 2), Ending(nil), Matching(Covering + 1)} {
		if _, err := Open(ring, bad); err == nil {
			t.Error("a bad option was accepted")
		}
	}
	rd := mustOpen(t, ring, Lasting(5, StampedAtStart))
	for _, q := range [][2]int64{{1<<63 - 2, 1<<63 - 1}, {3, 2}} {
		if _, err := rd.Positions(q[0], q[1]); err == nil {
			t.Errorf("the query %v was accepted", q)
		}
	}
}
