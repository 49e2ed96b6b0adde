package clock

import (
	"math/big"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

const testRate = 48000

// tb is what a test and a check of rapid have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newLedger(t tb, c LedgerConfig) *Ledger {
	t.Helper()
	l, err := NewLedger(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entry is one of a ledger, as a test tells it: an anchor, or a segment if
// it has lost frames.
type entry struct {
	pos, m, err   int64
	lost, lostErr int64
}

func (e entry) tell(t tb, l *Ledger) {
	t.Helper()
	if e.lost > 0 {
		must(t, l.AppendSegment(Segment{audio.Pos(e.pos), e.m, e.err, audio.XRun, e.lost, e.lostErr}))
		return
	}
	must(t, l.Append(Anchor{audio.Pos(e.pos), e.m, e.err}))
}

// plain is a ledger as a slice, with the arithmetic of math/big.
type plain []entry

// key is M(p), rounded down, and false if it is not known.
func (l plain) key(p int64) (int64, bool) {
	i := slices.IndexFunc(l, func(e entry) bool { return e.pos >= p })
	switch {
	case i < 0 || i == 0 && l[0].pos != p:
		return 0, false
	case l[i].pos == p:
		return l[i].m, true
	}
	a, b := l[i-1], l[i]
	m := new(big.Int).Mul(big.NewInt(p-a.pos), big.NewInt(b.m-a.m))
	return a.m + m.Div(m, big.NewInt(b.pos-a.pos)).Int64(), true
}

// lower is the least p with M(p) >= m, and false if it is not known.
func (l plain) lower(m int64) (int64, bool) {
	i := slices.IndexFunc(l, func(e entry) bool { return e.m >= m })
	switch {
	case i < 0:
		return 0, false
	case i == 0:
		return l[0].pos, true
	}
	a, b := l[i-1], l[i]
	p := new(big.Int).Mul(big.NewInt(m-a.m), big.NewInt(b.pos-a.pos))
	p.Neg(p).Div(p, big.NewInt(b.m-a.m)) // rounded down, so the other way up
	return a.pos - p.Int64(), true
}

// steps are from one entry to the next: a frame, a second, an hour in one
// piece, and as far as pieces go.
func drawSteps(t *rapid.T) (pos, m int64) {
	switch rapid.IntRange(0, 4).Draw(t, "step") {
	case 0:
		return rapid.Int64Range(1, 9).Draw(t, "frames"), rapid.Int64Range(1, 9).Draw(t, "ns")
	case 1:
		return testRate, 1e9 + rapid.Int64Range(-500_000, 500_000).Draw(t, "drift")
	case 2:
		return rapid.Int64Range(1, 10).Draw(t, "frames"), rapid.Int64Range(1, 4e14).Draw(t, "ns")
	case 3:
		return rapid.Int64Range(1, 1e10).Draw(t, "frames"), rapid.Int64Range(1, 10).Draw(t, "ns")
	}
	return rapid.Int64Range(1, 1e10).Draw(t, "frames"), rapid.Int64Range(1, 4e14).Draw(t, "ns")
}

// draw is the next entry of a ledger.
func (l plain) draw(t *rapid.T) entry {
	if len(l) == 0 {
		return entry{pos: rapid.SampledFrom([]int64{0, 0, 17, 1 << 40}).Draw(t, "first"), m: rapid.SampledFrom([]int64{0, -7, 9e17, -1 << 61}).Draw(t, "zero")}
	}
	last := l[len(l)-1]
	pos, m := drawSteps(t)
	e := entry{pos: last.pos + pos, m: last.m + m, err: rapid.Int64Range(0, 1e6).Draw(t, "err")}
	if rapid.IntRange(0, 3).Draw(t, "hole") == 0 {
		e.lost = pos
		if rapid.IntRange(0, 4).Draw(t, "no anchor at its beginning") == 0 {
			e.lost = rapid.Int64Range(1, pos).Draw(t, "lost")
		}
		e.lostErr = rapid.Int64Range(0, 100).Draw(t, "lost err")
	}
	return e
}

// drawSome draws and tells some more entries.
func (l *plain) drawSome(t *rapid.T, to *Ledger) {
	for range rapid.IntRange(1, 12).Draw(t, "entries") {
		e := l.draw(t)
		*l = append(*l, e)
		e.tell(t, to)
	}
}

// aPos draws a position in or beside what is known.
func (l plain) aPos(t *rapid.T) audio.Pos {
	e := rapid.SampledFrom(l).Draw(t, "at")
	if rapid.Bool().Draw(t, "beside") {
		return audio.Pos(max(0, e.pos+rapid.Int64Range(-2, 2).Draw(t, "by")))
	}
	return audio.Pos(rapid.Int64Range(l[0].pos, l[len(l)-1].pos+2).Draw(t, "pos"))
}

// aTime draws a time in or beside what is known.
func (l plain) aTime(t *rapid.T) int64 {
	e := rapid.SampledFrom(l).Draw(t, "when")
	if rapid.Bool().Draw(t, "beside") {
		return e.m + rapid.Int64Range(-2, 2).Draw(t, "by")
	}
	return rapid.Int64Range(l[0].m-2, l[len(l)-1].m+2).Draw(t, "time")
}

// regular is a ledger of n anchors a second apart, of a device that is ppm
// fast, from position 0 and time 0.
func regular(t tb, n int64, ppm int64) *Ledger {
	t.Helper()
	l := newLedger(t, LedgerConfig{Rate: testRate})
	for i := range n {
		must(t, l.Append(Anchor{audio.Pos(testRate * i), 1e9*i - 1000*ppm*i, 20_000}))
	}
	return l
}

var _ tb = (*testing.T)(nil)
