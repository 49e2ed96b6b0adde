package reader

import (
	"context"
	"fmt"
	"io"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// A Ledger is the explicit index of data that carries its own: entries of a
// position and its key. Positions increase from entry to entry, keys do not
// decrease. The key of a position is that of the last entry at or before it;
// a position before the first entry has none.
//
// It does not answer what an entry that is still to come could change. So
// while it is open, Key returns ErrNotYet behind the last entry, and Lower
// above the last key. Once it is closed, the last key is that of all positions
// behind, and Lower returns io.EOF above it.
//
// One goroutine appends, forgets and closes. Any number may ask at the same
// time; they take no lock, and nobody waits for them. The zero Ledger is empty
// and open.
type Ledger struct {
	entries clock.Table[entry]
	bell    clock.Bell
}

// The two numbers of an entry.
const (
	partPos = iota
	partKey
)

type entry [2]int64

var (
	_ KeyTrans = (*Ledger)(nil)
	_ Awaiter  = (*Ledger)(nil)
)

// Append adds an entry. It returns an error that names both entries, and adds
// nothing, if p is not behind the last position or key is below the last key.
// It waits for nobody.
func (l *Ledger) Append(p audio.Pos, key int64) error {
	s := l.entries.Look()
	if s.Over {
		return fmt.Errorf("append key %d at position %d: the ledger is closed", key, p)
	}
	if p < 0 {
		return fmt.Errorf("append key %d at position %d: a position is not negative", key, p)
	}
	if last := s.Last(); last != nil && (int64(p) <= last[partPos] || key < last[partKey]) {
		return fmt.Errorf("append key %d at position %d behind key %d at position %d: positions increase, keys do not decrease", key, p, last[partKey], last[partPos])
	}
	l.entries.Append(entry{partPos: int64(p), partKey: key})
	l.bell.Reached(key)
	return nil
}

// Forget gives back the memory of entries that no question from position
// before on needs, in whole pages of 1,024. Key goes on to answer from before
// on, and Lower wherever its answer is not below before. Elsewhere both may
// return an error, now or later, and never another answer.
func (l *Ledger) Forget(before audio.Pos) {
	// The first entry that stays lies below before: then Lower can tell that an
	// entry at before is the first of its key.
	l.entries.Forget(partPos, int64(before))
}

// Close says that no entry will follow. It may be called more than once.
func (l *Ledger) Close() error {
	l.entries.Close()
	l.bell.Ring()
	return nil
}

// Key is the key of the last entry at or before p.
func (l *Ledger) Key(p audio.Pos) (int64, error) {
	if p < 0 {
		return 0, fmt.Errorf("key of position %d: a position is not negative", p)
	}
	s := l.entries.Look()
	i, _ := s.Find(partPos, int64(p))
	switch {
	case i < s.To && s.Row(i)[partPos] == int64(p):
		return s.Row(i)[partKey], nil
	case i == s.To && !s.Over:
		return 0, fmt.Errorf("key of position %d: %w", p, ErrNotYet)
	case i > s.From:
		return s.Row(i - 1)[partKey], nil
	case s.From > 0:
		return 0, fmt.Errorf("key of position %d: forgotten", p)
	}
	return 0, fmt.Errorf("key of position %d: there is no entry at or before it", p)
}

// Lower is the position of the first entry whose key is at least key.
func (l *Ledger) Lower(key int64) (audio.Pos, error) {
	s := l.entries.Look()
	i, _ := s.Find(partKey, key)
	switch {
	case i == s.To && s.Over:
		return 0, fmt.Errorf("position of key %d: %w", key, io.EOF)
	case i == s.To:
		return 0, fmt.Errorf("position of key %d: %w", key, ErrNotYet)
	case i == s.From && s.From > 0: // one before it may have that key too
		return 0, fmt.Errorf("position of key %d: forgotten", key)
	}
	return audio.Pos(s.Row(i)[partPos]), nil
}

func (l *Ledger) wish(key int64) <-chan struct{} { return l.bell.Wish(key) }

// AwaitKey waits until Lower(key) answers, as Awaiter says.
func (l *Ledger) AwaitKey(ctx context.Context, key int64) error {
	return l.bell.Await(ctx, key, func() error {
		_, err := l.Lower(key)
		return err
	})
}
