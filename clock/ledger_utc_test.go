package clock

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

const utc0 = int64(1_795_305_600e9) // 2026-11-22

// holed is ten seconds of sound, a hole of half a second, one of five, and two
// more seconds. Its latency is known to a millisecond.
func holed(t tb) *Ledger {
	t.Helper()
	l := newLedger(t, LedgerConfig{Rate: testRate, LatencyErr: 1e6})
	must(t, l.Labels().Append(Label{M: 0, UTC: utc0, Err: 500, Sync: SyncYes, Why: WhyOpen}))
	for s := range int64(11) {
		must(t, l.Append(Anchor{audio.Pos(testRate * s), 1e9 * s, 100 * s}))
	}
	must(t, l.AppendSegment(Segment{10.5 * testRate, 10.5e9, 7000, audio.XRun, testRate / 2, 48}))
	must(t, l.Append(Anchor{11 * testRate, 11e9, 1}))
	must(t, l.AppendSegment(Segment{16 * testRate, 16e9, 8000, audio.Device, 5 * testRate, 480}))
	must(t, l.Append(Anchor{17 * testRate, 17e9, 2}))
	must(t, l.Append(Anchor{20 * testRate, 20e9, 3})) // two are missing
	return l
}

// An error is the sum of its parts, each of the size that its reason gives.
func TestErrorOfAnInstantIsTheSumOfItsParts(t *testing.T) {
	l := holed(t)
	a, _ := l.Labels().At(0)
	u := l.UTC(a)
	for _, c := range []struct {
		name    string
		at      float64 // seconds
		parts   Parts
		largest Part
		flags   string
	}{
		{"on an anchor", 3, Parts{300, 0, 1e6, 500 + 3000, 10417}, PartLatency, ""},
		{"between two, the worse counts", 3.5, Parts{400, 0, 1e6, 500 + 3500, 10417}, PartLatency, ""},
		{"the last before a hole", 10 - 1./testRate, Parts{1000, 0, 1e6, 500 + 10000, 10417}, PartLatency, ""},
		{"a hole's beginning", 10, Parts{1000, 0, 1e6, 500 + 10000, 10417}, PartLatency, "hole"},
		{"in a hole, its length counts", 10.25, Parts{7000, 1e6, 1e6, 500 + 10250, 10417}, PartBetween, "hole"},
		{"a hole's end", 10.5, Parts{7000, 0, 1e6, 500 + 10500, 10417}, PartLatency, ""},
		{"in a long hole, 500 ppm to the nearer end", 12, Parts{8000, 10e6 + 500_000, 1e6, 500 + 12000, 10417}, PartBetween, "hole"},
		{"as long to the other", 15, Parts{8000, 10e6 + 500_000, 1e6, 500 + 15000, 10417}, PartBetween, "hole"},
		{"where anchors are missing", 18, Parts{3, 500_000, 1e6, 500 + 18000, 10417}, PartLatency, ""},
		{"the frame behind the last anchor", 20, Parts{3, 0, 1e6, 500 + 20000, 10417}, PartLatency, "extrapolated"},
		{"four seconds on", 24, Parts{3, 2e6, 1e6, 500 + 24000, 10417}, PartBetween, "extrapolated"},
	} {
		got, err := u.At(audio.Pos(c.at*testRate + .5))
		flags := ""
		for name, set := range map[string]bool{"hole": got.InHole, "extrapolated": got.Extrapolated, "unsynchronised": got.Unsynchronised} {
			if set {
				flags += name
			}
		}
		sum := int64(0)
		for _, ns := range got.Parts {
			sum += ns
		}
		want := utc0 + int64(c.at*1e9)
		if err != nil || got.Parts != c.parts || got.Err != sum || got.Parts.Largest() != c.largest || flags != c.flags || got.UTC < want-1 || got.UTC > want+1 {
			t.Errorf("%s: got %+v, %v, %v, want %v, %v, flags %q", c.name, got, got.Parts.Largest(), err, c.parts, c.largest, c.flags)
		}
	}
	l.Close()
	if end, err := u.At(20 * testRate); err != nil || end.Extrapolated {
		t.Errorf("the end of a stream: %+v, %v", end, err)
	}
	if behind, err := u.At(20*testRate + 1); err != nil || !behind.Extrapolated {
		t.Errorf("behind the end of a stream: %+v, %v", behind, err)
	}
	if _, err := u.At(-1); err == nil {
		t.Error("a negative position has a time")
	}
	if _, err := newLedger(t, LedgerConfig{Rate: 1}).UTC(a).At(0); !errors.Is(err, ErrNotYet) {
		t.Errorf("with no anchor: %v", err)
	}
}

// A hole whose first anchor is missing begins where it began.
func TestHoleWithoutItsAnchorIsKnownByItsLength(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	must(t, l.Append(Anchor{0, 0, 0}))
	must(t, l.AppendSegment(Segment{1000, 1e9, 0, audio.XRun, 10, 0}))
	must(t, l.Append(Anchor{2000, 2e9, 0}))
	for p := range audio.Pos(2000) {
		if a, err := l.UTC(Label{}).At(p); err != nil || a.InHole != (990 <= p && p < 1000) {
			t.Fatalf("position %d: in the hole: %v, %v", p, a.InHole, err)
		}
	}
}

