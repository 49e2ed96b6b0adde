package clock

import (
	"fmt"
	"math/bits"

	"github.com/ingestd/ingestd/audio"
)

// Live is a ledger as it was when it was asked for, which goes on behind the
// newest anchor at the last rate. What it says there is provisional: a later
// Live may say otherwise. So it is for showing and planning, and never stored.
//
// Its answers are times, as those of Ledger.Keys, and obey the same law.
type Live struct {
	look       Look[row]
	ns, frames int64 // so many frames last so long behind the newest anchor
}

// Live returns the ledger as it is now.
func (l *Ledger) Live() Live { return l.live(l.rows.Look()) }

// live takes the rate of the newest stretch of sound of a tenth of a second,
// or the nominal rate. It looks at few rows, so that its cost does not grow.
func (l *Ledger) live(k Look[row]) Live {
	const most = 16
	for i := k.To - 1; i > max(k.From, k.To-most); i-- {
		a, b := k.Row(i-1), k.Row(i)
		if frames := b[rowPos] - a[rowPos]; !b.isSegment() && frames >= int64(l.config.Rate)/10 {
			return Live{k, b[rowM] - a[rowM], frames}
		}
	}
	return Live{k, 1e9, int64(l.config.Rate)}
}

// Key is the time of the boundary before the frame at p, and whether that is
// provisional.
func (v Live) Key(p audio.Pos) (m int64, provisional bool, err error) {
	last := v.look.Last()
	if last == nil || int64(p) <= last[rowPos] {
		m, err = timeOf(v.look, p)
	} else {
		provisional = true
		m, err = v.timeBehind(*last, int64(p))
	}
	if err != nil {
		return 0, false, fmt.Errorf("time of position %d: %w", p, err)
	}
	return m, provisional, nil
}

// Lower is the first position whose time is at least m, and whether that is
// provisional.
func (v Live) Lower(m int64) (p audio.Pos, provisional bool, err error) {
	last := v.look.Last()
	if last == nil || m <= last[rowM] {
		p, err = lower(v.look, m)
	} else {
		provisional = true
		p, err = v.posBehind(*last, m)
	}
	if err != nil {
		return 0, false, fmt.Errorf("position at %d ns: %w", m, err)
	}
	return p, provisional, nil
}

// timeBehind is last's time and that of the frames up to p, rounded down.
func (v Live) timeBehind(last row, p int64) (int64, error) {
	hi, lo := bits.Mul64(uint64(p-last[rowPos]), uint64(v.ns))
	if hi >= uint64(v.frames) {
		return 0, errFar
	}
	ns, _ := bits.Div64(hi, lo, uint64(v.frames))
	if ns >= 1<<62 || !inRange(last[rowM]+int64(ns)) {
		return 0, errFar
	}
	return last[rowM] + int64(ns), nil
}

// posBehind is the first position at or behind m.
func (v Live) posBehind(last row, m int64) (audio.Pos, error) {
	hi, lo := bits.Mul64(uint64(m)-uint64(last[rowM]), uint64(v.frames))
	if hi >= uint64(v.ns) {
		return 0, errFar
	}
	frames, rest := bits.Div64(hi, lo, uint64(v.ns))
	if rest > 0 {
		frames++
	}
	if frames > 1<<62 || last[rowPos] > 1<<62-1 {
		return 0, errFar
	}
	return audio.Pos(last[rowPos] + int64(frames)), nil
}
