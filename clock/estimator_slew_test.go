package clock

import (
	"math/rand/v2"
	"testing"
)

func TestASlewCarriesTimesByTheLastTwoReadings(t *testing.T) {
	const ms = int64(1e6)
	var s Slew
	s.Observe(100*ms, 5*ms)
	if got := s.At(130 * ms); got != 35*ms {
		t.Errorf("by one reading 130 ms are %d ns, want %d", got, 35*ms)
	}
	s.Observe(110*ms, 99*ms) // too near
	s.Observe(200*ms, 155*ms)
	for raw, want := range map[int64]int64{
		90 * ms: -5 * ms, 100 * ms: 5 * ms, 101 * ms: 65 * ms / 10, 100*ms + 1: 5*ms + 1, 200*ms - 1: 155*ms - 2, 200 * ms: 155 * ms, 201 * ms: 156 * ms,
	} {
		if got := s.At(raw); got != want {
			t.Errorf("%d ns are %d ns of the other clock, want %d", raw, got, want)
		}
	}
}

// TestASlewTurnsOnlyWhereItsRateDoes reads with an error of 180 ns and sees
// each change of rate once, and none where there is none.
func TestASlewTurnsOnlyWhereItsRateDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(24, 1))
	var s Slew
	other, raw := 1e15, int64(0)
	for _, ppm := range []float64{0, 500, 450, -500, 83333, 0} {
		turns := 0
		for range 2000 {
			step := rng.Int64N(21e6) // some readings are nearer than 20 ms
			raw += step
			other += float64(step) * (1 + ppm*1e-6)
			if s.Observe(raw, int64(other)+rng.Int64N(361)-180) {
				turns++
			}
			// Up to 21 ms behind a reading, at 83,333 ppm.
			if at := s.At(raw); float64(at) > other+1.8e6 || float64(at) < other-1.8e6 {
				t.Fatalf("%d ns are %d ns of the other clock, want %.0f", raw, at, other)
			}
		}
		// A change that falls between two readings is seen in two steps.
		want := 2
		if ppm == 0 && raw < 50e9 || ppm == 450 {
			want = 0
		}
		if turns > want || (turns == 0) != (want == 0) {
			t.Errorf("the rate became %g ppm and was said to turn %d times, want %d at most", ppm, turns, want)
		}
	}
}
