package clock

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// A Row is one entry of a Table: its numbers, by column.
type Row interface {
	~[2]int64 | ~[3]int64 | ~[5]int64 | ~[7]int64
}

// A Table is a list of rows that is only appended to, in memory that can be
// given back from its beginning. A row has its number for ever. The zero Table
// is empty and open.
//
// One goroutine appends, forgets and closes. Any number may look at the same
// time; they take no lock, and nobody waits for them.
//
// Why no read meets a write: a row is written once, before the count passes
// it, and a reader looks only below a count that it has loaded. A reader loads
// the pages before the count. So the count may be beyond its pages: then it
// keeps to these, and sees the table as it was a little earlier.
type Table[R Row] struct {
	kept  atomic.Pointer[pages[R]]
	count atomic.Int64 // twice the rows ever appended, and 1 if it is closed
}

const (
	pageBits = 8
	pageRows = 1 << pageBits
)

type page[R Row] [pageRows]R

// pages are those of a table that are kept. They are never changed, only
// replaced, but for rows that no count has reached.
type pages[R Row] struct {
	first int64 // number of the first one; those before it are forgotten
	list  []*page[R]
}

// more is p and an empty page. Both may share the list: nobody looks behind
// the end of his own.
func (p *pages[R]) more() *pages[R] {
	if p == nil {
		p = &pages[R]{}
	}
	return &pages[R]{p.first, append(p.list, new(page[R]))}
}

// end is the number of the first row for which there is no room.
func (p *pages[R]) end() int64 { return (p.first + int64(len(p.list))) * pageRows }

// Append adds a row and publishes it. A column by which rows are found or
// forgotten must not decrease; the caller sees to that.
func (t *Table[R]) Append(row R) {
	n := t.count.Load() / 2
	if n%pageRows == 0 {
		t.kept.Store(t.kept.Load().more())
	}
	kept := t.kept.Load()
	kept.list[len(kept.list)-1][n%pageRows] = row
	t.count.Store(2 * (n + 1))
}

// Close says that no row will follow. It may be called more than once.
func (t *Table[R]) Close() { t.count.Store(t.count.Load() | 1) }

// Forget gives back rows from the beginning, in whole pages of 256. All rows
// whose number in that column is at least before stay, and if any are
// forgotten, so does one that is below it.
func (t *Table[R]) Forget(column int, before int64) {
	kept := t.kept.Load()
	if kept == nil {
		return
	}
	n := 0
	for n+1 < len(kept.list) && kept.list[n+1][0][column] < before {
		n++
	}
	if n > 0 {
		t.kept.Store(&pages[R]{kept.first + int64(n), slices.Clone(kept.list[n:])})
	}
}

// Look returns the table as it is now, which does not change.
func (t *Table[R]) Look() Look[R] {
	kept := t.kept.Load()
	count := t.count.Load()
	n, closed := count/2, count%2 == 1
	if kept == nil {
		return Look[R]{Over: closed && n == 0}
	}
	return Look[R]{kept, kept.first * pageRows, min(n, kept.end()), closed && n <= kept.end()}
}

// A Look is the rows [From, To) of a table as a reader found them. Those
// before From are forgotten.
type Look[R Row] struct {
	kept     *pages[R]
	From, To int64
	Over     bool // no row will follow
}

// Row is the row of that number, which lies in [From, To). It is read only.
func (k Look[R]) Row(i int64) *R {
	return &k.kept.list[i>>pageBits-k.kept.first][i&(pageRows-1)]
}

// Last is the newest row, or nil if there is none.
func (k Look[R]) Last() *R {
	if k.From == k.To {
		return nil
	}
	return k.Row(k.To - 1)
}

func (k Look[R]) at(column int, i int64) int64 { return (*k.Row(i))[column] }

// Find is the first row whose number in a column is at least want, or To; and
// at how many rows it looked. It guesses where that is by proportion, gallops
// from there until it has passed it, and bisects the last stride: few looks
// where numbers grow evenly, and never more than twice those of bisecting all,
// and a few.
func (k Look[R]) Find(column int, want int64) (i int64, looks int) {
	if k.From == k.To {
		return k.To, 0
	}
	least, most := k.at(column, k.From), k.at(column, k.To-1)
	switch {
	case want <= least:
		return k.From, 2
	case want > most:
		return k.To, 2
	}
	// below and above close in on it: at(below) < want <= at(above).
	below, above := k.From, k.To-1
	looks = 3
	// The way from least to most may need 64 bits, the product 128.
	part := scaleDown(uint64(want)-uint64(least), uint64(above-below), uint64(most)-uint64(least))
	if i = below + int64(part); k.at(column, i) < want {
		below = i
		for stride := int64(1); below+stride < above; stride *= 2 {
			if looks++; k.at(column, below+stride) >= want {
				above = below + stride
				break
			}
			below += stride
		}
	} else {
		above = i
		for stride := int64(1); above-stride > below; stride *= 2 {
			if looks++; k.at(column, above-stride) < want {
				below = above - stride
				break
			}
			above -= stride
		}
	}
	i, more := k.bisect(column, below, above, want)
	return i, looks + more
}

// upTo is the last row whose number in a column is at most most, or From-1.
func (k Look[R]) upTo(column int, most int64) int64 {
	i, _ := k.Find(column, most)
	if i < k.To && k.at(column, i) == most {
		return i
	}
	return i - 1
}

// bisect is the first row behind below whose number is at least want, where
// at(below) < want <= at(above); and at how many rows it looked.
func (k Look[R]) bisect(column int, below, above, want int64) (i int64, looks int) {
	for ; above-below > 1; looks++ {
		if mid := below + (above-below)/2; k.at(column, mid) < want {
			below = mid
		} else {
			above = mid
		}
	}
	return above, looks
}

// scaleDown is part*num/den rounded down, with 128 bits between. part is at
// most den, which is not 0.
func scaleDown(part, num, den uint64) uint64 {
	hi, lo := bits.Mul64(part, num)
	q, _ := bits.Div64(hi, lo, den)
	return q
}

// scaleUp is scaleDown rounded up.
func scaleUp(part, num, den uint64) uint64 {
	hi, lo := bits.Mul64(part, num)
	q, rest := bits.Div64(hi, lo, den)
	if rest > 0 {
		q++
	}
	return q
}
