package reader

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// A record is an item of a stream that carries its own index.
type record struct {
	key  int64
	text string
}

// newRecords is a reader of records, each a frame.
func newRecords(t *testing.T, list ...record) (*Reader, *buffer.Writer) {
	var keys mergeKeys
	ring, w := newRing(t, buffer.Config{Frames: 8})
	for _, one := range list {
		keys = append(keys, one.key)
		copy(w.Reserve(1), fmt.Appendf(nil, "%-8s", one.text))
		w.Commit(1)
	}
	return mustOpen(t, ring, Keys(keys)), w
}

// C11: streams as one, of items with their stream, in order of key. Where keys
// are the same the order of the streams decides, and never what the items hold;
// keys that are not in order are an error. It is lazy: the streams go on for as
// long as they like.
func TestSeed_C11(t *testing.T) {
	hello := []record{{2, "two"}, {3, "three"}, {5, "five"}}
	world := []record{{0, "zero"}, {1, "one"}, {3, "three"}, {6, "six"}}
	for _, c := range []struct {
		name    string
		streams [2][]record
		want    string
		err     error
	}{
		{"seed", [2][]record{hello, world}, "1:0 zero, 1:1 one, 0:2 two, 0:3 three, 1:3 three, 0:5 five, 1:6 six", nil},
		{"the other way round", [2][]record{world, hello}, "0:0 zero, 0:1 one, 1:2 two, 0:3 three, 1:3 three, 1:5 five, 0:6 six", nil},
		{"ties", [2][]record{{{1, "b"}, {1, "a"}}, {{1, "a"}, {1, "c"}, {2, "a"}}}, "0:1 b, 0:1 a, 1:1 a, 1:1 c, 1:2 a", nil},
		{"not in order", [2][]record{{{1, "a"}, {4, "b"}, {2, "c"}}, {{3, "d"}, {5, "e"}}}, "0:1 a, 1:3 d, 0:4 b, 1:5 e", ErrNotMonotone},
	} {
		synctest.Test(t, func(t *testing.T) {
			rs := make([]*Reader, 2)
			ws := make([]*buffer.Writer, 2)
			for i, list := range c.streams {
				rs[i], ws[i] = newRecords(t, list...)
			}
			var got []string
			var told error
			go func() {
				for item, err := range Merge(t.Context(), rs, MergeOptions{Hop: 1}) {
					told = errors.Join(told, err)
					for i := range int(item.View.Frames()) {
						at := item.View.Span().From + audio.Pos(i)
						key, _ := rs[item.Reader].Keys().Key(at)
						text := item.View.AppendTo(nil)[i*frameBytes : (i+1)*frameBytes]
						got = append(got, fmt.Sprintf("%d:%d %s", item.Reader, key, strings.TrimSpace(string(text))))
					}
				}
			}()
			synctest.Wait()
			if !strings.HasPrefix(c.want, strings.Join(got, ", ")) || len(got) < 2 || c.err == nil && len(got) == strings.Count(c.want, ",")+1 {
				t.Errorf("%s, while the streams go on: got %q", c.name, got)
			}
			ws[0].Close(nil)
			ws[1].Close(nil)
			synctest.Wait()
			if text := strings.Join(got, ", "); text != c.want || !errors.Is(told, c.err) {
				t.Errorf("%s:\n got %s, %v\nwant %s, %v", c.name, text, told, c.want, c.err)
			}
		})
	}
}

// C13: time cut into windows of two seconds, over several sensors of rates and
// holes of their own. Each window is complete before the next one begins.
func TestSeed_C13(t *testing.T) {
	const window = 2000 // ms
	a := newSensor(t, 0, buffer.Config{Frames: 4000}, Keys(Millis(0, 100)))
	b := newSensor(t, 1, buffer.Config{Frames: 4000}, Keys(Millis(0, 44)))
	for _, one := range []step{{150, 0}, {300, audio.Device}, {330, 0}, {20, audio.XRun}} {
		a.write(one) // 8 seconds
	}
	b.write(step{frames: 7 * 44})
	a.w.Close(nil)
	b.w.Close(nil)
	type part struct{ frames, lost int64 }
	parts := [4][2]part{} // of each window and sensor
	last := 0
	for item, err := range Merge(t.Context(), []*Reader{a.rd, b.rd}, MergeOptions{Window: window}) {
		if err != nil {
			t.Fatal(err)
		}
		n := int(item.Key / window)
		if n < last {
			t.Errorf("%d: [%d, %d) comes behind window %d", item.Reader, n*window, (n+1)*window, last)
		}
		last = n
		if item.Lost == nil {
			if end, err := []*sensor{a, b}[item.Reader].rd.Keys().Key(item.View.Span().To - 1); err != nil || int(end/window) != n {
				t.Errorf("%v of reader %d goes beyond window %d, %v", item.View.Span(), item.Reader, n, err)
			}
			parts[n][item.Reader].frames += item.View.Frames()
			continue
		}
		for i := range parts { // a hole is told once, in its first window
			from, _ := a.rd.Keys().Lower(int64(i) * window)
			to, _ := a.rd.Keys().Lower(int64(i+1) * window)
			parts[i][item.Reader].lost += max(0, item.Lost.Lost.Intersect(span(from, to)).Len())
		}
	}
	want := [4][2]part{{{150, 50}, {88, 0}}, {{0, 200}, {88, 0}}, {{150, 50}, {88, 0}}, {{180, 20}, {44, 0}}}
	if parts != want {
		t.Errorf("frames and lost frames of both in each window: got %v, want %v", parts, want)
	}
}

// steps is a merge of three sensors that never waits: before each step there are
// frames of all.
func steps(tb testing.TB, window int64) (next func() (Item, error, bool), stop func()) {
	var sensors []*sensor
	for i, rate := range []int{16000, 44100, 48000} {
		sensors = append(sensors, newSensor(tb, i, buffer.Config{Frames: 1 << 14}, Keys(Millis(0, rate))))
	}
	rs := readersOf(sensors)
	pull, stop := iter.Pull2(Merge(context.Background(), rs, MergeOptions{Window: window, Patience: 1}))
	return func() (Item, error, bool) {
		for _, s := range sensors {
			for s.w.Head() < s.rd.Pos()+2048 {
				s.w.Commit(len(s.w.Reserve(4096)) / frameBytes)
			}
		}
		return pull()
	}, stop
}

func TestMergeStepAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("left out: the race detector allocates")
	}
	next, stop := steps(t, 0)
	defer stop()
	seen := make([]int, 3)
	if n := testing.AllocsPerRun(1000, func() {
		item, err, ok := next()
		if seen[item.Reader]++; err != nil || !ok || !item.View.Borrowed() {
			t.Error(item, err, ok)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if slices.Min(seen) == 0 {
		t.Errorf("items of each: %v", seen)
	}
}

// The cost of a step: of items that the other readers cut short, as they take
// turns in each millisecond, and of items of a second.
func BenchmarkMerge(b *testing.B) {
	for _, window := range []int64{1, 1000} {
		b.Run(fmt.Sprintf("window=%dms", window), func(b *testing.B) {
			next, stop := steps(b, window)
			defer stop()
			frames := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				item, _, _ := next()
				frames += item.View.Frames()
			}
			b.ReportMetric(float64(frames)/float64(b.N), "frames/op")
		})
	}
}
