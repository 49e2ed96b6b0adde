package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
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
//
// Why no read meets a write: an entry is written once, before the count passes
// it, and a reader looks only below a count that it has loaded. A reader loads
// the pages before the count. So the count may be beyond its pages: then it
// keeps to these, and sees the ledger as it was a little earlier.
type Ledger struct {
	kept  atomic.Pointer[pages]
	count atomic.Int64 // twice the entries ever appended, and 1 if it is closed
	bell  bell
}

var (
	_ KeyTrans = (*Ledger)(nil)
	_ Awaiter  = (*Ledger)(nil)
)

// Append adds an entry. It returns an error that names both entries, and adds
// nothing, if p is not behind the last position or key is below the last key.
// It waits for nobody.
func (l *Ledger) Append(p audio.Pos, key int64) error {
	n, closed := l.entries()
	if closed {
		return fmt.Errorf("append key %d at position %d: the ledger is closed", key, p)
	}
	if p < 0 {
		return fmt.Errorf("append key %d at position %d: a position is not negative", key, p)
	}
	if n > 0 {
		last := l.look().entry(n - 1)
		if int64(p) <= last[partPos] || key < last[partKey] {
			return fmt.Errorf("append key %d at position %d behind key %d at position %d: positions increase, keys do not decrease", key, p, last[partKey], last[partPos])
		}
	}
	if n%pageEntries == 0 {
		l.kept.Store(l.kept.Load().more())
	}
	kept := l.kept.Load()
	kept.list[len(kept.list)-1][n%pageEntries] = entry{partPos: int64(p), partKey: key}
	l.count.Store(2 * (n + 1))
	l.bell.reached(key)
	return nil
}

// Forget gives back the memory of entries that no question from position
// before on needs, in whole pages of 1,024. Key goes on to answer from before
// on, and Lower wherever its answer is not below before. Elsewhere both may
// return an error, now or later, and never another answer.
func (l *Ledger) Forget(before audio.Pos) {
	if kept := l.kept.Load(); kept != nil {
		n := 0
		// The first entry that stays lies below before: then Lower can tell
		// that an entry at before is the first of its key.
		for n+1 < len(kept.list) && kept.list[n+1][0][partPos] < int64(before) {
			n++
		}
		if n > 0 {
			l.kept.Store(&pages{kept.first + int64(n), slices.Clone(kept.list[n:])})
		}
	}
}

// Close says that no entry will follow. It may be called more than once.
func (l *Ledger) Close() error {
	l.count.Store(l.count.Load() | 1)
	l.bell.ring()
	return nil
}

// Key is the key of the last entry at or before p.
func (l *Ledger) Key(p audio.Pos) (int64, error) {
	if p < 0 {
		return 0, fmt.Errorf("key of position %d: a position is not negative", p)
	}
	s := l.look()
	i, _ := s.column(partPos).find(s.from, s.to, int64(p))
	switch {
	case i < s.to && s.entry(i)[partPos] == int64(p):
		return s.entry(i)[partKey], nil
	case i == s.to && !s.over:
		return 0, fmt.Errorf("key of position %d: %w", p, ErrNotYet)
	case i > s.from:
		return s.entry(i - 1)[partKey], nil
	case s.from > 0:
		return 0, fmt.Errorf("key of position %d: forgotten", p)
	}
	return 0, fmt.Errorf("key of position %d: there is no entry at or before it", p)
}

// Lower is the position of the first entry whose key is at least key.
func (l *Ledger) Lower(key int64) (audio.Pos, error) {
	s := l.look()
	i, _ := s.column(partKey).find(s.from, s.to, key)
	switch {
	case i == s.to && s.over:
		return 0, fmt.Errorf("position of key %d: %w", key, io.EOF)
	case i == s.to:
		return 0, fmt.Errorf("position of key %d: %w", key, ErrNotYet)
	case i == s.from && s.from > 0: // one before it may have that key too
		return 0, fmt.Errorf("position of key %d: forgotten", key)
	}
	return audio.Pos(s.entry(i)[partPos]), nil
}

func (l *Ledger) wish(key int64) <-chan struct{} { return l.bell.wish(key) }

// AwaitKey waits until Lower(key) answers, as Awaiter says.
func (l *Ledger) AwaitKey(ctx context.Context, key int64) error {
	for {
		rung := l.bell.wish(key)
		_, err := l.Lower(key)
		switch {
		case errors.Is(err, io.EOF):
			return io.EOF
		case !errors.Is(err, ErrNotYet):
			return err
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// entries is how many were appended, and whether there will be no more.
func (l *Ledger) entries() (n int64, closed bool) {
	count := l.count.Load()
	return count / 2, count%2 == 1
}

// look is the entries [from, to) as a reader found them.
type look struct {
	*pages
	from, to int64
	over     bool // no entry will follow
}

func (l *Ledger) look() look {
	kept := l.kept.Load()
	if kept == nil {
		n, closed := l.entries()
		return look{over: closed && n == 0}
	}
	n, closed := l.entries()
	return look{kept, kept.first * pageEntries, min(n, kept.end()), closed && n <= kept.end()}
}
