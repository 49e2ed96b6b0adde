package clock

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

// wall is a ledger of n seconds whose wall clock began at utc0 and was stepped,
// at each of these seconds, by so many seconds. It has a label each second,
// each third of them read 200 ns too late.
func wall(t tb, n int64, steps map[int64]int64) *Ledger {
	t.Helper()
	l := regular(t, n+1, 0)
	off := utc0
	for s := range n {
		off += steps[s] * 1e9
		must(t, l.Labels().Append(Label{M: s * 1e9, UTC: off + s*1e9 + 200*(s%3%2), Sync: SyncYes, Why: WhyBeat}))
	}
	return l
}

// near says whether a position is the first at or behind a second, read to
// 200 ns, a hundredth of a frame.
func near(p audio.Pos, second float64) bool {
	d := float64(p) - second*testRate
	return -.01 <= d && d <= 1.01
}

// An instant that the wall clock showed once is where it showed it; one that it
// showed twice is where the policy says, or an error that names both spans; one
// that it never showed is at the step.
func TestWallClockIsAskedByPolicy(t *testing.T) {
	back := wall(t, 100, map[int64]int64{60: -20})
	forth := wall(t, 100, map[int64]int64{60: 20})
	both := wall(t, 100, map[int64]int64{30: -20, 60: -20}) // shows 20 to 30 three times
	for _, c := range []struct {
		name        string
		l           *Ledger
		at          float64 // seconds behind utc0
		first, last float64
	}{
		{"once, before a step back", back, 30.5, 30.5, 30.5},
		{"twice", back, 45.5, 45.5, 65.5},
		{"the first of those shown twice", back, 40.000_01, 40, 60},
		{"the last of those shown twice", back, 59.999_999, 60, 80},
		{"what came at a step back", back, 60, 80, 80},
		{"once, behind a step back", back, 60.000_01, 80, 80},
		{"once, long behind", back, 75.25, 95.25, 95.25},
		{"before the first frame", back, -5, 0, 0},
		{"before a step forward", forth, 59.999_999, 60, 60},
		{"never", forth, 65, 60, 60},
		{"behind a step forward", forth, 80.5, 60.5, 60.5},
		{"three times", both, 25.5, 25.5, 65.5},
		{"twice, of two steps", both, 35.5, 55.5, 75.5},
	} {
		utc := utc0 + int64(c.at*1e9)
		first, err := c.l.Wall(utc, WallFirst)
		last, err2 := c.l.Wall(utc, WallLast)
		if !near(first, c.first) || !near(last, c.last) || errors.Join(err, err2) != nil {
			t.Errorf("%s: %d and %d, %v, %v, want seconds %v and %v", c.name, first, last, err, err2, c.first, c.last)
		}
		once, err := c.l.Wall(utc, WallOnce)
		var twice *TwiceError
		if c.first == c.last && (err != nil || once != first) || c.first != c.last && (!errors.As(err, &twice) || twice.UTC != utc) {
			t.Errorf("%s, with no choice: %d, %v", c.name, once, err)
		}
	}
	_, err := back.Wall(utc0+45e9, WallOnce)
	if got, want := err.Error(), "2026-11-22T00:00:45Z occurred twice on this machine: frames [1920000, 2880000) and [2880000, 3840000); say first or last"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	_, err = both.Wall(utc0+25e9, WallOnce)
	if got, want := err.Error(), "2026-11-22T00:00:25Z occurred 3 times on this machine: frames [960000, 1440000) and [1920000, 2400000) and [2880000, 3360000); say first or last"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A clock that was only read a little differently is not stepped: no instant is
// shown twice or never, and none goes back.
func TestBeatsAreNoSteps(t *testing.T) {
	l := wall(t, 100, nil)
	last := audio.Pos(0)
	for utc := utc0; utc < utc0+99e9; utc += 9_999_990 {
		p, err := l.Wall(utc, WallOnce)
		if want := float64(utc-utc0) / 1e9; err != nil || !near(p, want) || p < last {
			t.Fatalf("second %v: frame %d, %v, behind %d", want, p, err, last)
		}
		last = p
	}
	for _, second := range []int64{49, 50} { // read too late, and not
		last := audio.Pos(0)
		for d := int64(-300); d <= 300; d++ {
			p, err := l.Wall(utc0+second*1e9+d, WallOnce)
			if err != nil || !near(p, float64(second)) || p < last {
				t.Fatalf("%d ns from the label at %d s: frame %d, %v, behind %d", d, second, p, err, last)
			}
			last = p
		}
	}
}

// What the wall clock did while there was no frame is no answer, and what it
// will do not yet.
func TestWallClockIsThatOfTheFrames(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	if _, err := l.Wall(utc0, WallOnce); !errors.Is(err, ErrNotYet) {
		t.Errorf("of nothing: %v", err)
	}
	must(t, l.Labels().Append(Label{M: 0, UTC: utc0, Sync: SyncNo, Why: WhyOpen}))
	must(t, l.Labels().Append(Label{M: 50e9, UTC: utc0 + 30e9, Sync: SyncYes, Why: WhyStep}))
	must(t, l.Append(Anchor{0, 60e9, 0})) // sound begins behind the step
	must(t, l.Append(Anchor{100 * testRate, 160e9, 0}))
	if p, err := l.Wall(utc0+45e9, WallOnce); err != nil || !near(p, 5) {
		t.Errorf("shown twice, once with sound: %d, %v", p, err)
	}
	if p, err := l.Wall(utc0+20e9, WallOnce); err != nil || p != 0 {
		t.Errorf("shown before there was sound: %d, %v", p, err)
	}
	silent := newLedger(t, LedgerConfig{Rate: testRate}) // until 60 s, between two steps
	for _, s := range []struct{ at, shows int64 }{{0, 0}, {50, 30}, {70, 20}} {
		must(t, silent.Labels().Append(Label{M: s.at * 1e9, UTC: utc0 + s.shows*1e9, Sync: SyncNo, Why: WhyStep}))
	}
	must(t, silent.Append(Anchor{0, 60e9, 0}))
	must(t, silent.Append(Anchor{100 * testRate, 160e9, 0}))
	if p, err := silent.Wall(utc0+35e9, WallOnce); err != nil || !near(p, 25) {
		t.Errorf("shown before there was sound, and again with sound: %d, %v", p, err)
	}
	if _, err := l.Wall(utc0+141e9, WallOnce); !errors.Is(err, ErrNotYet) {
		t.Errorf("still to come: %v", err)
	}
	l.Close()
	if p, err := l.Wall(utc0+140e9, WallOnce); err != nil || p != 100*testRate {
		t.Errorf("the end: %d, %v", p, err)
	}
	if _, err := l.Wall(utc0+141e9, WallOnce); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %v", err)
	}
}

