package reader

import (
	"errors"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// TestSeed_C7: an index that the data brings along is kept once and serves all
// readers of a sensor, since they share their keys. What is appended is there
// for all of them at once, and a look-up costs the same however much there is.
func TestSeed_C7(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 4000, BlockFrames: 4})
	insert(w, 1000)
	var index Ledger
	readers := []*Reader{mustOpen(t, ring, Keys(&index))}
	for range 3 {
		fork, err := readers[0].Fork()
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, fork)
	}
	for i := range int64(100_000) {
		p, key := audio.Pos(10*i+5), 1000*i+i%7
		for _, rd := range readers {
			if _, err := rd.Keys().Key(p); i%1000 == 0 && !errors.Is(err, ErrNotYet) {
				t.Fatalf("before entry %d: %v", i, err)
			}
		}
		mustAppend(t, &index, p, key)
		if i%1000 > 0 {
			continue
		}
		for _, rd := range readers {
			got, err := rd.Keys().Key(p)
			low, err2 := rd.Keys().Lower(key)
			if got != key || low != p || err != nil || err2 != nil {
				t.Fatalf("entry %d: Key(%d) = %d, Lower(%d) = %d, %v, %v", i, p, got, key, low, err, err2)
			}
		}
		s := index.entries.Look()
		for x := range int64(100) {
			entry := s.Row(x * i / 100)
			_, byKey := s.Find(partKey, entry[partKey])
			_, byPos := s.Find(partPos, entry[partPos])
			if byKey > 7 || byPos > 7 {
				t.Fatalf("%d entries: %d looks for a key, %d for a position", i+1, byKey, byPos)
			}
		}
	}
	for _, rd := range readers {
		from, err := rd.Keys().Lower(20_000)
		to, err2 := rd.Keys().Lower(40_000)
		v, err3 := rd.Slice(from, to)
		if err := errors.Join(err, err2, err3); err != nil || v.Frames() != 200 {
			t.Errorf("keys [20000, 40000) are %v, %v", v.Span(), err)
		}
		checkStamps(t, v)
		v.Release()
	}
	if raceEnabled {
		return // it allocates
	}
	p := audio.Pos(0)
	if n := testing.AllocsPerRun(1000, func() {
		p += 991
		key, err := index.Key(p + 5)
		low, err2 := index.Lower(key)
		if low > p+5 || err != nil || err2 != nil {
			t.Error(low, err, err2)
		}
	}); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}
