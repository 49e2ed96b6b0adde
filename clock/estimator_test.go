package clock

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

func TestBeforeTheFirstPacketNothingIsKnown(t *testing.T) {
	e := NewEstimator(48000, EstimatorOptions{PriorPPM: -12, PriorErrPPM: 3})
	e.Restart()
	if at, err := e.At(5); at != 0 || err != math.MaxInt64 {
		t.Errorf("frame 5 was captured at %d +- %d", at, err)
	}
	if ppm, err := e.Rate(); math.Abs(ppm+12) > 1e-6 || err < 3 || err > 4 {
		t.Errorf("the rate is %g +- %g ppm, want -12 +- 3 and a little", ppm, err)
	}
	if late := e.Late(); late != int64(unknownLate) {
		t.Errorf("a packet may be %d ns late, want %d", late, unknownLate)
	}
	if frames, wrong := e.Frames(0, 1e9, 0); frames != 47999 || wrong < 1 || wrong > 2 {
		t.Errorf("a second has %d +- %d frames, want 47999 +- 1", frames, wrong)
	}
}

// TestTimesAreExactAtAnyDistance has a perfect device, wherever its positions
// and its time begin: then the time of a frame is its nominal time, rounded down.
func TestTimesAreExactAtAnyDistance(t *testing.T) {
	for _, rate := range []int{8000, 11025, 44100, 48000, 384000} {
		for _, s0 := range []audio.Pos{1, 4_147_353_441, 1 << 52} {
			const t0 = 8_000_000_000_000_000_000
			e := NewEstimator(rate, EstimatorOptions{})
			exact := func(p audio.Pos) int64 { // rounded down
				n := new(big.Int).Mul(big.NewInt(int64(p-s0)), big.NewInt(1e9))
				return t0 + n.Div(n, big.NewInt(int64(rate))).Int64()
			}
			step := audio.Pos(rate / 10)
			for i := range audio.Pos(700) {
				e.Observe(s0+i*step, exact(s0+i*step))
			}
			year := audio.Pos(365 * 86400 * rate)
			for _, p := range []audio.Pos{s0, s0 - 1, s0 - 7*step - 3, s0 + 1, s0 + 699*step, s0 + 12345, s0 + 10*year} {
				at, err := e.At(p)
				if at != exact(p) || err < DefaultFloor {
					t.Errorf("%d Hz from %d on: frame %d was captured at %d +- %d, want %d", rate, s0, p, at, err, exact(p))
				}
			}
		}
	}
}

func TestTheTimeOfALaterFrameIsLater(t *testing.T) {
	e := NewEstimator(48000, EstimatorOptions{})
	feed(e, arrivals(480), 5000)
	last, _ := e.At(0)
	for p := range audio.Pos(500_000) {
		at, _ := e.At(p + 1)
		if d := at - last; d < 20_831 || d > 20_834 { // 20,832.6, both parts rounded
			t.Fatalf("frame %d is %d ns later than the one before", p+1, d)
		}
		last = at
	}
}

// TestFramesLostInSilenceWidenTheError loses 10 ms without a word, and asks
// when the last five minima have shown it and the line has not followed yet.
func TestFramesLostInSilenceWidenTheError(t *testing.T) {
	s := newSim(21, device{48000, 37, 2}, 200, 1024)
	const lost = 480
	s.holeEvery, s.hole, s.guess = 100, func() int64 { return lost }, func() int64 { return -lost }
	e := NewEstimator(48000, EstimatorOptions{})
	outside, worst := 0, 0.0
	for p := range s.packets {
		e.Observe(p.end, p.at)
		at, err := e.At(p.end)
		made := math.Abs(float64(at-s.began) - p.truth)
		worst = max(worst, made)
		switch {
		case p.truth > 107e9 && made > float64(err):
			outside++
		case p.truth > 165e9 && made > 10e3:
			t.Fatalf("a minute later the line is still %.0f us off", made/1e3)
		}
	}
	if outside > 0 || worst < 5e6 {
		t.Errorf("the truth lies outside in %d answers from 7 s on; the line was off by %.1f ms", outside, worst/1e6)
	}
}

