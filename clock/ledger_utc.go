package clock

import (
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// UTC are Unix ns by one label, for its whole life. So they are monotone, never
// jump, and the same query finds the same frames for ever. A label of any time
// will do: see Labels.At and Labels.Best.
type UTC struct {
	Keys
	label Label
	from  reference
}

// UTC returns the keys by that label.
func (l *Ledger) UTC(a Label) UTC {
	return UTC{Keys{l, a.M, a.UTC, 1}, a, l.labels.reference(a)}
}

// Label is the one that the keys are by.
func (u UTC) Label() Label { return u.label }

// An Instant is when a frame began.
type Instant struct {
	UTC   int64 // Unix ns
	Err   int64 // half width in ns: the sum of the parts
	Parts Parts

	// Extrapolated says that the frame lies behind the newest anchor: all this
	// is provisional, by the last rate.
	Extrapolated   bool
	InHole         bool // the frame was not captured
	Unsynchronised bool // the label's wall clock was not
}

// Part is a reason for which an instant may be wrong.
type Part uint8

// The parts, in their order.
const (
	PartEstimator Part = iota // of the worse anchor beside the frame
	PartBetween               // anchors are missing, or a hole's length is not known to the frame
	PartLatency               // of the source, constant
	PartLabel                 // of the wall clock, and the drift since
	PartRounding              // half a frame
	partCount
)

var partNames = [partCount]string{"estimator", "between anchors", "latency", "label", "rounding"}

// String is the name of the part.
func (p Part) String() string {
	if p >= partCount {
		return fmt.Sprintf("part(%d)", uint8(p))
	}
	return partNames[p]
}

// Parts are ns of half width.
type Parts [partCount]int64

// Largest is the first of the largest parts.
func (p Parts) Largest() Part {
	largest := Part(0)
	for i := range partCount {
		if p[i] > p[largest] {
			largest = i
		}
	}
	return largest
}

func (p Parts) sum() int64 {
	sum := int64(0)
	for _, ns := range p {
		sum = capped(sum, ns)
	}
	return sum
}

// At is when the frame at p began, and how well that is known. It agrees with
// Key where that answers, and goes on behind the newest anchor.
func (u UTC) At(p audio.Pos) (Instant, error) {
	m, a, err := u.ledger.instant(p)
	if err != nil {
		return Instant{}, fmt.Errorf("time of position %d: %w", p, err)
	}
	utc, ok := u.keyOf(m)
	if !ok {
		return Instant{}, fmt.Errorf("time of position %d: %w", p, errFar)
	}
	l := u.ledger
	a.UTC = utc
	a.Unsynchronised = u.label.Sync == SyncNo
	a.Parts[PartLatency] = l.config.LatencyErr
	a.Parts[PartLabel] = capped(u.label.Err, u.from.drift(l.labels.rows.Look(), m))
	a.Parts[PartRounding] = int64(scaleUp(1, 1e9, 2*uint64(l.config.Rate)))
	a.Err = a.Parts.sum()
	return a, nil
}

// maxTurn is how much the rate may change where there are no anchors, in
// millionths.
const maxTurn = 500

// instant is M(p), and of an Instant what the rows beside p say.
func (l *Ledger) instant(p audio.Pos) (m int64, a Instant, err error) {
	k := l.rows.Look()
	i := k.upTo(rowPos, int64(p)) // the newest row at or before p
	switch {
	case k.From == k.To || p < 0 || i < k.From:
		_, err = timeOf(k, p)
		return 0, a, err
	case i == k.To-1:
		if m, err = l.live(k).timeBehind(*k.Row(i), int64(p)); err != nil {
			return 0, a, err
		}
		// Whether the frame behind the newest row is one is known when that is
		// the end, or not the newest any more.
		a.Extrapolated = int64(p) > k.Row(i)[rowPos] || !k.Over
		err = l.parts(&a.Parts, *k.Row(i), m-k.Row(i)[rowM])
		return m, a, err
	}
	r, next := *k.Row(i), *k.Row(i + 1)
	m = timeIn(&r, &next, int64(p))
	if next.isSegment() {
		hole := l.segment(next)
		if hole == nil {
			return 0, a, errForgotten
		}
		a.InHole = int64(p) >= next[rowPos]-hole[segmentLost]
		if a.InHole && int64(p) > r[rowPos] {
			a.Parts[PartBetween] = l.framesLast(hole[segmentLostErr])
		}
	}
	missing := int64(0)
	if next[rowPos]-r[rowPos] > int64(l.config.Rate) {
		missing = min(m-r[rowM], next[rowM]-m)
	}
	if err = l.parts(&a.Parts, r, missing); err == nil && int64(p) > r[rowPos] {
		err = l.parts(&a.Parts, next, 0)
	}
	return m, a, err
}

// parts adds what a row beside a frame, missing ns away from it, tells of the
// error.
func (l *Ledger) parts(all *Parts, r row, missing int64) error {
	e := r[rowErr]
	if r.isSegment() {
		s := l.segment(r)
		if s == nil {
			return errForgotten
		}
		e = s[segmentErr]
	}
	all[PartEstimator] = max(all[PartEstimator], e)
	all[PartBetween] = capped(all[PartBetween], int64(scaleUp(maxTurn, uint64(missing), 1e6)))
	return nil
}

// framesLast is how long frames last, in ns, rounded up.
func (l *Ledger) framesLast(frames int64) int64 {
	rate := int64(l.config.Rate)
	if frames/rate > 1<<32 {
		return 1 << 62
	}
	return frames/rate*1e9 + int64(scaleUp(uint64(frames%rate), 1e9, uint64(rate)))
}
