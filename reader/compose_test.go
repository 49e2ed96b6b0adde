package reader_test

import (
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/reader/readertest"
	"pgregory.net/rapid"
)

func TestComposedPassesTheSuite(t *testing.T) {
	millis := func() readertest.Keys { return affine(reader.Millis(0, 44100), 0, 1<<40) }
	index := func() readertest.Keys { return growing(entries(300, jittered), 100) }
	for name, open := range map[string]func() readertest.Keys{
		"formula of formula": func() readertest.Keys {
			return both(millis(), affine(reader.Affine{Mark: 1000, First: 50, Num: 3, Den: 7}, 1000, 5000))
		},
		"formula of index": func() readertest.Keys { return both(millis(), index()) },
		"index of formula": func() readertest.Keys {
			k := both(index(), affine(reader.Affine{Num: 2, Den: 3}, 0, 1<<20))
			k.Span = audio.Span{From: 100, To: 7000} // middle keys 66 to 4,666: the index knows up to 4,752
			return k
		},
		"index of index": func() readertest.Keys {
			outer := growing(entries(300, repeated), 100)
			k := both(outer, growing(entries(300, dense), 90)) // middle keys 0 to 267, known up to 297
			return k
		},
		"three": func() readertest.Keys {
			return both(affine(reader.Affine{First: -5, Num: 10, Den: 1}, 0, 1<<40), both(millis(), index()))
		},
	} {
		t.Run(name, func(t *testing.T) { readertest.TestKeyTrans(t, open) })
	}
}

// Composed keys are those that are found by exact fractions, and Lower the one
// that is found by looking at every position.
func TestComposedIsOneAfterTheOther(t *testing.T) {
	scale := rapid.Custom(func(t *rapid.T) reader.Affine {
		return reader.Affine{Mark: audio.Pos(rapid.IntRange(0, 40).Draw(t, "mark")), First: int64(rapid.IntRange(-30, 30).Draw(t, "first")),
			Num: int64(rapid.IntRange(1, 9).Draw(t, "num")), Den: int64(rapid.IntRange(1, 9).Draw(t, "den"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		outer, inner := scale.Draw(t, "outer"), scale.Draw(t, "inner")
		keys := reader.Compose(outer, inner)
		const positions = 200
		want := make([]*big.Int, positions) // nil: has none
		for p := range want {
			_, middle := exactKey(inner, audio.Pos(p))
			if middle.Sign() >= 0 {
				_, want[p] = exactKey(outer, audio.Pos(middle.Int64()))
			}
			got, err := keys.Key(audio.Pos(p))
			if (err == nil) != (want[p] != nil) || err == nil && got != want[p].Int64() {
				t.Fatalf("%+v of %+v: key of %d is %d, %v, want %v", outer, inner, p, got, err, want[p])
			}
		}
		for k := int64(-300); k < 300; k++ {
			first := audio.Pos(0)
			for first < positions && (want[first] == nil || want[first].Int64() < k) {
				first++
			}
			got, err := keys.Lower(k)
			if err != nil || got != first && (first < positions || got < positions) {
				t.Fatalf("%+v of %+v: Lower(%d) = %d, %v, want %d", outer, inner, k, got, err, first)
			}
		}
	})
}

// A key of the inner part that is negative is no position of the outer one.
func TestComposedHasNoKeyBelowTheOuterPositions(t *testing.T) {
	keys := reader.Compose(reader.Affine{First: -1000, Num: 10, Den: 1}, reader.Frames(20))
	if key, err := keys.Key(19); err == nil || !strings.HasPrefix(err.Error(), "inner keys: ") {
		t.Errorf("position 19 has the key %d, %v", key, err)
	}
	if key, err := keys.Key(20); err != nil || key != -1000 {
		t.Errorf("position 20 has the key %d, %v", key, err)
	}
	for _, k := range []int64{-5000, -1000} {
		if p, err := keys.Lower(k); err != nil || p != 20 {
			t.Errorf("Lower(%d) = %d, %v, want 20, the first that has a key", k, p, err)
		}
	}
}

func TestComposedErrorsSayWhichPart(t *testing.T) {
	var empty reader.Ledger
	for _, c := range []struct {
		keys reader.KeyTrans
		part string
	}{
		{reader.Compose(&empty, reader.Frames(0)), "outer keys: "},
		{reader.Compose(reader.Frames(0), &empty), "inner keys: "},
	} {
		if _, err := c.keys.Key(5); !errors.Is(err, reader.ErrNotYet) || !strings.HasPrefix(err.Error(), c.part) {
			t.Errorf("key: %v, want it to say %q", err, c.part)
		}
		if _, err := c.keys.Lower(5); !errors.Is(err, reader.ErrNotYet) || !strings.HasPrefix(err.Error(), c.part) {
			t.Errorf("position: %v, want it to say %q", err, c.part)
		}
	}
	bad := reader.Compose(reader.Frames(-1), reader.Frames(0)).(reader.Awaiter)
	if err := bad.AwaitKey(t.Context(), 5); err == nil || !strings.HasPrefix(err.Error(), "outer keys: ") {
		t.Errorf("waiting for what never comes: %v", err)
	}
	empty.Close()
	ended := struct{ reader.KeyTrans }{&empty} // knows its end, and cannot be waited for
	if err := reader.Compose(reader.Frames(0), ended).(reader.Awaiter).AwaitKey(t.Context(), 5); err != io.EOF {
		t.Errorf("waiting behind the end: %v, want io.EOF as it is", err)
	}
}

// Who waits for a composed key waits for both parts, in any order in which
// they come, and to the end of either.
func TestComposedWaitsForBothParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outer, inner reader.Ledger
		keys := reader.Compose(&outer, &inner)
		come := make(chan error, 1)
		wait := func(key int64) {
			go func() { come <- keys.(reader.Awaiter).AwaitKey(t.Context(), key) }()
			synctest.Wait()
			select {
			case err := <-come:
				t.Errorf("key %d is not known, and AwaitKey returned %v", key, err)
			default:
			}
		}
		tell := func(l *reader.Ledger, p audio.Pos, key int64) {
			t.Helper()
			if err := l.Append(p, key); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		wait(5)
		tell(&outer, 100, 5)
		if len(come) > 0 {
			t.Error("it did not wait for the inner part")
		}
		tell(&inner, 9, 100)
		if err := <-come; err != nil {
			t.Error(err)
		}
		if p, err := keys.Lower(5); err != nil || p != 9 {
			t.Errorf("key 5 begins at %d, %v, want 9", p, err)
		}
		wait(6)
		tell(&inner, 20, 300)
		if len(come) > 0 {
			t.Error("it did not wait for the outer part")
		}
		tell(&outer, 200, 6)
		if err := <-come; err != nil {
			t.Error(err)
		}
		wait(7)
		outer.Close()
		if err := <-come; err != io.EOF {
			t.Errorf("behind the end of the outer part: %v", err)
		}
	})
}