func TestALengthInFramesIsExactByTheRate(t *testing.T) {
	for _, c := range []struct {
		rate     int
		ppm      float64
		from, to int64
		want     int64
	}{
		{48000, 0, 0, 0, 0},
		{48000, 0, 5, 4, 0},
		{48000, 0, 0, 20_833, 1},
		{48000, 0, 0, 10_416, 0},
		{48000, 0, 0, 10_417, 1},
		{44100, 0, -1e9, 1e9, 88200},
		{48000, 37, 0, 3 * 86400e9, 12_441_600_000 + 460_339},
		{48000, -300, 0, 10e9, 480000 - 144},
		{384000, 0, 0, 10 * 365 * 86400e9, 384000 * 10 * 365 * 86400},
	} {
		e := NewEstimator(c.rate, EstimatorOptions{PriorPPM: c.ppm, PriorErrPPM: 1})
		got, wrong := e.Frames(c.from, c.to, 0)
		if got != c.want || wrong < 1 {
			t.Errorf("%d Hz and %g ppm: from %d to %d there are %d +- %d frames, want %d", c.rate, c.ppm, c.from, c.to, got, wrong, c.want)
		}
		if ppm := float64(wrong) / max(1, float64(got)) * 1e6; got > 1e9 && (ppm < 1 || ppm > 7) {
			t.Errorf("%d frames of a rate known to 1 ppm that may move by 5 are wrong by %d, which is %.1f ppm", got, wrong, ppm)
		}
		if _, more := e.Frames(c.from, c.to, 1e9); more < wrong+int64(c.rate) {
			t.Errorf("instants wrong by 1 s make the length wrong by %d frames, want %d more than %d", more, c.rate, wrong)
		}
	}
}

// TestASourceThatLiesIsSeenToBeBroken has sources of other rates than they say,
// one of them that of no sound card.
func TestASourceThatLiesIsSeenToBeBroken(t *testing.T) {
	for _, c := range []struct {
		rate   float64 // of the packets that come as of 48,000 Hz
		broken bool
	}{{120_000_000, true}, {96000, true}, {48600, true}, {48400, false}, {48000, false}, {47600, false}, {47400, true}, {44100, true}, {16000, true}} {
		s := newSim(22, device{c.rate, 0, 0}, min(40, 1e9/c.rate), 1024)
		e, w, verdict, next := NewEstimator(48000, EstimatorOptions{}), Watch{}, Sound, int64(0)
		for p := range s.packets {
			e.Observe(p.end, p.at)
			if at := p.at - s.began; at >= next && verdict != Broken {
				next = at + int64(time.Second)
				ppm, err := e.Rate()
				verdict = w.Judge(ppm, err, at)
			}
		}
		if (verdict == Broken) != c.broken {
			ppm, err := e.Rate()
			t.Errorf("%g Hz instead of 48,000: %v, at %.0f +- %.0f ppm", c.rate, verdict, ppm, err)
		}
		if ppm, err := e.Rate(); c.broken && math.Abs(ppm-1e6*(c.rate/48000-1)) > max(err, 10) {
			t.Errorf("%g Hz instead of 48,000 is %.1f +- %.1f ppm", c.rate, ppm, err)
		}
	}
}

// TestNoTimesBreakTheEstimator has sources whose packets come all at once, or
// each before the one that was sent before it.
func TestNoTimesBreakTheEstimator(t *testing.T) {
	for _, each := range []int64{0, -1, -1_000_000_000, 1, 1_000_000_000} {
		e := NewEstimator(48000, EstimatorOptions{})
		pos, at := audio.Pos(0), int64(1<<61)
		for range 2000 {
			pos, at = pos+4800, at+each
			e.Observe(pos, at)
		}
		a, errA := e.At(pos)
		b, errB := e.At(pos + 48000)
		ppm, err := e.Rate()
		frames, wrong := e.Frames(0, 1e9, errA)
		if b < a || errA < DefaultFloor || errB < errA || math.IsNaN(ppm+err) || math.IsInf(ppm+err, 0) || frames < 0 || wrong < 1 {
			t.Errorf("%d ns apart: frames %d and a second later at %d +- %d and %d +- %d, %g +- %g ppm, %d +- %d frames in a second",
				each, pos, a, errA, b, errB, ppm, err, frames, wrong)
		}
	}
}