// Whatever the steps are, an instant has the frames at which the wall clock
// showed it, as a walk second by second finds.
func TestWallClockIsAsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := map[int64]int64{}
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			steps[rapid.Int64Range(1, 99).Draw(t, "at")] = rapid.SampledFrom([]int64{-50, -7, -1, 1, 7, 50}).Draw(t, "by")
		}
		l := wall(t, 100, steps)
		l.Close()
		for range 5 {
			asked := rapid.Int64Range(-100, 300).Draw(t, "asked")
			var shown []audio.Pos
			for s, off := int64(0), int64(0); s < 100; s++ {
				if off += steps[s]; s+off == asked {
					shown = append(shown, audio.Pos(s*testRate+testRate/2))
				}
			}
			utc := utc0 + asked*1e9 + 5e8
			first, err := l.Wall(utc, WallFirst)
			last, err2 := l.Wall(utc, WallLast)
			_, err3 := l.Wall(utc, WallOnce)
			var twice *TwiceError
			if len(shown) > 0 && (errors.Join(err, err2) != nil || !near(first, float64(shown[0])/testRate) || !near(last, float64(shown[len(shown)-1])/testRate)) {
				t.Fatalf("second %d, steps %v: %d, %v and %d, %v, want %d", asked, steps, first, err, last, err2, shown)
			}
			if errors.As(err3, &twice) != (len(shown) > 1) {
				t.Fatalf("second %d, steps %v: %v, want %d", asked, steps, err3, shown)
			}
			if twice != nil && !slices.EqualFunc(twice.Spans, shown, func(s audio.Span, p audio.Pos) bool { return s.From-1 <= p && p <= s.To }) {
				t.Fatalf("second %d, steps %v: %v, want %d", asked, steps, err3, shown)
			}
		}
	})
}
