package reader

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// C14: a range that is not there yet can be waited for, to the frame, and need
// not be: a slice says at once that it is in the future. The end of the stream
// ends the waiting.
func TestSeed_C14(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, w := newRing(t, buffer.Config{Frames: 100, BlockFrames: 1})
		rd := mustOpen(t, ring)
		insert(w, 5)
		var future *FutureError
		if _, err := rd.Slice(3, 8); !errors.As(err, &future) || future.Head != 5 {
			t.Errorf("a slice of [3, 8) at 5: %v", err)
		}
		come := make(chan error, 1)
		go func() { come <- rd.Await(t.Context(), 8) }()
		for frames := 5; frames < 8; frames++ {
			synctest.Wait()
			select {
			case err := <-come:
				t.Errorf("it waited for 8 and came back at %d: %v", frames, err)
			default:
			}
			insert(w, 1)
		}
		if err := <-come; err != nil {
			t.Error(err)
		}
		v, err := rd.Slice(3, 8)
		if err != nil || v.Frames() != 5 {
			t.Errorf("the slice is there and has %d frames, %v", v.Frames(), err)
		}
		v.Release()
		go func() { come <- rd.Await(t.Context(), 1000) }()
		synctest.Wait()
		w.Close(nil)
		if err := <-come; err != nil {
			t.Errorf("waiting beyond the end: %v", err)
		}
		rd.Seek(8)
		if _, err := rd.Read(t.Context(), make([]byte, frameBytes)); err != io.EOF {
			t.Errorf("behind the end: %v", err)
		}
		if _, err := rd.Slice(8, 9); !errors.As(err, &future) {
			t.Errorf("a slice behind the end: %v", err)
		}
	})
}

// Indexes transformed by a monotonous function: the same query in the keys of
// any reader finds the same frames, and an order of keys is one of positions.
func TestSeed_IndexesTransformedByAMonotonousFunction(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 4000, BlockFrames: 4})
	insert(w, 3000)
	for name, keys := range map[string]KeyTrans{
		"frames": Frames(0), "frames from 100": Frames(100), "bytes": Bytes(0, frameBytes), "ms": Millis(7, 44100), "tenths": Affine{Mark: 50, First: -3, Num: 10, Den: 1},
	} {
		rd := mustOpen(t, ring, Keys(keys))
		var last int64
		for p := range audio.Pos(3000) {
			key, err := rd.Keys().Key(p)
			if err != nil || p > 0 && key < last {
				t.Fatalf("%s: position %d has the key %d behind %d, %v", name, p, key, last, err)
			}
			first, err := rd.Keys().Lower(key)
			if err != nil || first > p {
				t.Fatalf("%s: key %d of %d begins at %d, %v", name, key, p, first, err)
			}
			if p > 0 && key > last && first != p {
				t.Fatalf("%s: key %d begins at %d, want %d", name, key, first, p)
			}
			last = key
		}
		from, err := rd.Keys().Key(1000)
		to, err2 := rd.Keys().Key(2000)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		i, err := rd.Keys().Lower(from)
		j, err2 := rd.Keys().Lower(to)
		v, err3 := rd.Slice(i, j)
		if err := errors.Join(err, err2, err3); err != nil || i > 1000 || j > 2000 || v.Frames() != int64(j-i) {
			t.Errorf("%s: keys [%d, %d) are [%d, %d), %v", name, from, to, i, j, err)
		}
		checkStamps(t, v)
		v.Release()
		rd.Close()
	}
}

// checkStamps fails unless each frame of a view is that of its position.
func checkStamps(t *testing.T, v View) {
	t.Helper()
	want := make([]byte, v.Frames()*frameBytes)
	stamp(want, v.Span().From)
	if string(v.AppendTo(nil)) != string(want) {
		t.Errorf("%v holds other frames", v.Span())
	}
}
