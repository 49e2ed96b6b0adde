package buffer

import (
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// S4: the past is bounded in time: a ring of 20 s gives back 20 s, whatever the
// format, and never more than two blocks beyond; its memory does not grow.
func TestSeed_S4(t *testing.T) {
	for _, f := range []audio.Format{{Rate: 8000, Channels: 1, Encoding: audio.S16}, {Rate: 48000, Channels: 2, Encoding: audio.S24}, {Rate: 44100, Channels: 3, Encoding: audio.F32}} {
		window := f.Frames(20 * time.Second)
		r, err := New(Config{FrameBytes: f.FrameBytes(), Frames: window})
		if err != nil {
			t.Fatal(err)
		}
		w, err := r.Writer()
		if err != nil {
			t.Fatal(err)
		}
		for inserted := int64(0); inserted < 3*window; { // a minute
			n := min(int64(f.Rate/10), int64(len(w.Reserve(f.Rate/10))/f.FrameBytes()))
			w.Commit(int(n))
			inserted += n
			held, block := r.Bounds().Len(), r.blockMask+1
			if held != inserted && held < window || held > window+2*block {
				t.Fatalf("%v: after %v it holds %v", f, f.Duration(inserted), f.Duration(held))
			}
		}
	}
}

// S6: a position counts what was inserted, lost frames included, so it cannot go
// back and none is given twice: there is nothing that a source could say wrong.
func TestSeed_S6(t *testing.T) {
	r, w, _ := make1(t, Config{Frames: 8, BlockFrames: 2})
	last := r.Head()
	for i := range 100 {
		step := int64(1)
		if i%7 == 3 {
			step = int64(i)
			w.Skip(step, audio.Device)
		} else {
			put(w, 1)
		}
		if head := r.Head(); int64(head-last) != step {
			t.Fatalf("step %d moved the head from %d to %d", i, last, head)
		}
		last = r.Head()
	}
	w.Skip(0, audio.Device)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a hole of -1 frames was taken")
			}
		}()
		w.Skip(-1, audio.Device)
	}()
	w.Close(nil)
	if r.Head() != last {
		t.Errorf("the head went from %d to %d", last, r.Head())
	}
}
