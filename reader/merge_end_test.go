package reader

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

func TestMergeOfNobodyEnds(t *testing.T) {
	for item, err := range Merge(t.Context(), nil, MergeOptions{}) {
		t.Errorf("got %+v, %v", item, err)
	}
}

func TestMergeRefusesWhatIsNone(t *testing.T) {
	s := newSensor(t, 0, buffer.Config{Frames: 10})
	s.write(step{frames: 3})
	s.w.Close(nil)
	for _, c := range []struct {
		rs []*Reader
		o  MergeOptions
	}{
		{[]*Reader{s.rd, s.rd}, MergeOptions{}},
		{[]*Reader{s.rd}, MergeOptions{Hop: -1}},
		{[]*Reader{s.rd}, MergeOptions{Window: -1}},
		{[]*Reader{s.rd}, MergeOptions{Patience: -1}},
	} {
		var told []error
		for item, err := range Merge(t.Context(), c.rs, c.o) {
			if told = append(told, err); item.View.Frames() > 0 {
				t.Errorf("%+v: got %+v", c, item)
			}
		}
		if len(told) != 1 || told[0] == nil || s.rd.Pos() != 0 {
			t.Errorf("%+v: told %v, the cursor is at %d", c, told, s.rd.Pos())
		}
	}
}

// A stream without an end is merged as long as the loop goes on. Then the
// cursors stand behind what was given, nothing is held, and another merge goes
// on from there.
func TestMergeEndsWithTheLoop(t *testing.T) {
	config := buffer.Config{Frames: 64, BlockFrames: 4, MaxReaders: 1}
	x := newMerged(MergeOptions{Hop: 5, Window: 10}, newSensor(t, 0, config), newSensor(t, 1, config))
	refill := func() { // it is written as fast as it is read
		for _, s := range x.sensors {
			s.write(step{frames: max(0, 20-int64(s.w.Head()-s.rd.Pos()))})
		}
	}
	for range 100 {
		n := len(x.pieces)
		refill()
		for item, err := range Merge(t.Context(), readersOf(x.sensors), x.options) {
			if err != nil {
				t.Fatal(err)
			}
			if x.add(item); len(x.pieces) == n+7 {
				break
			}
			refill()
		}
		if x.released(); x.wrong != nil {
			t.Fatal(x.wrong)
		}
	}
}

// One broken stream does not stop the others, and is told of once.
func TestMergeGoesOnWithoutABrokenReader(t *testing.T) {
	broken := errors.New("unplugged")
	config := buffer.Config{Frames: 64, BlockFrames: 4}
	x := newMerged(MergeOptions{Hop: 3},
		newSensor(t, 0, config),
		newSensor(t, 1, config),
		newSensor(t, 2, config, Fail),
		newSensor(t, 3, config, Keys(mergeKeys{0, 1, 2, 3, 3, 4, 8})),
		newSensor(t, 4, config),
		newSensor(t, 5, config),
	)
	for i, end := range []error{nil, broken, nil, nil, nil, nil} {
		frames := int64(30)
		if i == 2 {
			frames = 1000
		}
		x.sensors[i].write(step{frames: frames})
		x.sensors[i].w.Close(end)
	}
	x.sensors[4].rd.Close()
	x.all(t.Context())
	want := map[int]error{1: broken, 2: ErrOutside, 3: errNoKey, 4: ErrClosed}
	for i := range x.sensors {
		if !errors.Is(x.told[i], want[i]) {
			t.Errorf("of reader %d told %v, want %v", i, x.told[i], want[i])
		}
	}
	if x.wrong != nil || !slices.Equal(x.at, []audio.Pos{30, 30, 0, 7, 0, 30}) {
		t.Errorf("%v; given up to %v", x.wrong, x.at)
	}
}

// mergeKeys gives position i the i-th key, and those behind it none.
type mergeKeys []int64

var errNoKey = errors.New("no such key")

