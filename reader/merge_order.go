package reader

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ingestd/ingestd/audio"
)

// rank is a place in the order of a merge. All frames of one reader in one
// window have the same.
type rank struct {
	window int64 // the number of the window that the key is in
	index  int   // of the reader
}

var (
	lowest  = rank{math.MinInt64, -1}
	highest = rank{math.MaxInt64, math.MaxInt}
)

func (r rank) before(o rank) bool {
	return r.window < o.window || r.window == o.window && r.index < o.index
}

// stream is a reader in a merge.
type stream struct {
	rd    *Reader
	index int
	known bool      // the key of the cursor is
	rank  rank      // of the cursor, if known
	key   int64     // of the cursor if known, else of the frame before it
	begun bool      // key is one
	aside bool      // it was set aside, and nothing of it has come since
	want  audio.Pos // the head that is waited for
}

// ready says whether there is something to be told: frames, a loss, or the end.
func (s *stream) ready() bool { return s.rd.ring.Head() >= s.want || s.rd.ring.Closed() }

type merge struct {
	options MergeOptions
	streams []stream // those not over, in the order of rs
	front   rank
}

func newMerge(rs []*Reader, o MergeOptions) *merge {
	m := &merge{options: o, front: lowest}
	for i, r := range rs {
		m.streams = append(m.streams, stream{rd: r, index: i})
	}
	return m
}

func (m *merge) drop(s *stream) {
	i := slices.IndexFunc(m.streams, func(o stream) bool { return o.index == s.index })
	m.streams = slices.Delete(m.streams, i, i+1)
}

// first is the stream whose turn it is, or which has an error.
func (m *merge) first() (*stream, error) {
	var first *stream
	for i := range m.streams {
		s := &m.streams[i]
		if !s.known {
			if err := m.place(s); err != nil {
				return s, err
			}
		}
		if m.late(s) && s.ready() {
			return s, nil
		}
		if first == nil || m.sooner(s, first) {
			first = s
		}
	}
	return first, nil
}

// late says whether s is not waited for.
func (m *merge) late(s *stream) bool { return s.aside || s.known && s.rank.before(m.front) }

// sooner says whether s is waited for rather than o: who is late comes last, and
// who may be anywhere, since its key is not known, first.
func (m *merge) sooner(s, o *stream) bool {
	if late := m.late(s); late != m.late(o) {
		return !late
	}
	if s.known != o.known {
		return !s.known
	}
	return s.known && s.rank.before(o.rank)
}

// place finds out the key of the cursor of s. It returns an error if there is
// no use in waiting for it.
func (m *merge) place(s *stream) error {
	// Before the key, which may come with the frame or with a later one.
	over, at, head := s.rd.ring.Closed(), s.rd.Pos(), s.rd.ring.Head()
	s.want = at + 1
	key, err := s.rd.Keys().Key(at)
	switch {
	case err != nil && head <= at:
		return nil
	case errors.Is(err, ErrNotYet) && !over:
		s.want = head + 1
		return nil
	case err != nil:
		return err
	case s.begun && key < s.key:
		return fmt.Errorf("reader %d: key %d of position %d comes behind key %d: %w", s.index, key, at, s.key, ErrNotMonotone)
	}
	s.key, s.rank, s.known, s.begun = key, m.rank(s, key), true, true
	return nil
}

func (m *merge) rank(s *stream, key int64) rank {
	length := max(1, m.options.Window)
	window := key / length
	if key%length < 0 { // rounded up
		window--
	}
	return rank{window, s.index}
}

// wait waits for what s has next, or sets it aside.
func (m *merge) wait(ctx context.Context, s *stream) (Item, error) {
	patient := ctx
	if m.options.Patience > 0 {
		var cancel context.CancelFunc
		patient, cancel = context.WithTimeout(ctx, m.options.Patience)
		defer cancel()
	}
	err := s.rd.Await(patient, s.want)
	if err == nil || ctx.Err() != nil || err != context.DeadlineExceeded {
		return Item{}, err
	}
	if m.late(s) || s.ready() {
		return Item{}, nil // look at all of them again
	}
	s.aside = true
	return Item{Reader: s.index, Key: s.key, Late: true}, nil
}

// give is the next item of s, which is ready, or none if it is not its turn
// after all.
func (m *merge) give(ctx context.Context, s *stream) (Item, error) {
	at := s.rd.Pos()
	if !s.known && s.rd.ring.Head() > at {
		return Item{}, nil // its key may be known now
	}
	item := Item{Reader: s.index, Key: s.key, Late: s.known && s.rank.before(m.front)}
	until := m.front
	if !item.Late {
		if s.aside {
			s.aside = false
			return Item{}, nil
		}
		until = m.next(s)
	}
	v, err := s.rd.Next(ctx, m.cut(s, at, until))
	lost, ok := err.(*LostError)
	switch {
	case ok && s.rd.Pos() > at:
		item.Lost = lost
	case err != nil:
		return Item{}, err
	default:
		item.View, at = v, v.Span().To-1
		if key, err := s.rd.Keys().Key(at); err == nil {
			s.key = max(s.key, key)
		}
	}
	s.known, s.aside = false, false
	if !item.Late {
		m.front = m.rank(s, s.key)
	}
	return item, nil
}

// next is the place of the cursor that comes first behind that of s, of those
// that are waited for.
func (m *merge) next(s *stream) rank {
	next := highest
	for i := range m.streams {
		if o := &m.streams[i]; o.index != s.index && !m.late(o) && o.rank.before(next) {
			next = o.rank
		}
	}
	return next
}

// cut is how many frames of s from at on are there, known to come before until,
// and not more than an item may have; at least 1.
func (m *merge) cut(s *stream, at audio.Pos, until rank) int64 {
	before := func(frames int64) bool {
		key, err := s.rd.Keys().Key(at + audio.Pos(frames-1))
		if err != nil || key < s.key {
			return false
		}
		r := m.rank(s, key)
		return r.before(until) && (m.options.Window == 0 || r == s.rank)
	}
	most := min(m.options.Hop, int64(s.rd.ring.Head()-at))
	if most <= 1 || before(most) {
		return max(1, most)
	}
	// The cut is near if readers take turns, wherever most is.
	some := int64(1)
	for 2*some < most && before(2*some) {
		some *= 2
	}
	for end := min(2*some, most); end-some > 1; {
		if half := some + (end-some)/2; before(half) {
			some = half
		} else {
			end = half
		}
	}
	return some
}
