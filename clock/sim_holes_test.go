package clock

import (
	"math"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// TestTheLengthOfAHoleIsWithinItsUncertainty lets the pump find out each hole
// from arrivals, as it does: at once from the first packet behind it, and again
// when its end is known by the new line.
func TestTheLengthOfAHoleIsWithinItsUncertainty(t *testing.T) {
	holes, every := 4000, 8.0
	if quick() {
		holes = 1000
	}
	s := newSim(11, device{48000, 37, 2}, float64(holes)*every, 1024)
	s.holeEvery = every
	s.guess = func() int64 { return 0 } // the positions of the simulation are true
	e := NewEstimator(48000, EstimatorOptions{})
	var atOnce, later, length, wide []float64
	outsideAtOnce, outsideLater := 0, 0
	var pos, shift audio.Pos // of the pump, and what its positions are beyond the true ones
	var h struct {
		open                bool
		from                int64 // time of its beginning
		err, decided, truth int64
		to                  audio.Pos // its end
	}
	for p := range s.packets {
		if p.hole {
			from, err := e.At(pos)
			decided, wrong := e.Frames(from, p.at-21_333_333, err+e.Late())
			d := decided - p.lost
			atOnce = append(atOnce, float64(d))
			wide = append(wide, float64(wrong))
			if d > wrong || -d > wrong {
				outsideAtOnce++
			}
			shift += audio.Pos(d)
			h.open, h.from, h.err, h.decided, h.truth, h.to = true, from, err, decided, p.lost, pos+audio.Pos(decided)
			e.Restart()
		}
		pos = p.end + shift
		e.Observe(pos, p.at)
		if h.open && pos > h.to+48000 {
			h.open = false
			to, err := e.At(h.to)
			frames, wrong := e.Frames(h.from, to, h.err+err)
			d := frames - h.truth
			later, length = append(later, math.Abs(float64(d))), append(length, float64(wrong))
			if d > wrong || -d > wrong {
				outsideLater++
			}
		}
	}
	for _, v := range [][]float64{atOnce, later, length, wide} {
		slices.Sort(v)
	}
	t.Logf("%d holes, in frames\nat once: wrong by p5 %g, p50 %g, p95 %g, max %g, stated p50 %g, outside %d\na second later: wrong by p50 %g, p99 %g, max %g, stated p50 %g, p99 %g, outside %d",
		len(atOnce), share(atOnce, 0.05), share(atOnce, 0.5), share(atOnce, 0.95), share(atOnce, 1), share(wide, 0.5), outsideAtOnce,
		share(later, 0.5), share(later, 0.99), share(later, 1), share(length, 0.5), share(length, 0.99), outsideLater)
	if outsideAtOnce*1000 > len(atOnce) || outsideLater*1000 > len(later) || len(later) < holes*9/10 {
		t.Errorf("of %d holes %d lie outside at once and of %d %d a second later", len(atOnce), outsideAtOnce, len(later), outsideLater)
	}
	if p50 := share(atOnce, 0.5); p50 < 0 || p50 > 8 {
		t.Errorf("half of the holes come out %g frames too long or more; want 0 to 8", p50)
	}
	if share(later, 0.99) > 2 || share(length, 0.99) > 7 {
		t.Errorf("a second later the length is wrong by %g frames and known to %g at p99; want 2 and 7", share(later, 0.99), share(length, 0.99))
	}
}

// TestTheSlopeIsKeptAcrossAHoleAndTheOffsetIsNot has a hole whose length is
// wrong by 100 ms.
func TestTheSlopeIsKeptAcrossAHoleAndTheOffsetIsNot(t *testing.T) {
	for _, guess := range []int64{-4800, 4800} {
		s := newSim(12, device{48000, 150, 0}, 200, 1024)
		s.holeEvery, s.guess = 150, func() int64 { return guess }
		e := NewEstimator(48000, EstimatorOptions{})
		behind := 0.0 // when the hole was over
		for p := range s.packets {
			if p.hole {
				at, err := e.At(p.end)
				e.Restart()
				e.Restart() // nothing more
				// The bin that was open counts now.
				if a, b := e.At(p.end); a < at-1000 || a > at+1000 || b < err/2 || b > 2*err {
					t.Errorf("before the hole frame %d was captured at %d +- %d, in it at %d +- %d", p.end, at, err, a, b)
				}
				behind = p.truth
			}
			e.Observe(p.end, p.at)
			if behind == 0 || p.truth < behind+1e9 {
				continue
			}
			at, _ := e.At(p.end)
			if made := float64(at-s.began) - p.truth; math.Abs(made) > 100e3 {
				t.Errorf("%.1f s behind a hole that was %+d frames longer than thought the time is %.0f us wrong", (p.truth-behind)/1e9, guess, made/1e3)
				break
			}
			if ppm, err := e.Rate(); math.Abs(ppm-150) > 1 || math.Abs(ppm-150) > err {
				t.Errorf("%.1f s behind a hole the rate is %.2f +- %.2f ppm, want 150", (p.truth-behind)/1e9, ppm, err)
				break
			}
		}
	}
}

// TestAfterAHoleTheFirstBurstIsKnownToBeLate has bursts of 20, whose first
// packets are 0.2 s late.
func TestAfterAHoleTheFirstBurstIsKnownToBeLate(t *testing.T) {
	s := bursts(20)
	s.holeEvery = 15
	e := NewEstimator(48000, EstimatorOptions{})
	asked, outside, behind := 0, 0, 0.0
	for p := range s.packets {
		if p.hole {
			e.Restart()
			behind = p.truth
		}
		e.Observe(p.end, p.at)
		if behind == 0 || p.truth > behind+200e6 {
			continue
		}
		at, err := e.At(p.end)
		asked++
		if made := float64(at-s.began) - p.truth - p.latency; math.Abs(made) > float64(err) {
			outside++
		}
	}
	t.Logf("in the first burst the truth lies outside the stated error in %d of %d", outside, asked)
	if outside*50 > asked || asked < 1000 {
		t.Errorf("the truth lies outside in %d of %d, want 1 in 50 at most", outside, asked)
	}
}
