package clock_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/reader/readertest"
)

// piece is an anchor, or a segment if it has lost frames.
type piece struct {
	p    audio.Pos
	m    int64
	lost int64
}

// shapes are streams of which the first rows are known at once.
func shapes() map[string][]piece {
	steady, wide, holes := []piece{}, []piece{}, []piece{}
	dense, coarse := []piece{}, []piece{}
	for i := range int64(60) {
		steady = append(steady, piece{audio.Pos(480 * i), 7 + 10_000_370*i, 0})
		wide = append(wide, piece{audio.Pos(1e10 * i), -4e14 + 4e14*i, 0})
		dense = append(dense, piece{audio.Pos(5 + i), 1_000_003 * i, 0})
		coarse = append(coarse, piece{audio.Pos(1000 * i), 3 * i, 0}) // many frames a ns
		p, m := audio.Pos(1000*i), 20_833_333*i
		holes = append(holes, piece{p, m, 0}, piece{p + 300, m + 6_250_100, 0}, piece{p + 480, m + 11_000_000, 180})
	}
	return map[string][]piece{"steady": steady, "wide": wide, "dense": dense, "many frames a nanosecond": coarse, "holes": holes}
}

func tell(l *clock.Ledger, all []piece) {
	for _, e := range all {
		err := error(nil)
		if e.lost > 0 {
			err = l.AppendSegment(clock.Segment{From: e.p, M: e.m, Why: audio.Device, Lost: e.lost})
		} else {
			err = l.Append(clock.Anchor{Pos: e.p, M: e.m})
		}
		if err != nil {
			panic(err)
		}
	}
}

// floor is a*b/c rounded down, of what is not negative.
func floor(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}

// floorDiv is a/b rounded down, where b is positive.
func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// timeAt is the time of p by a walk along all of them.
func timeAt(all []piece, p audio.Pos) int64 {
	i := 0
	for all[i+1].p < p {
		i++
	}
	a, b := all[i], all[i+1]
	return a.m + floor(int64(p-a.p), b.m-a.m, int64(b.p-a.p))
}

// growing is keys of a ledger that knows a third of the pieces, and then
// learns the others and its end.
func growing(all []piece, keys func(*clock.Ledger) readertest.Keys) readertest.Keys {
	l, err := clock.NewLedger(clock.LedgerConfig{Rate: 48000})
	if err != nil {
		panic(err)
	}
	for i, session := range []audio.Session{100, 200} {
		if err := l.AppendMark(clock.Mark{From: all[i].p, M: all[i].m, Session: session}); err != nil {
			panic(err)
		}
	}
	for _, a := range []clock.Label{{M: all[0].m, UTC: 12e17, Why: clock.WhyOpen}, {M: all[9].m, Raw: 5, UTC: 9e17, Why: clock.WhyStep}} {
		a.Sync = clock.SyncYes
		if err := l.Labels().Append(a); err != nil {
			panic(err)
		}
	}
	known := len(all) / 3
	tell(l, all[:known])
	k := keys(l)
	k.Span = audio.Span{From: all[0].p, To: all[known-1].p + 1}
	steps := []int{known + 1, len(all) - 1, len(all)}
	told, closed := known, false
	k.Grow = func() bool {
		switch {
		case len(steps) > 0:
			tell(l, all[told:steps[0]])
			told, steps = steps[0], steps[1:]
		case !closed:
			closed = true
			l.Close()
		default:
			return false
		}
		return true
	}
	return k
}

// All keys of a ledger are a reader's keys, and wait as such.
func TestKeysPassTheSuite(t *testing.T) {
	for name, all := range shapes() {
		for kind, keys := range map[string]func(l *clock.Ledger) readertest.Keys{
			"ns": func(l *clock.Ledger) readertest.Keys {
				return readertest.Keys{KeyTrans: l.Keys(), Want: func(p audio.Pos) int64 { return timeAt(all, p) }}
			},
			"utc": func(l *clock.Ledger) readertest.Keys {
				a, _ := l.Labels().At(math.MaxInt64)
				return readertest.Keys{KeyTrans: l.UTC(a), Want: func(p audio.Pos) int64 { return 9e17 + timeAt(all, p) - all[9].m }}
			},
			"ms": func(l *clock.Ledger) readertest.Keys {
				m, _ := l.MarkAt(math.MaxInt64)
				return readertest.Keys{KeyTrans: l.Millis(m), Want: func(p audio.Pos) int64 {
					return floorDiv(timeAt(all, p)-all[1].m, 1e6)
				}}
			},
			"utc far away": func(l *clock.Ledger) readertest.Keys {
				return readertest.Keys{KeyTrans: l.UTC(clock.Label{UTC: math.MaxInt64 - 1e18, Sync: clock.SyncNo})}
			},
		} {
			if kind == "utc far away" && name == "wide" {
				continue // it leaves the 63 bits
			}
			t.Run(fmt.Sprintf("%s of %s", kind, name), func(t *testing.T) {
				readertest.TestKeyTrans(t, func() readertest.Keys { return growing(all, keys) })
			})
		}
	}
}

// What a ledger has forgotten is not asked of it any more, but the rest obeys.
func TestKeysOfALedgerThatForgetsPassTheSuite(t *testing.T) {
	var all []piece
	for i := range int64(6000) {
		all = append(all, piece{audio.Pos(480 * i), 9 + 10_000_370*i + i%7, 0})
	}
	readertest.TestKeyTrans(t, func() readertest.Keys {
		var of *clock.Ledger
		k := growing(all, func(l *clock.Ledger) readertest.Keys {
			of = l
			return readertest.Keys{KeyTrans: l.Keys(), Want: func(p audio.Pos) int64 { return timeAt(all[1000:], p) }}
		})
		k.Span.From = all[1500].p
		of.Forget(all[1200].p)
		grow := k.Grow
		k.Grow = func() bool {
			of.Forget(k.Span.From)
			return grow()
		}
		return k
	})
}
