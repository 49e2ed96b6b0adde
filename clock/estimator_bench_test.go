package clock

import (
	"math"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// arrivals are those of some minutes, to be observed again and again.
func arrivals(frames int64) []packet {
	s := newSim(20, device{48000, 37, 2}, 300, frames)
	var all []packet
	for p := range s.packets {
		all = append(all, p)
	}
	return all
}

// feed observes n packets without an end: the packets of all go on where they
// ended, as often as it takes.
func feed(e *Estimator, all []packet, n int) {
	last := all[len(all)-1]
	pos, at := audio.Pos(0), int64(0)
	for i := range n {
		p := &all[i%len(all)]
		e.Observe(pos+p.end, at+p.at)
		if i%len(all) == len(all)-1 {
			pos, at = pos+last.end, at+int64(last.truth)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	for name, frames := range map[string]int64{"64 frames": 64, "1024 frames": 1024, "9600 frames": 9600} {
		b.Run(name, func(b *testing.B) {
			all, e := arrivals(frames), NewEstimator(48000, EstimatorOptions{})
			b.ReportAllocs()
			b.ResetTimer()
			feed(e, all, b.N)
		})
	}
}

func BenchmarkAt(b *testing.B) {
	e := NewEstimator(48000, EstimatorOptions{})
	feed(e, arrivals(1024), 10_000)
	b.ReportAllocs()
	for i := range b.N {
		e.At(audio.Pos(i & 0xffff))
	}
}

// TestObservingCostsNoMoreThanSixteenDivisions compares with arithmetic of the
// same moment, so that it holds on any machine, a busy one too.
func TestObservingCostsNoMoreThanSixteenDivisions(t *testing.T) {
	if raceEnabled {
		t.Skip("left out: the race detector costs more than what it watches")
	}
	const n = 200_000
	all := arrivals(1024)
	observing, dividing, x := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64), 1.5
	for range 7 {
		e := NewEstimator(48000, EstimatorOptions{})
		begun := time.Now()
		feed(e, all, n)
		observing = min(observing, time.Since(begun))
		begun = time.Now()
		for range n {
			for range 16 {
				x = 3 / x // each waits for the one before
			}
		}
		dividing = min(dividing, time.Since(begun))
	}
	t.Logf("a packet costs %.1f ns, 16 divisions %.1f ns (%g)", float64(observing)/n, float64(dividing)/n, x)
	if observing > dividing {
		t.Errorf("%d packets took %v, as many times 16 divisions %v", n, observing, dividing)
	}
}

func TestAnEstimatorNeverAllocates(t *testing.T) {
	all, e := arrivals(1024), NewEstimator(48000, EstimatorOptions{})
	var frames, wrong int64
	if got := testing.AllocsPerRun(1, func() { // it runs twice
		e.Restart()
		for _, p := range all {
			e.Observe(p.end, p.at)
			at, err := e.At(p.end)
			frames, wrong = e.Frames(at, p.at, err+e.Late())
		}
	}); got != 0 {
		t.Errorf("%d packets allocate %g times", len(all), got)
	}
	if ppm, err := e.Rate(); frames < 0 || wrong < 1 || ppm == 0 || err == 0 {
		t.Errorf("%d +- %d frames, %g +- %g ppm: it has not worked", frames, wrong, ppm, err)
	}
}
