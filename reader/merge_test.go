package reader

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"pgregory.net/rapid"
)

func drawStep(t *rapid.T) step {
	return step{rapid.Int64Range(1, 9).Draw(t, "frames"), rapid.SampledFrom([]audio.Cause{0, 0, 0, audio.XRun, audio.Device}).Draw(t, "cause")}
}

func drawSensors(t *rapid.T, tb testing.TB) (sensors []*sensor) {
	for i := range rapid.IntRange(1, 4).Draw(t, "sensors") {
		keys := Affine{
			Mark: audio.Pos(rapid.Int64Range(0, 5).Draw(t, "mark")), First: rapid.Int64Range(-20, 20).Draw(t, "first"),
			Num: rapid.Int64Range(1, 3).Draw(t, "num"), Den: rapid.Int64Range(1, 5).Draw(t, "den"),
		}
		sensors = append(sensors, newSensor(tb, i, buffer.Config{
			Frames: 1000, BlockFrames: 1 << rapid.IntRange(0, 3).Draw(t, "block"), MaxPins: rapid.IntRange(1, 3).Draw(t, "pins"), MaxReaders: 1,
		}, Keys(keys)))
	}
	return sensors
}

func drawOptions(t *rapid.T) MergeOptions {
	return MergeOptions{Hop: rapid.Int64Range(0, 7).Draw(t, "hop"), Window: rapid.Int64Range(0, 6).Draw(t, "window")}
}

func TestMergeIsAStableSort(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sensors := drawSensors(rt, t)
		for _, s := range sensors {
			for range rapid.IntRange(0, 8).Draw(rt, "steps") {
				s.write(drawStep(rt))
			}
			s.w.Close(nil)
		}
		x := newMerged(drawOptions(rt), sensors...)
		x.all(t.Context())
		got, want := frames(x.pieces), sorted(sensors, x.options.Window)
		if x.wrong != nil || len(x.told) > 0 || !slices.Equal(got, want) {
			rt.Fatalf("%v, told %v\n got %v\nwant %v", x.wrong, x.told, got, want)
		}
	})
}

// An item ends where another reader comes, or with the Hop, the head, the hole,
// and not before.
func TestMergeItemsAreAsLongAsTheyMayBe(t *testing.T) {
	config := buffer.Config{Frames: 1000, BlockFrames: 64}
	x := newMerged(MergeOptions{Hop: 40}, newSensor(t, 0, config), newSensor(t, 1, config, Keys(Affine{Num: 31, Den: 1})))
	x.sensors[0].write(step{frames: 85})
	x.sensors[0].write(step{50, audio.XRun})
	x.sensors[0].write(step{frames: 65})
	x.sensors[1].write(step{frames: 4})
	for _, s := range x.sensors {
		s.w.Close(nil)
	}
	x.all(t.Context())
	want := []piece{
		{index: 0, Span: span(0, 1)}, {index: 1, Span: span(0, 1)}, // keys 0
		{index: 0, Span: span(1, 32)}, {index: 1, Span: span(1, 2)}, // up to 31
		{index: 0, Span: span(32, 63)}, {index: 1, Span: span(2, 3)}, // up to 62
		{index: 0, Span: span(63, 85)}, {index: 0, Span: span(85, 135), cause: audio.XRun}, {index: 1, Span: span(3, 4)}, // the hole begins below 93
		{index: 0, Span: span(135, 175)}, {index: 0, Span: span(175, 200)},
	}
	if x.wrong != nil || !slices.Equal(x.pieces, want) {
		t.Errorf("%v\n got %v\nwant %v", x.wrong, x.pieces, want)
	}
}

// act is something that happens to a sensor: a step, or of no frames the end,
// and then nothing for a while.
type act struct {
	sensor int
	step
	pause time.Duration
}

// While it is written, all is given that nothing can come before any more, and
// not a frame besides.
func TestMergeGivesAtOnceWhatIsInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o, sensors := drawOptions(rt), drawSensors(rt, t)
		var acts []act
		for range rapid.IntRange(0, 25).Draw(rt, "acts") {
			acts = append(acts, act{sensor: rapid.IntRange(0, len(sensors)-1).Draw(rt, "sensor"), step: drawStep(rt)})
		}
		order := make([]int, len(sensors))
		for i := range order {
			order[i] = i
		}
		for _, i := range rapid.Permutation(order).Draw(rt, "ends") {
			acts = append(acts, act{sensor: i})
		}
		var err error
		synctest.Test(t, func(t *testing.T) { err = mergeLive(t, o, sensors, acts) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// again makes such sensors once more, for a bubble.
func again(t *testing.T, like []*sensor) (sensors []*sensor) {
	for i, s := range like {
		sensors = append(sensors, newSensor(t, i, buffer.Config{Frames: 1000, BlockFrames: 4, MaxReaders: 1}, Keys(s.rd.Keys())))
	}
	return sensors
}

// mergeLive merges sensors while the acts happen.
func mergeLive(t *testing.T, o MergeOptions, like []*sensor, acts []act) error {
	sensors := again(t, like)
	x, over := newMerged(o, sensors...), false
	go func() {
		x.all(t.Context())
		over = true
	}()
	want := make([]audio.Pos, len(sensors))
	var err error
	for n, a := range acts {
		if a.frames == 0 {
			sensors[a.sensor].w.Close(nil)
		} else {
			sensors[a.sensor].write(a.step)
		}
		synctest.Wait()
		now := x.now()
		if now.mayGive(want); err == nil && !slices.Equal(now.at, want) {
			err = fmt.Errorf("after %v: given up to %v, want %v", acts[:n+1], now.at, want)
		}
	}
	lost := func(p piece) bool { return p.cause != 0 } // a hole that grows is told in pieces
	sound, sort := slices.DeleteFunc(frames(x.pieces), lost), slices.DeleteFunc(sorted(sensors, o.Window), lost)
	switch {
	case err != nil:
		return err
	case x.wrong != nil || len(x.told) > 0 || !over:
		return fmt.Errorf("%v, told %v, over: %v", x.wrong, x.told, over)
	case !slices.Equal(sound, sort):
		return fmt.Errorf("\n got %v\nwant %v", sound, sort)
	}
	return nil
}
