package reader

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ingestd/ingestd/audio"
)

// An Interval says which items a query [bt, tt) means. An item has a start s and
// an end e, in the reader's keys: the item at position p starts at the key of p
// and ends where the next one starts, unless Instants, Lasting or Ending say
// otherwise.
type Interval uint8

// The five ways in which an item can have to do with a query.
const (
	ByStart  Interval = iota // bt <= s < tt: queries that follow each other share no item
	ByEnd                    // bt < e <= tt
	Within                   // bt <= s and e <= tt
	Overlap                  // s < tt and e > bt: to touch is not to overlap
	Covering                 // s <= bt and e >= tt
)

// Matching sets what Between means by a query; ByStart if it is not set.
func Matching(i Interval) Option {
	return func(o *options) error {
		if i > Covering {
			return fmt.Errorf("open reader: interval %d is not one of ByStart to Covering", i)
		}
		o.interval = i
		return nil
	}
}

// Instants says that items have no length that counts: each lasts 1, the unit of
// the keys. So it is in a query if its key is, whatever the interval, but for
// Covering.
func Instants(o *options) error {
	o.items = func(keys KeyTrans) (starts, ends KeyTrans) { return keys, shifted{keys, 1} }
	return nil
}

// A Stamp says at which end of an item its key was taken.
type Stamp uint8

const (
	StampedAtStart Stamp = iota
	StampedAtEnd         // when it was complete, as is usual for what is stamped when it is read
)

// Lasting says that each item is length long, in keys, and which end of it the
// key is.
func Lasting(length int64, stamp Stamp) Option {
	return func(o *options) error {
		switch {
		case length < 1:
			return fmt.Errorf("open reader: items of length %d: a length is positive", length)
		case stamp == StampedAtStart:
			o.items = func(keys KeyTrans) (starts, ends KeyTrans) { return keys, shifted{keys, length} }
		case stamp == StampedAtEnd:
			o.items = func(keys KeyTrans) (starts, ends KeyTrans) { return shifted{keys, -length}, keys }
		default:
			return fmt.Errorf("open reader: items stamped %d: neither at the start nor at the end", stamp)
		}
		return nil
	}
}

// Ending says that each item carries its end too: ends has those of all
// positions, in the unit of the reader's keys. Ends do not decrease either.
func Ending(ends KeyTrans) Option {
	return func(o *options) error {
		if ends == nil {
			return fmt.Errorf("open reader: no ends")
		}
		o.items = func(keys KeyTrans) (KeyTrans, KeyTrans) { return keys, ends }
		return nil
	}
}

// untilNext is what items are by default.
func untilNext(keys KeyTrans) (starts, ends KeyTrans) { return keys, next{keys} }

// An edge is the key at which a query begins or ends, of the starts of items or
// of their ends.
type edge struct {
	keys KeyTrans
	key  int64
}

// edges turns a query into the two keys whose positions it lies between.
func (o *options) edges(bt, tt int64) (from, to edge, err error) {
	switch {
	case tt < bt:
		return from, to, fmt.Errorf("between %d and %d: a query does not run backwards", bt, tt)
	case tt == math.MaxInt64: // otherwise bt+1 and tt+1 are keys
		return from, to, fmt.Errorf("between %d and %d: out of range", bt, tt)
	}
	starts, ends := o.items(o.keys)
	switch o.interval {
	case ByEnd:
		return edge{ends, bt + 1}, edge{ends, tt + 1}, nil
	case Within:
		return edge{starts, bt}, edge{ends, tt + 1}, nil
	case Overlap:
		return edge{ends, bt + 1}, edge{starts, tt}, nil
	case Covering:
		return edge{ends, tt}, edge{starts, bt + 1}, nil
	}
	return edge{starts, bt}, edge{starts, tt}, nil
}

// Positions turns a query into the positions that it means, whether they can
// be read or not. It does not wait: an index that does not know yet is
// ErrNotYet, one that ended before is io.EOF, both wrapped.
func (r *Reader) Positions(bt, tt int64) (audio.Span, error) {
	from, to, err := r.options.edges(bt, tt)
	if err != nil {
		return audio.Span{}, err
	}
	var s audio.Span
	if s.From, err = from.keys.Lower(from.key); err == nil {
		s.To, err = to.keys.Lower(to.key)
	}
	if err != nil {
		return audio.Span{}, fmt.Errorf("between %d and %d: %w", bt, tt, err)
	}
	s.To = max(s.From, s.To)
	return s, nil
}

// next has the key of the position after.
type next struct{ KeyTrans }

func (n next) Key(p audio.Pos) (int64, error) {
	if p < 0 || p == math.MaxInt64 {
		return 0, fmt.Errorf("key behind position %d: there is none", p)
	}
	return n.KeyTrans.Key(p + 1)
}

func (n next) Lower(key int64) (audio.Pos, error) {
	p, err := n.KeyTrans.Lower(key)
	return max(0, p-1), err
}

func (n next) wish(key int64) <-chan struct{} { return wish(n.KeyTrans, key) }

func (n next) AwaitKey(ctx context.Context, key int64) error { return awaitKey(ctx, n.KeyTrans, key) }

// shifted has keys that are by higher.
type shifted struct {
	KeyTrans
	by int64
}

func (s shifted) Key(p audio.Pos) (int64, error) {
	key, err := s.KeyTrans.Key(p)
	sum, fits := add(key, s.by)
	if err == nil && !fits {
		err = fmt.Errorf("key of position %d: out of range", p)
	}
	return sum, err
}

func (s shifted) Lower(key int64) (audio.Pos, error) {
	inner, fits := add(key, -s.by)
	if !fits {
		return 0, fmt.Errorf("position of key %d: out of range", key)
	}
	return s.KeyTrans.Lower(inner)
}

func (s shifted) wish(key int64) <-chan struct{} {
	inner, fits := add(key, -s.by)
	if !fits {
		return nil
	}
	return wish(s.KeyTrans, inner)
}

func (s shifted) AwaitKey(ctx context.Context, key int64) error {
	if _, err := s.Lower(key); !errors.Is(err, ErrNotYet) {
		return endOf(err)
	}
	return awaitKey(ctx, s.KeyTrans, key-s.by)
}
