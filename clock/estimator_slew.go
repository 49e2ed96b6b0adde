package clock

import (
	"math/bits"
	"time"
)

const (
	slewEvery = int64(20 * time.Millisecond) // readings nearer than that would measure their own error
	slewPPM   = 100
)

// A Slew carries times from the Estimator's scale to a clock that is slewed but
// never goes back, with the help of readings of both at one instant. Times are
// in ns. The zero Slew is ready. It belongs to one goroutine.
type Slew struct {
	raw, other [2]int64 // the last two readings, the older first
	readings   int      // 0, 1 or 2
	ppm        float64  // of the other clock against raw, when it was last said to have turned
}

// Observe takes a reading of both clocks. It says whether the slew has changed
// by more than 100 ppm: then a line that runs across this moment is bent, and
// an anchor is due here. Readings less than 20 ms behind the last are ignored.
func (s *Slew) Observe(raw, other int64) (turned bool) {
	if s.readings > 0 && raw-s.raw[1] < slewEvery {
		return false
	}
	s.raw, s.other = [2]int64{s.raw[1], raw}, [2]int64{s.other[1], other}
	if s.readings == 0 {
		s.readings = 1
		return false
	}
	d := raw - s.raw[0]
	ppm := 1e6 * float64(other-s.other[0]-d) / float64(d)
	turned = s.readings == 2 && (ppm-s.ppm > slewPPM || s.ppm-ppm > slewPPM)
	if s.readings == 1 || turned {
		s.ppm = ppm
	}
	s.readings = 2
	return turned
}

// At is what the other clock said at raw: between the last two readings by
// proportion, rounded down, else as far from the nearer of them as raw is. Ask
// for times near the last reading. It never decreases while no reading comes
// between.
func (s *Slew) At(raw int64) int64 {
	d, o := raw-s.raw[0], max(0, s.other[1]-s.other[0])
	switch span := s.raw[1] - s.raw[0]; {
	case s.readings < 2 || raw >= s.raw[1]:
		return s.other[1] + raw - s.raw[1]
	case d < 0:
		return s.other[0] + d
	default:
		hi, lo := bits.Mul64(uint64(d), uint64(o))
		part, _ := bits.Div64(hi, lo, uint64(span)) // d < span, so it is below o
		return s.other[0] + int64(part)
	}
}
