package reader_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/reader/readertest"
	"pgregory.net/rapid"
)

// anywhere draws numbers of all sizes.
func anywhere(least, most int64) *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(max(least, -50), min(most, 50)), rapid.Int64Range(least, most), rapid.Int64Range(max(least, most-50), most))
}

func anyAffine(t *rapid.T) reader.Affine {
	return reader.Affine{
		Mark: audio.Pos(anywhere(0, math.MaxInt64).Draw(t, "mark")), First: anywhere(math.MinInt64, math.MaxInt64).Draw(t, "first"),
		Num: max(1, anywhere(1, math.MaxInt64).Draw(t, "num")), Den: max(1, anywhere(1, math.MaxInt64).Draw(t, "den")),
	}
}

// exactKey is the key of p, and how far it lies from that of the mark.
func exactKey(a reader.Affine, p audio.Pos) (far, key *big.Int) {
	x := new(big.Int).Mul(new(big.Int).Sub(big.NewInt(int64(p)), big.NewInt(int64(a.Mark))), big.NewInt(a.Num))
	x.Div(x, big.NewInt(a.Den)) // Euclidean, so floor: Den is positive
	return x, new(big.Int).Add(x, big.NewInt(a.First))
}

// affine is an Affine and what it must answer.
func affine(a reader.Affine, from, to audio.Pos) readertest.Keys {
	return readertest.Keys{KeyTrans: a, Span: audio.Span{From: from, To: to}, Want: func(p audio.Pos) int64 {
		_, key := exactKey(a, p)
		return key.Int64()
	}}
}

// TestSeed_C5: keys are positions, or follow from them by a formula, or stand
// in an explicit index, or are keys of keys. All obey the same law.
func TestSeed_C5(t *testing.T) {
	for name, k := range map[string]func() readertest.Keys{
		"identity": func() readertest.Keys { return affine(reader.Frames(0), 0, 3000) },
		"formula":  func() readertest.Keys { return affine(reader.Millis(7, 44100), 0, 3000) },
		"index":    func() readertest.Keys { return growing(entries(300, jittered), 100) },
		"keys of keys": func() readertest.Keys {
			return both(affine(reader.Millis(0, 44100), 0, 1<<40), growing(entries(300, jittered), 100))
		},
	} {
		t.Run(name, func(t *testing.T) { readertest.TestKeyTrans(t, k) })
	}
}

func TestAffinePassesTheSuite(t *testing.T) {
	const day, most = 384_000 * 86_400, math.MaxInt64
	cases := map[string]readertest.Keys{
		"frames from a mark":   affine(reader.Frames(100), 0, 3000),
		"bytes":                affine(reader.Bytes(0, 2), 0, 3000),
		"bytes of 3 channels":  affine(reader.Bytes(480, 9), day, day+3000),
		"ms since 1970":        affine(reader.Affine{First: 1795287841150, Num: 1000, Den: 44100}, 0, day),
		"ns":                   affine(reader.Affine{Mark: 5, Num: 1e9, Den: 44100}, 0, day),
		"up to the last frame": affine(reader.Frames(0), most-3000, most),
		"from the last frame":  affine(reader.Frames(most), most-3000, most),
		"many keys a frame":    affine(reader.Affine{Num: most, Den: 1}, 0, 2),
		"many frames a key":    affine(reader.Affine{Num: 1, Den: most}, 0, most),
		"nearly one":           affine(reader.Affine{Num: most - 1, Den: most}, 0, most),
		"no common divisor":    affine(reader.Affine{Mark: 1 << 40, First: -1 << 40, Num: 1<<61 - 1, Den: 1<<62 - 57}, 0, 1<<50),
		"least first key":      affine(reader.Affine{First: math.MinInt64 + 1, Num: 1, Den: 3}, 0, 3000),
		"greatest first key":   affine(reader.Affine{Mark: 3000, First: most, Num: 3, Den: 7}, 0, 3000),
	}
	for _, rate := range []int{8000, 11025, 22050, 44100, 96000, 192_000, 384_000} {
		cases[fmt.Sprint("ms at ", rate)] = affine(reader.Millis(12345, rate), 0, audio.Pos(rate)*86_400)
	}
	for name, k := range cases {
		t.Run(name, func(t *testing.T) { readertest.TestKeyTrans(t, func() readertest.Keys { return k }) })
	}
}

