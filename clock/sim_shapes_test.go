package clock

import (
	"fmt"
	"testing"
)

// quick says to simulate less: the race detector has nothing to find here.
func quick() bool { return testing.Short() || raceEnabled }

// bursts is half of the simulated hour with callbacks of 480 frames, so many of which
// are cut from one period of the host.
func bursts(n int64) *sim {
	s := hour(2)
	s.seconds, s.frames, s.burst, s.each = 1800, 480, n, 10e3
	return s
}

func usb(seed uint64) *sim {
	s := hour(seed)
	s.usb = true
	return s
}

func TestInBurstsTheLineKeepsToTheLastPacketOfEach(t *testing.T) {
	var log table
	for _, n := range []int64{1, 4, 10, 20} {
		if quick() && n != 10 {
			continue
		}
		s := bursts(n)
		got := compare(s, false, newDLL(s, 0.02), line1s60{NewEstimator(48000, EstimatorOptions{}), s.began})
		log.row(fmt.Sprintf("bursts of %d, DLL 0.02 Hz", n), got[0])
		log.row(fmt.Sprintf("bursts of %d, line", n), got[1])
		// Each packet of a burst takes 10 us, which no arrival tells from latency.
		if each := 10 * float64(n); got[1].p99 > 1.25*each+10 {
			t.Errorf("bursts of %d: p99 %.1f us, want at most %.1f", n, got[1].p99, 1.25*each+10)
		}
		if n >= 10 && got[0].p99 < 100*got[1].p99 {
			t.Errorf("bursts of %d: p99 %.1f us, that of the DLL %.1f: less than 100 times better", n, got[1].p99, got[0].p99)
		}
		_, b := judge(bursts(n), EstimatorOptions{})
		log.WriteString("\n    " + b.check(t, fmt.Sprintf("bursts of %d", n), DefaultFloor))
	}
	t.Log(log.String())
}

func TestOnFramesOfUSBTheLineKeepsToTheirEdges(t *testing.T) {
	var log table
	s := usb(3)
	names, all := contenders(s, EstimatorOptions{Floor: USBFloor})
	got := compare(s, false, all...)
	for i, f := range got {
		log.row("USB, "+names[i], f)
	}
	dll, line := got[3], got[6]
	if dll.p99 < 4*line.p99 || line.p99 > 250 {
		t.Errorf("p99 is %.1f us, that of the DLL %.1f; want 4 times better and at most 250", line.p99, dll.p99)
	}
	_, b := judge(usb(3), EstimatorOptions{Floor: USBFloor})
	log.WriteString("\n    " + b.check(t, "USB", USBFloor))
	t.Log(log.String())
}

func TestEveryRateAndLengthOfBufferWorks(t *testing.T) {
	rates, lengths, most := []float64{16000, 44100, 192000}, []int64{64, 480, 1024, 4800, 9600}, 600_000.0
	if quick() {
		lengths, most = []int64{64, 9600}, 300_000
	}
	var log table
	for i, rate := range rates {
		for j, length := range lengths {
			s := newSim(uint64(10*i+j), device{rate, -61, 2}, min(700, most*float64(length)/rate), length)
			s.holeEvery = s.seconds / 2
			f, b := judge(s, EstimatorOptions{})
			name := fmt.Sprintf("%g Hz, %d frames", rate, length)
			log.row(name, f)
			log.WriteString("  " + b.check(t, name, DefaultFloor))
		}
	}
	t.Log(log.String())
}

func TestSlowAndFastDevicesAreFollowed(t *testing.T) {
	var log table
	for _, ppm := range []float64{-300, -100, 300} {
		if quick() && ppm != 300 {
			continue
		}
		for _, o := range []EstimatorOptions{{}, {PriorPPM: ppm, PriorErrPPM: 5}} {
			s := hour(5)
			s.ppm = ppm
			f, b := judge(s, o)
			name := fmt.Sprintf("%+g ppm, thought %+g", ppm, o.PriorPPM)
			log.row(name, f)
			log.WriteString("  " + b.check(t, name, DefaultFloor))
			if f.bias < -5 || f.bias > 5 || f.p99 > 10 || f.rate99 > 1 {
				t.Errorf("%s: bias %.1f us, p99 %.1f us, rate p99 %.2f ppm; want 5, 10, 1", name, f.bias, f.p99, f.rate99)
			}
		}
	}
	t.Log(log.String())
}