func (k mergeKeys) Key(p audio.Pos) (int64, error) {
	if int(p) >= len(k) {
		return 0, errNoKey
	}
	return k[p], nil
}

func (k mergeKeys) Lower(key int64) (audio.Pos, error) { panic("a merge asks for keys only") }

func TestMergeTellsOfKeysThatGoBack(t *testing.T) {
	for _, hop := range []int64{1, 2, 100} {
		config := buffer.Config{Frames: 64, BlockFrames: 4}
		x := newMerged(MergeOptions{Hop: hop}, newSensor(t, 0, config, Keys(mergeKeys{1, 4, 4, 6, 5, 7})), newSensor(t, 1, config, Keys(mergeKeys{0, 5, 5, 6, 7, 9})))
		for _, s := range x.sensors {
			s.write(step{frames: 6})
			s.w.Close(nil)
		}
		x.all(t.Context())
		const text = "reader 0: key 5 of position 4 comes behind key 6: keys do not go back"
		if err := x.told[0]; len(x.told) != 1 || !errors.Is(err, ErrNotMonotone) || err.Error() != text {
			t.Errorf("hop %d: told %v, want %s", hop, x.told, text)
		}
		if x.wrong != nil || !slices.Equal(x.at, []audio.Pos{4, 6}) {
			t.Errorf("hop %d: %v; given up to %v", hop, x.wrong, x.at)
		}
	}
}

// A stream that is overrun between two steps gives its losses in their places,
// and exactly under the policy that loses the least.
func TestMergeTellsOfOverruns(t *testing.T) {
	for name, policy := range map[string]Option{"oldest": Oldest, "latest": Latest, "margin": Margin(0.5)} {
		config := buffer.Config{Frames: 32, BlockFrames: 4}
		x := newMerged(MergeOptions{Hop: 3, Window: 5}, newSensor(t, 0, config, policy), newSensor(t, 1, config))
		slow, other := x.sensors[0], x.sensors[1]
		m := model{window: 9, block: 4, log: 1023} // of the slow one
		overruns := 0
		slow.write(step{frames: 1})
		m.commit(1)
		other.write(step{frames: 1})
		for item, err := range Merge(t.Context(), readersOf(x.sensors), x.options) {
			if err != nil {
				t.Fatal(err)
			}
			if x.add(item); item.Lost != nil {
				got := audio.Hole{Span: item.Lost.Lost, Cause: item.Lost.Cause}
				if want := m.lost(got.From, 0); name == "oldest" && got != want {
					t.Errorf("%s: got %v, want %v", name, got, want)
				}
				if got.Cause == audio.Overrun {
					overruns++
				}
			}
			if len(x.pieces) >= 300 {
				slow.w.Close(nil)
				other.w.Close(nil)
				continue
			}
			other.write(step{frames: int64(20 + x.at[1] - other.w.Head())})
			if x.at[0] == slow.w.Head() {
				slow.write(step{frames: 5})
				m.commit(5)
			}
			if len(x.pieces)%9 == 0 {
				slow.write(step{3, audio.XRun})
				m.skip(3, audio.XRun)
				slow.write(step{frames: 50})
				m.commit(50)
			}
		}
		if x.wrong != nil || overruns < 10 || x.at[0] != slow.w.Head() || x.at[1] != other.w.Head() {
			t.Errorf("%s: %v; %d overruns, given up to %v of %d and %d", name, x.wrong, overruns, x.at, slow.w.Head(), other.w.Head())
		}
	}
}

