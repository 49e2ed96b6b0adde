package clock

import (
	"testing"
	"time"
)

// TestAWatchJudgesByWhatIsCertain feeds rates, one a second.
func TestAWatchJudgesByWhatIsCertain(t *testing.T) {
	const hour = 3600
	for name, c := range map[string]struct {
		seconds int
		rate    func(s int) (ppm, err float64)
		at      map[int]Verdict // by the second
	}{
		"usual":                  {10, func(int) (float64, float64) { return 199, 1 }, map[int]Verdict{0: Sound, 9: Sound}},
		"fast":                   {10, func(int) (float64, float64) { return 201, 0.5 }, map[int]Verdict{0: Unusual, 9: Unusual}},
		"slow":                   {10, func(int) (float64, float64) { return -201, 0.5 }, map[int]Verdict{0: Unusual, 9: Unusual}},
		"fast, not for sure":     {10, func(int) (float64, float64) { return 201, 2 }, map[int]Verdict{0: Sound, 9: Sound}},
		"one in a hundred":       {10, func(int) (float64, float64) { return 10_100, 1 }, map[int]Verdict{0: Unusual, 4: Unusual, 5: Broken, 9: Broken}},
		"slow by the same":       {10, func(int) (float64, float64) { return -10_100, 1 }, map[int]Verdict{4: Unusual, 5: Broken}},
		"broken, not for sure":   {10, func(int) (float64, float64) { return 10_100, 200 }, map[int]Verdict{5: Unusual, 9: Unusual}},
		"broken now and then":    {20, func(s int) (float64, float64) { return float64(s%5/4*20_000) + 1, 0 }, map[int]Verdict{4: Unusual, 9: Unusual, 14: Unusual, 19: Unusual}},
		"moved":                  {2 * hour, func(s int) (float64, float64) { return 20 + 5.5*float64(s)/hour, 0.1 }, map[int]Verdict{0: Sound, hour / 2: Sound, hour: Unusual}},
		"moved in more than one": {3 * hour, func(s int) (float64, float64) { return 20 + 4.5*float64(s)/hour, 0.1 }, map[int]Verdict{hour: Sound, 2 * hour: Sound, 3*hour - 1: Sound}},
		"jumped":                 {3 * hour, func(s int) (float64, float64) { return float64(s / 9900 * 6), 0.1 }, map[int]Verdict{9899: Sound, 9900: Unusual, 3*hour - 1: Unusual}},
		"moved, not for sure":    {hour, func(s int) (float64, float64) { return float64(s % 7), 1 }, map[int]Verdict{hour - 1: Sound}},
		"down, and long ago":     {2 * hour, func(s int) (float64, float64) { return float64(6 * (1 - min(1, s/60))), 0.1 }, map[int]Verdict{59: Sound, 60: Unusual, hour - 1: Unusual, hour + 1: Sound}},
	} {
		var w Watch
		left := len(c.at)
		for s := range c.seconds {
			ppm, err := c.rate(s)
			got := w.Judge(ppm, err, int64(s)*int64(time.Second))
			want, asked := c.at[s]
			if !asked {
				continue
			}
			left--
			if got != want {
				t.Errorf("%s: %v after %d s, want %v", name, got, s, want)
			}
		}
		if left != 0 {
			t.Errorf("%s: %d verdicts were not asked for", name, left)
		}
	}
}

func TestAWatchForgetsWhatIsAnHourOld(t *testing.T) {
	var w Watch
	for _, c := range []struct {
		minute int64
		ppm    float64
		want   Verdict
	}{{0, 0, Sound}, {59, 6, Unusual}, {60, 6, Sound}, {1000, 0, Sound}, {1001, 6, Unusual}} {
		if got := w.Judge(c.ppm, 0.1, c.minute*int64(time.Minute)); got != c.want {
			t.Errorf("%v in minute %d, want %v", got, c.minute, c.want)
		}
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	for v, want := range map[Verdict]string{Sound: "sound", Unusual: "unusual", Broken: "broken", 9: "unknown"} {
		if v.String() != want {
			t.Errorf("verdict %d is %q, want %q", uint8(v), v, want)
		}
	}
}

func TestAnAgeIsUsedWhereItIsSane(t *testing.T) {
	const came, s = int64(7_000_000_000), int64(time.Second)
	var f AgeFilter
	for _, c := range []struct {
		age, at int64
		exact   bool
	}{
		{0, came, true},
		{1, came - 1, true},
		{2 * s, came - 2*s, true},
		{2*s + 1, came, false},
		{-1, came, false},
		{-1 << 63, came, false},
		{1<<63 - 1, came, false},
	} {
		if at, exact := f.At(came, c.age); at != c.at || exact != c.exact {
			t.Errorf("age %d: captured at %d, exactly: %v; want %d, %v", c.age, at, exact, c.at, c.exact)
		}
	}
	if used, refused := f.Counts(); used != 3 || refused != 4 {
		t.Errorf("%d ages were used and %d refused, want 3 and 4", used, refused)
	}
}

// TestAgesThatFailForSomePacketsMoveNothing refuses the age of one packet in
// three, which then counts as captured 20 ms late.
func TestAgesThatFailForSomePacketsMoveNothing(t *testing.T) {
	s := newSim(23, device{48000, 37, 2}, 300, 1024)
	var f AgeFilter
	e := NewEstimator(48000, EstimatorOptions{})
	var y tally
	n := 0
	for p := range s.packets {
		age := int64(20e6)
		if n++; n%3 == 0 {
			age = 1 << 60
		}
		at, _ := f.At(p.at+20e6, age)
		e.Observe(p.end, at)
		if p.truth >= 60e9 {
			est, _ := e.At(p.end)
			y.add((float64(est-s.began)-p.truth)/1e3, 0)
		}
	}
	if g := y.figures(); g.bias < -5 || g.bias > 5 || g.p99 > 10 {
		t.Errorf("bias %.1f us, p99 %.1f us; want 5 and 10", g.bias, g.p99)
	}
}
