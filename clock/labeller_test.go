package clock_test

import (
	"testing"
	"time"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clocktest"
)

// notices shows a watch a second's readings for as long as that, and returns
// what it says.
func notices(c *clocktest.Clock, w *clock.Labeller, seconds int) (all []clock.Notice) {
	for range seconds {
		if n, ok := w.Next(c.Read(), c.Sync()); ok {
			all = append(all, n)
		}
		c.Advance(time.Second)
	}
	return all
}

// TestALabelHoldsUntilItIsReplaced: whatever happens to the clocks, the wall
// clock is what the last notice says, give or take its errors.
func TestALabelHoldsUntilItIsReplaced(t *testing.T) {
	for _, noise := range []int64{0, 180} {
		for _, tr := range clocktest.Troubles() {
			c := clocktest.New(begin)
			c.Noise(noise, 2)
			zero := c.Read()
			w := clock.NewLabeller(zero)
			var last clock.Notice
			said := map[string]int{}
			var steps int64
			for i := range 300 {
				if i == 100 {
					tr.Do(c)
				}
				r := c.Read()
				n, ok := w.Next(r, c.Sync())
				if ok {
					said[n.Why]++
					steps += n.Step
					last = n
				}
				m := r.Boot - zero.Boot
				if wrong := abs(last.UTC + (m - last.M) - r.Real); wrong > 1000+2*noise {
					t.Fatalf("%s: second %d: the label is wrong by %d ns", tr.Name, i, wrong)
				}
				if d := m - last.M; d > clock.Beat {
					t.Fatalf("%s: second %d: the label is %d ns old", tr.Name, i, d)
				}
				c.Advance(time.Second)
			}
			if hidden := abs(int64(tr.Step)) <= 1000+2*noise; !hidden && abs(steps-int64(tr.Step)) > 2*noise || said["step"] > 1 {
				t.Errorf("%s: told of %d ns in %d steps, want %d", tr.Name, steps, said["step"], tr.Step)
			}
			if said["open"] != 1 || said["beat"] < 3 {
				t.Errorf("%s: got %v", tr.Name, said)
			}
		}
	}
}

func TestReasonsOfLabelsComeInTheirOrder(t *testing.T) {
	c := clocktest.New(begin)
	zero := c.Read()
	c.Suspend(time.Hour)
	c.Advance(7)
	w := clock.NewLabeller(zero)
	c.SetSync(clock.Sync{Known: true})
	c.At(90*time.Second, func(c *clocktest.Clock) { // two steps in a second, and the sync comes back
		c.Step(-time.Second)
		c.Step(time.Hour)
		c.SetSync(clock.Sync{Known: true, On: true, MaxErr: 5e6})
	})
	c.At(100*time.Second, func(c *clocktest.Clock) { c.SetSync(clock.Sync{Known: true, MaxErr: 9e6}) })
	got := notices(c, w, 162)
	const hour, s = int64(time.Hour), int64(time.Second)
	utc := begin.Add(time.Hour + 7).UnixNano()
	want := []clock.Notice{
		{M: hour + 7, Raw: hour + 7, UTC: utc, Err: 16e9, Sync: "no", Why: "open"},
		{M: hour + 60*s + 7, Raw: hour + 60*s + 7, UTC: utc + 60*s, Err: 16e9, Sync: "no", Why: "beat"},
		{M: hour + 90*s + 7, Raw: hour + 90*s + 7, UTC: utc + 90*s + hour - s, Err: 5e6, Sync: "yes", Why: "step", Step: hour - s},
		{M: hour + 100*s + 7, Raw: hour + 100*s + 7, UTC: utc + 100*s + hour - s, Err: 16e9, Sync: "no", Why: "sync"},
		{M: hour + 160*s + 7, Raw: hour + 160*s + 7, UTC: utc + 160*s + hour - s, Err: 16e9, Sync: "no", Why: "beat"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d notices, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("notice %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
}

// TestSmallStepsDoNotAddUp: each of them is too small to be one.
func TestSmallStepsDoNotAddUp(t *testing.T) {
	c := clocktest.New(begin)
	w := clock.NewLabeller(c.Read())
	notices(c, w, 1)
	var told int64
	for range 10 {
		c.Step(900)
		for _, n := range notices(c, w, 1) {
			told += n.Step
		}
	}
	if told != 9000 {
		t.Errorf("told of %d ns, want 9000", told)
	}
}

// TestAnErrorThatGrowsIsNoNews: the kernel's does, between two answers of a
// server. The next beat tells it.
func TestAnErrorThatGrowsIsNoNews(t *testing.T) {
	c := clocktest.New(begin)
	w := clock.NewLabeller(c.Read())
	notices(c, w, 1)
	for i := range int64(59) {
		c.SetSync(clock.Sync{Known: true, On: true, MaxErr: i * 500_000})
		if got := notices(c, w, 1); got != nil {
			t.Fatalf("second %d: got %+v", i, got)
		}
	}
	if got := notices(c, w, 1); len(got) != 1 || got[0].Err != 58*500_000 {
		t.Errorf("got %+v", got)
	}
}

// TestTheErrorOfALabelCountsTheReading too.
func TestTheErrorOfALabelCountsTheReading(t *testing.T) {
	c := clocktest.New(begin)
	c.Noise(400, 1)
	c.SetSync(clock.Sync{Known: true, On: true, MaxErr: 1_200_000})
	n, ok := clock.NewLabeller(c.Read()).Next(c.Read(), c.Sync())
	if !ok || n.Err != 1_200_400 || n.Sync != "yes" {
		t.Errorf("got %+v, %v", n, ok)
	}
}

func BenchmarkLabeller(b *testing.B) {
	b.ReportAllocs()
	c := clocktest.New(begin)
	w, r := clock.NewLabeller(c.Read()), c.Read()
	w.Next(r, clock.Sync{})
	for b.Loop() {
		w.Next(r, clock.Sync{})
	}
}