// The drift of a label counts 100 ppm where the clock was not synchronised in
// between, and 1 ppm where it was, before the label and behind it.
func TestDriftOfALabelDependsOnWhatIsInBetween(t *testing.T) {
	l := regular(t, 101, 0)
	for i, sync := range []string{SyncNo, SyncNo, SyncYes, SyncYes, SyncYes, SyncNo, SyncYes, SyncGiven} {
		must(t, l.Labels().Append(Label{M: int64(i+1) * 10e9, UTC: utc0, Sync: sync, Why: WhyBeat}))
	}
	for _, c := range []struct{ label, at, ppm int64 }{
		{40, 40, 1}, {40, 35, 1}, {40, 30, 1}, {40, 29, 100}, {40, 5, 100}, {40, 50, 1}, {40, 55, 1}, {40, 60, 1}, {40, 61, 100}, {40, 90, 100},
		{30, 29, 100}, {30, 30, 1}, {30, 60, 1}, {50, 59, 1}, {50, 60, 1}, {50, 61, 100}, {60, 59, 1}, {60, 30, 1}, {60, 61, 100}, {10, 9, 100}, {10, 11, 100},
		{70, 69, 100}, {70, 71, 1}, {70, 99, 1}, {80, 70, 1}, {80, 69, 100}, {80, 99, 1},
	} {
		a, _ := l.Labels().At(c.label * 1e9)
		got, err := l.UTC(a).At(audio.Pos(c.at * testRate))
		if want := max(c.at-c.label, c.label-c.at) * 1000 * c.ppm; err != nil || got.Parts[PartLabel] != want || got.Unsynchronised != (a.Sync == SyncNo) {
			t.Errorf("the label of %d s at %d s: ± %d ns, unsynchronised %v, %v, want ± %d", c.label, c.at, got.Parts[PartLabel], got.Unsynchronised, err, want)
		}
	}
	synced := regular(t, 101, 0)
	must(t, synced.Labels().Append(Label{M: 40e9, Sync: SyncYes, Why: WhyOpen}))
	for _, l := range []*Ledger{l, synced} {
		foreign := l.UTC(Label{M: 45e9, Sync: SyncYes})
		if got, err := foreign.At(46 * testRate); err != nil || got.Parts[PartLabel] != 100_000 {
			t.Errorf("a label that the ledger never had: %+v, %v", got, err)
		}
	}
}

// A time by a label is that of monotonic time, whatever other labels there are.
func TestUTCHoldsItsLabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, rows := newLedger(t, LedgerConfig{Rate: testRate}), plain{}
		rows.drawSome(t, l)
		var utcs []UTC
		for i, utc := range rapid.SliceOfN(rapid.Int64Range(-1e18, 1e18), 1, 5).Draw(t, "labels") {
			must(t, l.Labels().Append(Label{M: rows[0].m + int64(i)*1e9, UTC: utc, Sync: SyncNo, Why: WhyStep}))
			a, ok := l.Labels().At(1<<62 - 1)
			if !ok || a.UTC != utc {
				t.Fatalf("the newest label is %+v", a)
			}
			utcs = append(utcs, l.UTC(a))
		}
		for range 10 {
			p := rows.aPos(t)
			m, known := rows.key(int64(p))
			for _, u := range utcs {
				key, err := u.Key(p)
				if want := m - u.Label().M + u.Label().UTC; (err == nil) != known || known && key != want {
					t.Fatalf("Key(%d) by %+v = %d, %v, want %d", p, u.Label(), key, err, want)
				}
				if a, err := u.At(p); known && (err != nil || a.UTC != key) {
					t.Fatalf("At(%d) by %+v = %+v, %v, want %d", p, u.Label(), a, err, key)
				}
			}
		}
	})
}

// An error too large to be told is told as the largest.
func TestErrorsDoNotWrap(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate, LatencyErr: 1<<63 - 1})
	must(t, l.Append(Anchor{0, 0, 1<<63 - 1}))
	must(t, l.AppendSegment(Segment{1000, 1e9, 1<<63 - 1, audio.XRun, 10, 1<<63 - 1}))
	must(t, l.Append(Anchor{2000, 2e9, 1<<63 - 1}))
	must(t, l.Labels().Append(Label{Err: 1<<63 - 1, Sync: SyncNo, Why: WhyOpen}))
	a, _ := l.Labels().At(0)
	for p := range audio.Pos(3000) {
		if at, err := l.UTC(a).At(p); err != nil || at.Err != 1<<63-1 {
			t.Fatalf("position %d: ± %d, %v", p, at.Err, err)
		}
	}
}

// The parts have the names that users read.
func TestPartsHaveNames(t *testing.T) {
	if got, want := fmt.Sprint(PartEstimator, PartBetween, PartLatency, PartLabel, PartRounding, Part(9)), "estimator between anchors latency label rounding part(9)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
