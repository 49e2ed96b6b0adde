package reader

import (
	"math"
	"math/big"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

// anywhere draws numbers of all sizes.
func anywhere(least, most int64) *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(max(least, -50), min(most, 50)), rapid.Int64Range(least, most), rapid.Int64Range(max(least, most-50), most))
}

func anyAffine(t *rapid.T) Affine {
	return Affine{
		Mark: audio.Pos(anywhere(0, math.MaxInt64).Draw(t, "mark")), First: anywhere(math.MinInt64, math.MaxInt64).Draw(t, "first"),
		Num: max(1, anywhere(1, math.MaxInt64).Draw(t, "num")), Den: max(1, anywhere(1, math.MaxInt64).Draw(t, "den")),
	}
}

// TestSeed_C5: keys by formula. Lower(k) <= p if and only if k <= Key(p).
func TestSeed_C5(t *testing.T) {
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
		if lowErr == nil && low < 0 {
			t.Fatalf("%+v: Lower(%d) = %d", a, k, low)
		}
		// What is in reach of usual numbers answers.
		if lowErr != nil && a.Mark < 1<<40 && max(k, -k) < 1<<40 && max(a.First, -a.First) < 1<<40 && a.Den < 1<<20 && k != math.MinInt64 && a.First != math.MinInt64 {
			t.Fatalf("%+v: Lower(%d): %v", a, k, lowErr)
		}
		if q := audio.Pos(anywhere(0, math.MaxInt64).Draw(t, "q")); keyErr == nil {
			if other, err := a.Key(q); err == nil && (p < q && other < key || q < p && key < other) {
				t.Fatalf("%+v: keys of %d and %d are %d and %d", a, p, q, key, other)
			}
		}
	})
}

// exactKey is the key of p, and how far it lies from that of the mark.
func exactKey(a Affine, p audio.Pos) (far, key *big.Int) {
	x := new(big.Int).Mul(new(big.Int).Sub(big.NewInt(int64(p)), big.NewInt(int64(a.Mark))), big.NewInt(a.Num))
	x.Div(x, big.NewInt(a.Den)) // Euclidean, so floor: Den is positive
	return x, new(big.Int).Add(x, big.NewInt(a.First))
}

func TestKeysOfFixedPositions(t *testing.T) {
	for _, c := range []struct {
		a    Affine
		p    audio.Pos
		key  int64
		next audio.Pos // Lower(key+1)
	}{
		{Frames(0), 7, 7, 8},
		{Frames(100), 107, 7, 108},
		{Frames(100), 93, -7, 94},
		{Bytes(0, 2), 43008, 86016, 43009},
		{Bytes(480, 6), 481, 6, 482},
		{Millis(0, 48000), 47, 0, 48},
		{Millis(0, 48000), 48, 1, 96},
		{Millis(0, 44100), 44, 0, 45},
		{Millis(0, 44100), 45, 1, 89},
		{Millis(1000, 44100), 999, -1, 1000},
		{Affine{Mark: 0, First: 1795287841150, Num: 1000, Den: 48000}, 48_000 * 86_400, 1795287841150 + 86_400_000, 48_000*86_400 + 48},
		{Affine{Num: 10, Den: 1}, 3, 30, 4},
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

// TestSeed_C6: a scale that is not positive is refused.
func TestSeed_C6(t *testing.T) {
	for _, a := range []Affine{{}, Bytes(0, 0), Bytes(0, -2), Millis(0, 0), Frames(-1)} {
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
	if _, err := Frames(0).Key(-1); err == nil {
		t.Error("a negative position has a key")
	}
}
