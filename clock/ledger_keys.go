package clock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/ingestd/ingestd/audio"
)

// Keys are keys of positions by their time:
//
//	Key(p) = first + floor((M(p)-zero) / unit)
//
// where M(p) runs evenly between the rows around p, rounded down. Lower rounds
// up. So Lower(k) <= p if and only if k <= Key(p), whichever of two pieces a
// shared end is given to. All of it is in integers.
//
// Behind the newest anchor it answers ErrNotYet, or, once the ledger is closed,
// io.EOF to Lower. It is a reader's KeyTrans and Awaiter.
type Keys struct {
	ledger *Ledger
	zero   int64 // ns
	first  int64
	unit   int64 // ns
}

// Keys are monotonic ns: M itself.
func (l *Ledger) Keys() Keys { return Keys{ledger: l, unit: 1} }

// Millis are whole milliseconds of monotonic time since a session's mark.
func (l *Ledger) Millis(m Mark) Keys { return Keys{ledger: l, zero: m.M, unit: 1e6} }

// Key is the key of the boundary before the frame at p.
func (k Keys) Key(p audio.Pos) (int64, error) {
	m, err := timeOf(k.ledger.rows.Look(), p)
	if err != nil {
		return 0, fmt.Errorf("key of position %d: %w", p, err)
	}
	key, ok := k.keyOf(m)
	if !ok {
		return 0, fmt.Errorf("key of position %d: %w", p, errFar)
	}
	return key, nil
}

// Lower is the first position whose key is at least key.
func (k Keys) Lower(key int64) (audio.Pos, error) {
	m, ok := k.timeOf(key)
	if !ok {
		return 0, fmt.Errorf("position of key %d: %w", key, errFar)
	}
	p, err := lower(k.ledger.rows.Look(), m)
	if err != nil {
		return 0, fmt.Errorf("position of key %d: %w", key, err)
	}
	return p, nil
}

// AwaitKey waits until Lower(key) answers, as a reader's Awaiter says.
func (k Keys) AwaitKey(ctx context.Context, key int64) error {
	m, _ := k.timeOf(key)
	return k.ledger.bell.Await(ctx, m, func() error {
		_, err := k.Lower(key)
		return err
	})
}

// keyOf is the key of time m, and false if that has more than 63 bits.
func (k Keys) keyOf(m int64) (int64, bool) {
	since, ok := sub(m, k.zero)
	if !ok {
		return 0, false
	}
	units := since / k.unit
	if since%k.unit < 0 {
		units--
	}
	return add(k.first, units)
}

// timeOf is the least time whose key is at least key, or one that is below
// every time in range. It is false if every time in range is below it.
func (k Keys) timeOf(key int64) (m int64, ok bool) {
	units, fits := sub(key, k.first)
	hi, since := bits.Mul64(size(units), uint64(k.unit))
	switch {
	case !fits || hi > 0 || since > math.MaxInt64:
		return far(key > k.first)
	case units < 0:
		since = -since
	}
	if m, fits = add(k.zero, int64(since)); !fits {
		return far(key > k.first)
	}
	return m, true
}

// far is the answer of timeOf for a key that is far above or below.
func far(above bool) (m int64, ok bool) {
	if above {
		return math.MaxInt64, false
	}
	return math.MinInt64, true
}

// timeOf is M(p), rounded down.
func timeOf(k Look[row], p audio.Pos) (int64, error) {
	if p < 0 {
		return 0, errors.New("a position is not negative")
	}
	i, _ := k.Find(rowPos, int64(p))
	switch {
	case i < k.To && k.Row(i)[rowPos] == int64(p):
		return k.Row(i)[rowM], nil
	case i == k.To:
		return 0, behind(k, errors.New("it lies behind the end"))
	case i == k.From:
		return 0, before(k)
	}
	return timeIn(k.Row(i-1), k.Row(i), int64(p)), nil
}

// lower is the first position p with M(p) >= m.
func lower(k Look[row], m int64) (audio.Pos, error) {
	i, _ := k.Find(rowM, m)
	switch {
	case i == k.To:
		return 0, behind(k, io.EOF)
	case k.Row(i)[rowM] == m || i == 0:
		return audio.Pos(k.Row(i)[rowPos]), nil
	case i == k.From:
		return 0, before(k)
	}
	return posIn(k.Row(i-1), k.Row(i), m), nil
}

// behind is why there is no answer behind the newest row.
func behind(k Look[row], end error) error {
	if k.Over {
		return end
	}
	return ErrNotYet
}

var (
	errForgotten = errors.New("forgotten")
	errFar       = errors.New("out of range")
)

// before is why there is no answer before the oldest row.
func before(k Look[row]) error {
	if k.From > 0 {
		return errForgotten
	}
	return errors.New("it lies before the first anchor")
}

// timeIn is M(p) where p lies from a to b, rounded down. It is below that of b
// if p is.
func timeIn(a, b *row, p int64) int64 {
	return a[rowM] + int64(scaleDown(uint64(p-a[rowPos]), uint64(b[rowM])-uint64(a[rowM]), uint64(b[rowPos]-a[rowPos])))
}

// posIn is the first position at or behind m, which lies from a to b.
func posIn(a, b *row, m int64) audio.Pos {
	return audio.Pos(a[rowPos] + int64(scaleUp(uint64(m)-uint64(a[rowM]), uint64(b[rowPos]-a[rowPos]), uint64(b[rowM])-uint64(a[rowM]))))
}

// add returns false if the sum has more than 63 bits.
func add(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (sum > a) == (b > 0)
}

// sub returns false if the difference has more than 63 bits.
func sub(a, b int64) (int64, bool) {
	d := a - b
	return d, (d < a) == (b > 0)
}

// size is |n|.
func size(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
