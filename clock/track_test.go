package clock

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const ms = int64(1e6)

// TestATrackCarriesTimesByItsReadings: CLOCK_MONOTONIC is a tenth faster than
// RAW, then as fast, then faster again while the machine sleeps for 7 s, and then
// a tenth slower.
func TestATrackCarriesTimesByItsReadings(t *testing.T) {
	track := NewTrack(Reading{Boot: 1000 * ms, Mono: 1000 * ms, Raw: 400 * ms})
	if got := track.Steady(1500 * ms); got != 900*ms {
		t.Errorf("by one reading 1,500 ms of CLOCK_MONOTONIC are %d ns, want %d", got, 900*ms)
	}
	if got := track.Boot(300 * ms); got != 900*ms {
		t.Errorf("by one reading 300 ms are %d ns of CLOCK_BOOTTIME, want %d", got, 900*ms)
	}
	for _, r := range []Reading{
		{Boot: 1220 * ms, Mono: 1220 * ms, Raw: 600 * ms},
		{Boot: 1223 * ms, Mono: 1223 * ms, Raw: 601 * ms}, // too near
		{Boot: 1420 * ms, Mono: 1420 * ms, Raw: 800 * ms},
		{Boot: 8640 * ms, Mono: 1640 * ms, Raw: 1000 * ms},
		{Boot: 8820 * ms, Mono: 1820 * ms, Raw: 1200 * ms},
	} {
		track = track.With(r)
	}
	for _, c := range []struct{ mono, steady, boot int64 }{
		{890, 300, 890}, {1000, 400, 1000}, {1110, 500, 1110}, {1220, 600, 1220}, {1320, 700, 1320}, {1420, 800, 1420},
		{1431, 7810, 8431}, {1530, 7900, 8530}, {1640, 8000, 8640}, {1730, 8100, 8730}, {1820, 8200, 8820}, {1910, 8300, 8910},
	} {
		if got := track.Steady(c.mono * ms); got != c.steady*ms {
			t.Errorf("%d ms of CLOCK_MONOTONIC are %d ns, want %d ms", c.mono, got, c.steady)
		}
		if got := track.Boot(c.steady * ms); got != c.boot*ms {
			t.Errorf("%d ms are %d ns of CLOCK_BOOTTIME, want %d ms", c.steady, got, c.boot)
		}
	}
	if got := track.Boot(4000 * ms); got != 4620*ms { // in suspend
		t.Errorf("4,000 ms are %d ns of CLOCK_BOOTTIME, want 4,620 ms", got)
	}
	if track.Suspended() != 7000*ms || track.Last().Raw != 1200*ms || track.Turned() != 8000*ms {
		t.Errorf("it was suspended for %d ns, turned at %d, and is at %d", track.Suspended(), track.Turned(), track.Last().Raw)
	}
}

// A slewing is a machine whose clocks are slewed by any rate and that sleeps
// now and then, read about each 250 ms with an error.
type slewing struct {
	rng         *rand.Rand
	mono        float64
	raw, asleep int64
	ppm         float64
}

func (w *slewing) pass(d int64) {
	w.raw += d
	w.mono += float64(d) * (1 + w.ppm*1e-6)
}

func (w *slewing) read() Reading {
	const err = 180
	off := func() int64 { return w.rng.Int64N(2*err+1) - err }
	return Reading{Boot: int64(w.mono) + w.asleep, Mono: int64(w.mono) + off(), Raw: w.raw + off(), Err: err}
}

// Times are carried as the clocks went, to the error of the readings, and never
// go back.
func TestATrackFollowsAnyClock(t *testing.T) {
	w := &slewing{rng: rand.New(rand.NewPCG(24, 2)), mono: 3e15, raw: 1e15}
	track := NewTrack(w.read())
	var wrong []float64
	for range 20_000 {
		before, old, slept := *w, track, track.Suspended()
		if w.rng.IntN(40) == 0 {
			w.ppm = []float64{0, 500, -500, 83333, -83333, 50}[w.rng.IntN(6)]
		}
		if w.rng.IntN(100) == 0 {
			w.asleep += w.rng.Int64N(1e12) + 5*ms
		}
		w.pass(50*ms + w.rng.Int64N(400*ms))
		track = track.With(w.read())
		d, want := track.Suspended()-slept, w.asleep-before.asleep
		if off := d - want; want == 0 && d != 0 || max(off, -off) > 1000 {
			t.Fatalf("it was suspended for %d ns more, want %d", d, want)
		}
		// Both are asked for times on both sides of the readings.
		lastSteady, lastBoot := int64(math.MinInt64), int64(math.MinInt64)
		for mono := int64(w.mono) - 1200*ms; mono < int64(w.mono)+600*ms; mono += 60 * ms {
			steady := track.Steady(mono)
			boot := track.Boot(steady)
			if steady < lastSteady || boot < lastBoot {
				t.Fatalf("at %d: %d and %d come behind %d and %d", mono, steady, boot, lastSteady, lastBoot)
			}
			lastSteady, lastBoot = steady, boot
			if there := old.r[trackReadings-2].Mono; mono < there && old.n == trackReadings && mono > track.r[1].Mono {
				if was := old.Steady(mono); was != steady {
					t.Fatalf("%d was %d ns, is %d", mono, was, steady)
				}
			}
		}
		if w.asleep == before.asleep { // between the last two readings
			raw := before.raw + (w.raw-before.raw)/2
			mono := before.mono + (w.mono-before.mono)/2
			steady := track.Steady(int64(mono))
			wrong = append(wrong, math.Abs(float64(steady-raw-w.asleep)), math.Abs(float64(track.Boot(raw+w.asleep)-w.asleep)-mono))
		}
	}
	slices.Sort(wrong)
	if most := wrong[len(wrong)-1]; most > 4*180 {
		t.Errorf("between two readings times are %.0f ns wrong, at most", most)
	}
}

// TestATrackTurnsOnlyWhereItsRateDoes sees each change of rate at its instant, or
// in two steps, and none where there is none.
func TestATrackTurnsOnlyWhereItsRateDoes(t *testing.T) {
	w := &slewing{rng: rand.New(rand.NewPCG(24, 1)), mono: 1e15, raw: 1e15}
	track := NewTrack(w.read())
	for i, ppm := range []float64{0, 500, 450, -500, 83333, 0} {
		turns, last := 0, track.Turned()
		begun := w.raw
		w.ppm = ppm
		for range 400 {
			w.pass(240*ms + w.rng.Int64N(20*ms))
			if track = track.With(w.read()); track.Turned() != last {
				turns, last = turns+1, track.Turned()
				if last < begun-ms || last > begun+300*ms {
					t.Errorf("the rate became %g ppm at %d, it turned at %d", ppm, begun, last)
				}
			}
		}
		want := 2
		if i == 0 || ppm == 450 {
			want = 0
		}
		if turns > want || (turns == 0) != (want == 0) {
			t.Errorf("the rate became %g ppm and was said to turn %d times, want %d at most", ppm, turns, want)
		}
	}
	w.asleep += 1e12 // which is no turn
	w.pass(250 * ms)
	if was := track.Turned(); track.With(w.read()).Turned() != was {
		t.Error("a suspend is taken for a turn")
	}
}

func BenchmarkTrack(b *testing.B) {
	w := &slewing{rng: rand.New(rand.NewPCG(1, 1)), mono: 1e15, raw: 1e15}
	track := NewTrack(w.read())
	for range 8 {
		w.pass(250 * ms)
		track = track.With(w.read())
	}
	at := track.Last().Mono + 100*ms
	for b.Loop() {
		track.Boot(track.Steady(at))
	}
}