// An Affine is exact, and answers wherever its numbers have room.
func TestAffineIsExactEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAffine(t)
		p := audio.Pos(anywhere(0, math.MaxInt64).Draw(t, "p"))
		key, keyErr := a.Key(p)
		far, want := exactKey(a, p)
		if answers := want.IsInt64() && far.Abs(far).IsInt64(); answers != (keyErr == nil) || answers && want.Int64() != key {
			t.Fatalf("%+v: key of %d is %d, %v, want %v", a, p, key, keyErr, want)
		}
		k := rapid.OneOf(anywhere(math.MinInt64, math.MaxInt64), rapid.Int64Range(max(key, math.MinInt64+3)-3, min(key, math.MaxInt64-3)+3)).Draw(t, "k")
		low, lowErr := a.Lower(k)
		if keyErr == nil && lowErr == nil && (low <= p) != (k <= key) {
			t.Fatalf("%+v: Lower(%d) = %d, Key(%d) = %d", a, k, low, p, key)
		}
		// What is in reach of usual numbers answers.
		if lowErr != nil && a.Mark < 1<<40 && max(k, -k) < 1<<40 && max(a.First, -a.First) < 1<<40 && a.Den < 1<<20 && k != math.MinInt64 && a.First != math.MinInt64 {
			t.Fatalf("%+v: Lower(%d): %v", a, k, lowErr)
		}
	})
}
func TestKeysOfFixedPositions(t *testing.T) {
	for _, c := range []struct {
		a    reader.Affine
		p    audio.Pos
		key  int64
		next audio.Pos // Lower(key+1)
	}{
		{reader.Frames(0), 7, 7, 8},
		{reader.Frames(100), 107, 7, 108},
		{reader.Frames(100), 93, -7, 94},
		{reader.Bytes(0, 2), 43008, 86016, 43009},
		{reader.Bytes(480, 6), 481, 6, 482},
		{reader.Millis(0, 48000), 47, 0, 48},
		{reader.Millis(0, 48000), 48, 1, 96},
		{reader.Millis(0, 44100), 44, 0, 45},
		{reader.Millis(0, 44100), 45, 1, 89},
		{reader.Millis(1000, 44100), 999, -1, 1000},
		{reader.Affine{Mark: 0, First: 1795287841150, Num: 1000, Den: 48000}, 48_000 * 86_400, 1795287841150 + 86_400_000, 48_000*86_400 + 48},
		{reader.Affine{Num: 10, Den: 1}, 3, 30, 4},
	} {
		key, err := c.a.Key(c.p)
		if err != nil || key != c.key {
			t.Errorf("%+v: key of %d is %d, %v, want %d", c.a, c.p, key, err, c.key)
		}
		if next, err := c.a.Lower(key + 1); err != nil || next != c.next {
			t.Errorf("%+v: Lower(%d) = %d, %v, want %d", c.a, key+1, next, err, c.next)
		}
	}
}

// TestSeed_C6: keys that decrease are refused: a scale that is not positive, and
// an entry of an index.
func TestSeed_C6(t *testing.T) {
	for _, a := range []reader.Affine{{}, reader.Bytes(0, 0), reader.Bytes(0, -2), reader.Millis(0, 0), reader.Frames(-1)} {
		if a.Check() == nil {
			t.Errorf("%+v was accepted", a)
		}
		if _, err := a.Key(0); err == nil {
			t.Errorf("%+v gave a key", a)
		}
		if _, err := a.Lower(0); err == nil {
			t.Errorf("%+v gave a position", a)
		}
	}
	var index reader.Ledger
	if err := errors.Join(index.Append(10, 5), index.Append(20, 5)); err != nil {
		t.Error(err)
	}
	if index.Append(30, 4) == nil || index.Append(20, 6) == nil {
		t.Error("an index took an entry that goes back")
	}
	if _, err := reader.Frames(0).Key(-1); err == nil {
		t.Error("a negative position has a key")
	}
}
