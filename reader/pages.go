package reader

import "math/bits"

const (
	pageBits    = 10
	pageEntries = 1 << pageBits // 16 KiB
)

// The two numbers of an entry.
const (
	partPos = iota
	partKey
)

type (
	entry [2]int64
	page  [pageEntries]entry
)

// pages are those of a ledger that are kept. They are never changed, only
// replaced, but for entries that no count has reached.
type pages struct {
	first int64 // number of the first one; those before it are forgotten
	list  []*page
}

// more is p and an empty page. Both may share the list: nobody looks behind
// the end of his own.
func (p *pages) more() *pages {
	if p == nil {
		p = &pages{}
	}
	return &pages{p.first, append(p.list, new(page))}
}

// end is the number of the first entry for which there is no room.
func (p *pages) end() int64 { return (p.first + int64(len(p.list))) * pageEntries }

func (p *pages) entry(i int64) *entry {
	return &p.list[i>>pageBits-p.first][i&(pageEntries-1)]
}

func (p *pages) column(part int) column { return column{p, part} }

// A column is one of the numbers of all entries. It does not decrease.
type column struct {
	*pages
	part int
}

func (c column) at(i int64) int64 { return c.entry(i)[c.part] }

// find is the first entry in [from, to) whose number is at least want, or to;
// and at how many entries it looked. It guesses where it is by proportion,
// gallops from there until it has passed it, and bisects the last stride:
// few looks where numbers grow evenly, and never more than twice those of
// bisecting all, and a few.
func (c column) find(from, to, want int64) (i int64, looks int) {
	if from == to {
		return to, 0
	}
	least, most := c.at(from), c.at(to-1)
	switch {
	case want <= least:
		return from, 2
	case want > most:
		return to, 2
	}
	// below and above close in on it: at(below) < want <= at(above).
	below, above := from, to-1
	looks = 3
	if i = from + proportion(to-1-from, least, want, most); c.at(i) < want {
		below = i
		for stride := int64(1); below+stride < above; stride *= 2 {
			if looks++; c.at(below+stride) >= want {
				above = below + stride
				break
			}
			below += stride
		}
	} else {
		above = i
		for stride := int64(1); above-stride > below; stride *= 2 {
			if looks++; c.at(above-stride) < want {
				below = above - stride
				break
			}
			above -= stride
		}
	}
	i, more := c.bisect(below, above, want)
	return i, looks + more
}

// bisect is the first entry behind below whose number is at least want, where
// at(below) < want <= at(above); and at how many entries it looked.
func (c column) bisect(below, above, want int64) (i int64, looks int) {
	for ; above-below > 1; looks++ {
		if mid := below + (above-below)/2; c.at(mid) < want {
			below = mid
		} else {
			above = mid
		}
	}
	return above, looks
}

// proportion is as much of n as part is of the way from least to most, where
// least < part <= most. The way may need 64 bits, the product 128.
func proportion(n, least, part, most int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(part)-uint64(least))
	q, _ := bits.Div64(hi, lo, uint64(most)-uint64(least))
	return int64(q)
}
