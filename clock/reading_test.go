package clock_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clocktest"
)

var begin = time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)

func abs(d int64) int64 { return max(d, -d) }

// TestAReadingLiesBetweenTwoOthers: of this machine's clocks, none of which
// goes back.
func TestAReadingLiesBetweenTwoOthers(t *testing.T) {
	s := clock.System{}
	for range 1000 {
		before := s.Monotonic()
		a, b := s.Read(), s.Read()
		after := s.Monotonic()
		if a.Mono < before-a.Err || b.Mono > after+b.Err || b.Boot <= a.Boot {
			t.Fatalf("between %d and %d: %+v, %+v", before, after, a, b)
		}
		if a.Err < 0 || abs((b.Raw-a.Raw)-(b.Boot-a.Boot)) > a.Err+b.Err+(b.Boot-a.Boot)/10 {
			t.Fatalf("RAW and BOOTTIME part: %+v, %+v", a, b)
		}
	}
	if r, now := s.Read(), time.Now().UnixNano(); abs(now-r.Real) > int64(time.Second)+r.Err {
		t.Errorf("the wall clock shows %d, the reading is %+v", now, r)
	}
}

func TestABubbleIsNeverSteppedNorSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := clock.NewBubble()
		before := b.Read()
		time.AfterFunc(time.Hour, func() {})
		if err := b.Sleep(t.Context(), before.Mono+int64(time.Hour)); err != nil {
			t.Fatal(err)
		}
		after := b.Read()
		want := before
		for _, at := range []*int64{&want.Boot, &want.Mono, &want.Raw, &want.Real} {
			*at += int64(time.Hour)
		}
		if after != want || after.Mono != b.Monotonic() || after.Real != b.UTC().UnixNano() {
			t.Errorf("got %+v, want %+v", after, want)
		}
		if s := b.Sync(); !s.Known || !s.On || s.Err() != 0 {
			t.Errorf("got %+v", s)
		}
	})
}

// TestSinceTellsStepsAndSuspendsAndNothingElse: readings a second apart, with
// noise as large as they say, across each trouble.
func TestSinceTellsStepsAndSuspendsAndNothingElse(t *testing.T) {
	for _, noise := range []int64{0, 180, 50_000} {
		for _, tr := range clocktest.Troubles() {
			c := clocktest.New(begin)
			c.Noise(noise, 1)
			last := c.Read()
			for i := range 600 {
				if i == 300 {
					tr.Do(c)
				}
				c.Advance(time.Second)
				r := c.Read()
				got := r.Since(last)
				var want clock.Change
				if i == 300 {
					want = clock.Change{Step: int64(tr.Step), Suspend: int64(tr.Suspend)}
				}
				hidden := abs(want.Step) <= 1000+4*noise && got.Step == 0
				if !hidden && abs(got.Step-want.Step) > 2*noise || abs(got.Suspend-want.Suspend) > 2*noise {
					t.Fatalf("%s, noise %d ns, second %d: got %+v, want %+v", tr.Name, noise, i, got, want)
				}
				last = r
			}
		}
	}
}

// TestAStepIsMoreThanAMicrosecondBeyondTheHalfWidths: to the nanosecond.
func TestAStepIsMoreThanAMicrosecondBeyondTheHalfWidths(t *testing.T) {
	before := clock.Reading{Boot: 1e9, Mono: 1e9, Raw: 1e9, Real: 1e18, Err: 200}
	for by, want := range map[int64]int64{0: 0, 1500: 0, -1500: 0, 1501: 1501, -1501: -1501} {
		r := clock.Reading{Boot: 2e9, Mono: 2e9, Raw: 2e9, Real: 1e18 + 1e9 + by, Err: 300}
		if got := r.Since(before).Step; got != want {
			t.Errorf("moved by %d ns: got a step of %d, want %d", by, got, want)
		}
	}
	for by, want := range map[int64]int64{0: 0, 1_000_500: 0, 1_000_501: 1_000_501, -2_000_000: 0} {
		r := clock.Reading{Boot: 2e9 + by, Mono: 2e9, Raw: 2e9, Real: 1e18 + 1e9 + by, Err: 300}
		if got := r.Since(before).Suspend; got != want {
			t.Errorf("away for %d ns: got a suspend of %d, want %d", by, got, want)
		}
	}
}

// TestSteadyCountsSuspendAndNoSlew: so does a stamp of MONOTONIC on it.
func TestSteadyCountsSuspendAndNoSlew(t *testing.T) {
	c, rng := clocktest.New(begin), rand.New(rand.NewPCG(3, 4))
	first := c.Read().Steady()
	for i := range 1000 {
		switch i % 10 {
		case 3:
			c.Suspend(time.Duration(rng.Int64N(int64(8 * time.Hour))))
		case 5:
			c.Slew(rng.Int64N(166_666_666) - 83_333_333)
		case 7:
			c.Step(time.Duration(rng.Int64N(int64(time.Hour))))
		}
		c.Advance(time.Duration(rng.Int64N(int64(time.Second))))
		stamp, at := c.Monotonic(), c.Truth()
		c.Advance(time.Millisecond)
		r := c.Read()
		if got, want := r.Steady()-first, int64(c.Truth().Sub(begin)); got != want {
			t.Fatalf("steady time passed %d ns, want %d", got, want)
		}
		if got, want := r.SteadyAt(stamp)-first, int64(at.Sub(begin)); abs(got-want) > 83_334 {
			t.Fatalf("a stamp of 1 ms ago is at %d ns, want %d", got, want)
		}
	}
}

// TestAStampFromBeforeASuspendIsLate: early would look like sound from hours
// ago, and everything after it like a hole.
func TestAStampFromBeforeASuspendIsLate(t *testing.T) {
	c := clocktest.New(begin)
	stamp, at := c.Monotonic(), c.Read().Steady()
	c.Suspend(8 * time.Hour)
	c.Advance(time.Millisecond)
	if got, want := c.Read().SteadyAt(stamp)-at, int64(8*time.Hour); got != want {
		t.Errorf("it is %d ns late, want %d", got, want)
	}
}

func TestAnUnsynchronisedClockIsWrongBySixteenSeconds(t *testing.T) {
	for s, want := range map[clock.Sync]int64{
		{}:                                     16e9, // the system could not be asked
		{Known: true}:                          16e9,
		{Known: true, MaxErr: 17e9}:            17e9,
		{Known: true, MaxErr: 5e6}:             16e9, // what is left from when it was on
		{Known: true, On: true, MaxErr: 5e6}:   5e6,
		{Known: true, On: true, MaxErr: 160e9}: 160e9,
	} {
		if got := s.Err(); got != want {
			t.Errorf("%+v: got %d ns, want %d", s, got, want)
		}
	}
}

func BenchmarkMonotonic(b *testing.B) {
	for b.Loop() {
		clock.System{}.Monotonic()
	}
}

// BenchmarkRead reports the median half width beside what a reading costs.
func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	var sum, n int64
	for b.Loop() {
		sum += clock.System{}.Read().Err
		n++
	}
	b.ReportMetric(float64(sum)/float64(n), "ns-half-width")
}

func BenchmarkSync(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		clock.System{}.Sync()
	}
}
