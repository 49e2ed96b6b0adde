package clock

import (
	"testing"
)

// hour is a device 37 ppm fast, with a hole of unknown length every 10 min.
func hour(seed uint64) *sim {
	s := newSim(seed, device{48000, 37, 2}, 3600, 1024)
	s.holeEvery = 600
	return s
}

func contenders(s *sim, o EstimatorOptions) (names []string, all []contender) {
	return []string{"first arrival + nominal rate", "newest arrival", "DLL 0.1 Hz", "DLL 0.02 Hz", "DLL 0.005 Hz", "least squares, 120 s", "line under the minima, 1 s x 60"},
		[]contender{
			&firstArrival{rate: s.rate, began: s.began}, newestArrival{s.began},
			newDLL(s, 0.1), newDLL(s, 0.02), newDLL(s, 0.005),
			&leastSquares{rate: s.rate, began: s.began, memory: 120},
			line1s60{NewEstimator(int(s.rate), o), s.began},
		}
}

func TestInASimulatedHourTheLineIsWithinMicroseconds(t *testing.T) {
	var log table
	s := hour(1)
	names, all := contenders(s, EstimatorOptions{})
	got := compare(s, false, all...)
	for i, f := range got {
		log.row(names[i], f)
	}
	dll, line := got[3], got[6]
	log.WriteString("\n")
	t.Log(log.String())
	if line.bias < -5 || line.bias > 5 || line.p99 > 10 || line.rate99 > 1 {
		t.Errorf("bias %.1f us, p99 %.1f us, rate p99 %.2f ppm; want 5, 10, 1", line.bias, line.p99, line.rate99)
	}
	if dll.p99 < 20*line.p99 {
		t.Errorf("p99 is %.1f us, that of a DLL of 0.02 Hz %.1f us: less than 20 times better", line.p99, dll.p99)
	}
	_, b := judge(hour(1), EstimatorOptions{})
	t.Log(b.check(t, "hour", DefaultFloor))
}
