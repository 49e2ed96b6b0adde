package clock

import (
	"errors"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

// What is known Live says as Keys do, and behind that it goes on, says that it
// is provisional, and obeys the law. It stays as it was when it was asked for.
func TestLiveGoesOnAndSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, rows := newLedger(t, LedgerConfig{Rate: testRate}), plain{}
		rows.drawSome(t, l)
		live, end := l.Live(), rows[len(rows)-1]
		again := plain{}
		again = append(again, rows...)
		again.drawSome(t, l)
		for range 20 {
			p, m := again.aPos(t), again.aTime(t)
			key, guessed, keyErr := live.Key(p)
			if want, ok := rows.key(int64(p)); int64(p) <= end.pos && ((keyErr == nil) != ok || key != want || guessed) {
				t.Fatalf("Key(%d) = %d, %v, %v, want %d", p, key, guessed, keyErr, want)
			}
			low, early, lowErr := live.Lower(m)
			if want, ok := rows.lower(m); m <= end.m && ((lowErr == nil) != ok || int64(low) != want || early) {
				t.Fatalf("Lower(%d) = %d, %v, %v, want %d", m, low, early, lowErr, want)
			}
			if keyErr == nil && guessed != (int64(p) > end.pos) || lowErr == nil && early != (m > end.m) {
				t.Fatalf("the end is %+v: Key(%d) is provisional: %v; Lower(%d): %v", end, p, guessed, m, early)
			}
			if keyErr == nil && lowErr == nil && (low <= p) != (m <= key) {
				t.Fatalf("Lower(%d) = %d, but Key(%d) = %d", m, low, p, key)
			}
			if q := end.pos + 1; keyErr == nil && int64(p) > end.pos && key < end.m {
				t.Fatalf("behind %+v: Key(%d) = %d, from %d on", end, p, key, q)
			}
		}
	})
}

// The rate is the newest that can be told, and that of a hole is none.
func TestLiveTakesTheLastRate(t *testing.T) {
	rate := func(l *Ledger, want float64) {
		t.Helper()
		end := audio.Pos(l.rows.Look().Last()[rowPos])
		a, _, err := l.Live().Key(end)
		b, provisional, err2 := l.Live().Key(end + 100*testRate)
		if err := errors.Join(err, err2); err != nil || !provisional || float64(b-a) < want-1 || float64(b-a) > want+1 {
			t.Errorf("100 s of frames last %d ns, %v, want %.0f", b-a, err, want)
		}
	}
	l := newLedger(t, LedgerConfig{Rate: testRate})
	if _, _, err := l.Live().Key(0); !errors.Is(err, ErrNotYet) {
		t.Errorf("with no anchor: %v", err)
	}
	if _, _, err := l.Live().Lower(0); !errors.Is(err, ErrNotYet) {
		t.Errorf("with no anchor: %v", err)
	}
	must(t, l.Append(Anchor{0, 0, 0}))
	rate(l, 100e9) // nominal
	must(t, l.Append(Anchor{10, 999_999, 0}))
	rate(l, 100e9) // ten frames say nothing
	must(t, l.Append(Anchor{10 + testRate, 999_999 + 1e9 - 37_000, 0}))
	rate(l, 100e9-3_700_000)
	must(t, l.AppendSegment(Segment{10 + 2*testRate, 5e9, 0, audio.Device, testRate, 0}))
	rate(l, 100e9-3_700_000) // over the hole
	must(t, l.Append(Anchor{10 + 3*testRate, 6e9 + 20_000, 0}))
	rate(l, 100e9+2_000_000)
	for i := range audio.Pos(100) {
		must(t, l.Append(Anchor{20 + 3*testRate + i, 7e9 + int64(i), 0}))
	}
	rate(l, 100e9) // too long ago
	for _, p := range []audio.Pos{-1, 1<<62 + 1<<61, 1<<63 - 1} {
		if m, _, err := l.Live().Key(p); err == nil {
			t.Errorf("Key(%d) = %d", p, m)
		}
	}
	if p, _, err := l.Live().Lower(1<<63 - 1); err != nil || p < 4e14 {
		t.Errorf("292 years on: %d, %v", p, err)
	}
}

// Last and Since are the newest and the oldest anchor.
func TestALedgerKnowsItsEnds(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	if _, ok := l.Last(); ok {
		t.Error("the newest of nothing")
	}
	if _, ok := l.Since(); ok {
		t.Error("the oldest of nothing")
	}
	must(t, l.Append(Anchor{5, 50, 1}))
	must(t, l.AppendSegment(Segment{9, 90, 2, audio.XRun, 3, 1}))
	if a, ok := l.Last(); !ok || a != (Anchor{9, 90, 2}) {
		t.Errorf("the newest is %+v, %v", a, ok)
	}
	must(t, l.Append(Anchor{11, 110, 3}))
	if a, ok := l.Last(); !ok || a != (Anchor{11, 110, 3}) {
		t.Errorf("the newest is %+v, %v", a, ok)
	}
	if m, ok := l.Since(); !ok || m != 50 {
		t.Errorf("the oldest is at %d ns, %v", m, ok)
	}
}

// Two ledgers that share their labels both tell UTC by a new one.
func TestLabelsServeManyLedgers(t *testing.T) {
	var shared Labels
	a, b := newLedger(t, LedgerConfig{Rate: testRate, Labels: &shared}), newLedger(t, LedgerConfig{Rate: testRate, Labels: &shared})
	must(t, shared.Append(Label{M: 7, UTC: utc0, Sync: SyncYes, Why: WhyOpen}))
	for _, l := range []*Ledger{a, b} {
		must(t, l.Append(Anchor{0, 7, 0}))
		label, ok := l.Labels().At(7)
		if utc, err := l.UTC(label).Key(0); !ok || err != nil || utc != utc0 {
			t.Errorf("frame 0 is at %d, %v", utc, err)
		}
	}
}