// Streams that are written while they are merged, in rings that are lapped, come
// in order, and what is given and lost tiles each.
func TestMergeOfRacingWriters(t *testing.T) {
	total := int64(60_000)
	if raceEnabled {
		total = 8_000
	}
	var sensors []*sensor
	var all sync.WaitGroup
	for i, rate := range []int64{16, 44, 48} {
		s := newSensor(t, i, buffer.Config{Frames: 512, BlockFrames: 16, Holes: 1 << 14}, Keys(Affine{Num: 100, Den: rate}))
		sensors = append(sensors, s)
		all.Go(func() {
			for n, one := range plan(uint64(i), total*rate/48).steps {
				if s.write(one); n%3 == 0 {
					runtime.Gosched()
				}
			}
			s.w.Close(nil)
		})
	}
	x := newMerged(MergeOptions{Hop: 100, Window: 50}, sensors...)
	x.all(t.Context())
	all.Wait()
	given := int64(0)
	for _, one := range x.pieces {
		if one.cause == 0 {
			given += one.Len()
		}
	}
	for i, s := range sensors {
		if x.at[i] != audio.Pos(len(s.cause)) {
			t.Errorf("reader %d has given up to %d of %d", i, x.at[i], len(s.cause))
		}
	}
	if t.Logf("%d frames given in %d items", given, len(x.pieces)); x.wrong != nil || len(x.told) > 0 || given == 0 {
		t.Errorf("%v; told %v", x.wrong, x.told)
	}
}

// Keys that come with their frames, or with later ones: the merge waits until it
// can tell where a frame belongs, and no longer. Keys that will never come it
// does not wait for.
func TestMergeWaitsForKeys(t *testing.T) {
	type stage struct {
		frames int64 // written
		keys   []int64
		want   []audio.Pos // given up to
	}
	first := []stage{
		{0, nil, []audio.Pos{0, 0}},
		{1, []int64{3}, []audio.Pos{4, 1}},
		{2, []int64{3, 9}, []audio.Pos{10, 3}},
	}
	for _, c := range []struct {
		unknown error
		stages  []stage
		told    int // the stage that has the error
	}{
		{ErrNotYet, append(first[:3:3], stage{4, []int64{9, 9}, []audio.Pos{10, 5}}, stage{1, []int64{9, 9, 12}, []audio.Pos{13, 8}}), 5},
		{ErrNotYet, append(first[:3:3], stage{4, []int64{9, 9}, []audio.Pos{10, 5}}, stage{1, nil, []audio.Pos{10, 5}}), 5},
		{errNoKey, append(first[:3:3], stage{4, []int64{9, 9}, []audio.Pos{20, 5}}), 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			config := buffer.Config{Frames: 64, BlockFrames: 4}
			keys := &growing{unknown: c.unknown}
			x := newMerged(MergeOptions{Hop: 10}, newSensor(t, 0, config), newSensor(t, 1, config, Keys(keys)))
			go x.all(t.Context())
			x.sensors[0].write(step{frames: 20})
			for n, one := range c.stages {
				keys.grow(one.keys...)
				x.sensors[1].write(step{frames: one.frames})
				synctest.Wait()
				if now := x.now(); !slices.Equal(now.at, one.want) || (n >= c.told) != errors.Is(now.told[1], errNoKey) {
					t.Errorf("stage %d: given up to %v, want %v; told %v", n, now.at, one.want, now.told)
				}
			}
			x.sensors[0].w.Close(nil)
			x.sensors[1].w.Close(nil)
			synctest.Wait()
			lacking := int(x.sensors[1].w.Head()) > len(keys.list)
			if x.wrong != nil || x.at[0] != 20 || int(x.at[1]) != len(keys.list) || lacking != errors.Is(x.told[1], c.unknown) {
				t.Errorf("%v; told %v; given up to %v of keys %v", x.wrong, x.told, x.at, keys.list)
			}
		})
	}
}

// growing is mergeKeys that grow.
type growing struct {
	unknown error
	mu      sync.Mutex
	list    mergeKeys
}

func (g *growing) grow(keys ...int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, keys...)
}

func (g *growing) Key(p audio.Pos) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key, err := g.list.Key(p)
	if err != nil {
		err = fmt.Errorf("key of %d: %w", p, g.unknown)
	}
	return key, err
}

func (g *growing) Lower(key int64) (audio.Pos, error) { return g.list.Lower(key) }
