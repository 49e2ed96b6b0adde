package clock

import (
	"testing"

	"pgregory.net/rapid"
)

// Labels come back as they were told, with the step that the wall clock made.
func TestLabelsComeBackWithTheirSteps(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	if _, ok := l.Labels().At(0); ok {
		t.Error("a label of nothing")
	}
	want := []Label{
		{M: 10, Raw: 5, UTC: 1000, Err: 7, Sync: SyncNo, Why: WhyOpen},
		{M: 60e9, Raw: 61e9, UTC: 60e9 + 990, Err: 7, Sync: SyncYes, Why: WhySync}, // as exact as it was read
		{M: 61e9, Raw: 62e9, UTC: 61e9 + 990 + 1000, Err: 1, Sync: SyncYes, Why: WhyBeat},
		{M: 62e9, Raw: 63e9, UTC: 62e9 + 990 + 2001, Err: 1, Sync: SyncYes, Why: WhyStep, Step: 1001},
		{M: 63e9, Raw: 64e9, UTC: 63e9 - 3600e9, Err: 1, Sync: SyncGiven, Why: WhyStep, Step: -3600e9 - 2991},
	}
	for _, a := range want {
		a.Step = 77 // what is told does not matter
		must(t, l.Labels().Append(a))
	}
	i := 0
	for a := range l.Labels().From(10) {
		if a != want[i] {
			t.Errorf("label %d is %+v, want %+v", i, a, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d labels", i)
	}
	for i, a := range want {
		for _, m := range []int64{a.M, a.M + 1} {
			if got, ok := l.Labels().At(m); !ok || got != want[i] {
				t.Errorf("in force at %d: %+v, %v", m, got, ok)
			}
		}
		if got, ok := l.Labels().At(a.M - 1); ok != (i > 0) || ok && got != want[i-1] {
			t.Errorf("in force just before %d: %+v, %v", a.M, got, ok)
		}
	}
}

// The best label is the one by which the worse end of the times is known best,
// as going through all of them finds.
func TestBestLabelIsTheBest(t *testing.T) {
	if _, ok := newLedger(t, LedgerConfig{Rate: testRate}).Labels().Best(0, 0); ok {
		t.Error("the best of no labels")
	}
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger(t, LedgerConfig{Rate: testRate})
		var all []Label
		m := int64(0)
		for range rapid.IntRange(1, 8).Draw(t, "labels") {
			m += rapid.Int64Range(1, 4).Draw(t, "later") * 1e6
			a := Label{M: m, UTC: m, Err: rapid.Int64Range(0, 300).Draw(t, "err"), Sync: rapid.SampledFrom(syncWords).Draw(t, "sync"), Why: WhyBeat}
			must(t, l.Labels().Append(a))
			all = append(all, a)
		}
		from := rapid.Int64Range(-2, 30).Draw(t, "from") * 1e6
		to := from + rapid.Int64Range(0, 30).Draw(t, "long")*1e6
		drift := func(i int, at int64) int64 {
			a, rate := all[i], int64(1)
			if at < all[0].M {
				rate = 100
			}
			for j, b := range all { // in force from b.M to the next
				end := int64(1 << 62)
				if j+1 < len(all) {
					end = all[j+1].M
				}
				if b.Sync == SyncNo && b.M < max(at, a.M) && end > min(at, a.M) {
					rate = 100
				}
			}
			return (max(at, a.M) - min(at, a.M)) * rate / 1e6
		}
		best, least := Label{}, int64(1<<62)
		for i, a := range all {
			if e := a.Err + max(drift(i, from), drift(i, to)); e <= least {
				best, least = a, e
			}
		}
		if got, ok := l.Labels().Best(from, to); !ok || got != best {
			t.Fatalf("the best for [%d, %d] is %+v, %v, want %+v with ± %d", from, to, got, ok, best, least)
		}
	})
}

// Of two labels that are as good the later one is taken.
func TestOfLabelsAsGoodTheLaterIsTheBest(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	for m := range int64(3) {
		must(t, l.Labels().Append(Label{M: m * 1e9, Err: 5 + 1000*(m/2), Sync: SyncYes, Why: WhyBeat}))
	}
	if a, ok := l.Labels().Best(0, 1e9); !ok || a.M != 1e9 {
		t.Errorf("the best label is %+v, %v", a, ok)
	}
}

// A machine that boots in 1970 gets right times for all its frames by the label
// of the hour in which NTP came up.
func TestLabelOfLaterCorrectsTheHoursBefore(t *testing.T) {
	l := regular(t, 4*3600, 0)
	must(t, l.Labels().Append(Label{UTC: 5e9, Err: 16e9, Sync: SyncNo, Why: WhyOpen}))
	early, _ := l.Labels().At(0)
	live := l.UTC(early)
	must(t, l.Labels().Append(Label{M: 7200e9, UTC: utc0 + 7200e9, Err: 2e6, Sync: SyncYes, Why: WhyStep}))
	must(t, l.Labels().Append(Label{M: 7260e9, UTC: utc0 + 7260e9, Err: 1e6, Sync: SyncYes, Why: WhyBeat}))
	best, ok := l.Labels().Best(0, 4*3600e9)
	if !ok || best.M != 7200e9 { // 2 ms + 720 ms, against 1 ms + 726 ms
		t.Fatalf("the best label is %+v, %v", best, ok)
	}
	a, err := l.UTC(best).At(60 * testRate)
	if err != nil || a.UTC != utc0+60e9 || a.Unsynchronised || a.Parts[PartLabel] != 2e6+714e6 {
		t.Errorf("a minute in: %+v, %v", a, err)
	}
	if a, err := live.At(60 * testRate); err != nil || a.UTC != 65e9 || !a.Unsynchronised || a.Parts.Largest() != PartLabel {
		t.Errorf("who asked by the first label: %+v, %v", a, err)
	}
}
