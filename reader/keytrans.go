package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// ErrNotYet says that a KeyTrans may answer later, when it knows more.
var ErrNotYet = clock.ErrNotYet

// A KeyTrans maps between a reader's keys and positions. It is monotone and
// does not decrease; several positions may share a key. For every position p
// and key k for which both answer:
//
//	Lower(k) <= p  if and only if  k <= Key(p)
//
// It answers the same for ever, and may be asked from any goroutine at once.
// It may return an error instead, wrapped or not:
//
//	ErrNotYet      it may answer later; whoever returns this is an Awaiter
//	io.EOF         of Lower: no position has such a key, and none will have
//	another error  it will never answer
//
// So a key or position that depends on what is still to come has no answer
// before that has come. What was answered may turn into an error, if the
// KeyTrans forgets, but never into another answer.
type KeyTrans interface {
	// Lower is the first position whose key is at least key, of those that
	// have one: 0 if that of every position is.
	Lower(key int64) (audio.Pos, error)
	// Key is the key of a position. A negative position has none.
	Key(p audio.Pos) (int64, error)
}

// An Awaiter is a KeyTrans that learns. One that is none knows from the
// beginning all that it will ever answer.
type Awaiter interface {
	// AwaitKey waits until Lower(key) answers. It returns in one of these
	// ways, the first that holds:
	//
	//	nil            Lower(key) answers
	//	io.EOF         Lower(key) is io.EOF
	//	another error  Lower(key) returns it, and it is not ErrNotYet
	//	ctx.Err()      the context ended
	AwaitKey(ctx context.Context, key int64) error
}

// awaitKey is AwaitKey of a KeyTrans that need not be an Awaiter.
func awaitKey(ctx context.Context, keys KeyTrans, key int64) error {
	if w, ok := keys.(Awaiter); ok {
		return w.AwaitKey(ctx, key)
	}
	_, err := keys.Lower(key)
	return endOf(err)
}

// wish is what is closed when Lower(key) may know more than now, nil if keys
// cannot tell. It is asked for before Lower is.
func wish(keys KeyTrans, key int64) <-chan struct{} {
	if w, ok := keys.(interface{ wish(int64) <-chan struct{} }); ok {
		return w.wish(key)
	}
	return nil
}

// endOf is io.EOF for an error that wraps it.
func endOf(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

// An Affine numbers positions from a mark on, by a scale that is exact:
//
//	Key(p) = First + floor((p-Mark) * Num / Den)
//
// Num and Den are positive. It goes on before the mark.
type Affine struct {
	Mark     audio.Pos // the position whose key is First
	First    int64
	Num, Den int64 // keys for frames
}

var _ KeyTrans = Affine{}

// Frames numbers frames from mark on, which is 0. Frames(0) is the identity:
// the key of a position is the position.
func Frames(mark audio.Pos) Affine { return Affine{Mark: mark, Num: 1, Den: 1} }

// Bytes gives the byte offset of a frame from mark on.
func Bytes(mark audio.Pos, frameBytes int) Affine {
	return Affine{Mark: mark, Num: int64(frameBytes), Den: 1}
}

// Millis gives the milliseconds from mark on at rate frames a second, rounded
// down.
func Millis(mark audio.Pos, rate int) Affine {
	return Affine{Mark: mark, Num: 1000, Den: int64(rate)}
}

// Check returns an error if the scale is not positive or the mark is negative.
func (a Affine) Check() error {
	if a.Num <= 0 || a.Den <= 0 || a.Mark < 0 {
		return fmt.Errorf("keys of %d for %d frames from position %d: the scale is positive, the mark not negative", a.Num, a.Den, a.Mark)
	}
	return nil
}

// Key is the key of p, rounded down.
func (a Affine) Key(p audio.Pos) (int64, error) {
	if err := a.Check(); err != nil {
		return 0, err
	}
	if p < 0 {
		return 0, fmt.Errorf("key of position %d: a position is not negative", p)
	}
	far, ok := scale(int64(p-a.Mark), a.Num, a.Den, false)
	key, fits := add(a.First, far)
	if !ok || !fits {
		return 0, fmt.Errorf("key of position %d: out of range", p)
	}
	return key, nil
}

// Lower is the first position whose key is at least key.
func (a Affine) Lower(key int64) (audio.Pos, error) {
	if err := a.Check(); err != nil {
		return 0, err
	}
	if least, err := a.Key(0); err == nil && key <= least {
		return 0, nil
	}
	off, fits := add(key, -a.First)
	far, ok := scale(off, a.Den, a.Num, true)
	p, more := add(int64(a.Mark), far)
	if !fits || !ok || !more || a.First == math.MinInt64 {
		return 0, fmt.Errorf("position of key %d: out of range", key)
	}
	return audio.Pos(max(0, p)), nil
}

// add returns false if the sum has more than 63 bits.
func add(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (sum > a) == (b > 0)
}

// scale is n*num/den with 128 bits between, rounded up or down; num and den
// are positive. It returns false if the result has more than 63 bits.
func scale(n, num, den int64, up bool) (int64, bool) {
	size, negative := uint64(n), n < 0
	if negative {
		size, up = -size, !up
	}
	hi, lo := bits.Mul64(size, uint64(num))
	if hi >= uint64(den) {
		return 0, false
	}
	q, rest := bits.Div64(hi, lo, uint64(den))
	if rest > 0 && up {
		q++
	}
	if q > 1<<63-1 {
		return 0, false
	}
	if negative {
		return -int64(q), true
	}
	return int64(q), true
}
