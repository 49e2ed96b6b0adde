package clock

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// A device is one whose clock is ppm fast and wanders by wander ppm to both
// sides in a period of 20 min.
type device struct{ rate, ppm, wander float64 }

const period = 1200 // s

// at is when frame n of the device is due, in ns from frame 0 on.
func (d device) at(n int64) float64 {
	x, w := float64(n)/d.rate, 2*math.Pi/period
	return 1e9 * (x/(1+1e-6*d.ppm) + 1e-6*d.wander/w*(math.Cos(w*x)-1))
}

// fast is how many ppm faster than nominal the device is at frame n.
func (d device) fast(n int64) float64 {
	dt := 1/(1+1e-6*d.ppm) - 1e-6*d.wander*math.Sin(2*math.Pi/period*float64(n)/d.rate)
	return 1e6 * (1/dt - 1)
}

// A sim is a device and the way of its packets to the pump.
type sim struct {
	device
	seconds   float64
	frames    int64          // of a packet
	burst     int64          // packets cut from one period of the host; 0 and 1 are the same
	each      float64        // ns that each packet of a burst takes
	usb       bool           // packets come on whole ms alone
	holeEvery float64        // s; 0: never
	hole      func() int64   // frames lost
	guess     func() int64   // frames that the hole is thought longer than it was
	began     int64          // ns, of the device's frame 0
	rng       *rand.Rand     // of the lateness
	late      func() float64 // ns; nil: lateness of the hour
}

// A packet is one as the pump sees it, and the truth of it.
type packet struct {
	end     audio.Pos
	at      int64
	hole    bool    // before it
	lost    int64   // frames of it
	truth   float64 // ns from began on
	sent    int64   // frames of the device before end
	latency float64 // ns that no packet escapes
}

func newSim(seed uint64, d device, seconds float64, frames int64) *sim {
	rng := rand.New(rand.NewPCG(seed, 1))
	return &sim{
		device: d, seconds: seconds, frames: frames, burst: 1, began: 7_704_000_123_456_789, rng: rng,
		hole:  func() int64 { return int64(d.rate * (0.05 + 2*rng.Float64())) },
		guess: func() int64 { return rng.Int64N(9) },
	}
}

// lateness is exp(0.15 ms), and for 2 % exp(3 ms) more, and for 1 in 10,000
// 10 to 20 ms more.
func (s *sim) lateness() float64 {
	if s.late != nil {
		return s.late()
	}
	l := 150e3 * s.rng.ExpFloat64()
	if u := s.rng.Float64(); u < 0.02 {
		l += 3e6 * s.rng.ExpFloat64()
	}
	if s.rng.Float64() < 1e-4 {
		l += 10e6 + 10e6*s.rng.Float64()
	}
	return l
}

// packets yields the packets in the order in which they come.
func (s *sim) packets(yield func(packet) bool) {
	var sent, pos int64
	var last float64
	nextHole := s.holeEvery
	burst := max(1, s.burst)
	for float64(sent) < s.seconds*s.rate {
		p := packet{latency: s.each * float64(burst)}
		if s.holeEvery > 0 && float64(sent) >= nextHole*s.rate {
			nextHole += s.holeEvery
			p.hole, p.lost = true, s.hole()
			sent, pos = sent+p.lost, pos+p.lost+s.guess()
		}
		came := s.device.at(sent+burst*s.frames) + s.lateness()
		if s.usb {
			came = 1e6 * math.Ceil(came/1e6)
		}
		for i := range burst {
			sent, pos = sent+s.frames, pos+s.frames
			last = max(last, came+s.each*float64(i+1))
			p.end, p.sent, p.truth, p.at = audio.Pos(pos), sent, s.device.at(sent), s.began+int64(last)
			if !yield(p) {
				return
			}
			p.hole, p.lost = false, 0
		}
	}
}

// A contender estimates from packets when their ends were captured, in ns from
// began on, and how fast the device is.
type contender interface {
	take(p packet) (at, ppm float64)
}

// line1s60 is the Estimator.
type line1s60 struct {
	*Estimator
	began int64
}

func (l line1s60) take(p packet) (at, ppm float64) {
	if p.hole {
		l.Restart()
	}
	l.Observe(p.end, p.at)
	t, _ := l.At(p.end)
	ppm, _ = l.Rate()
	return float64(t - l.began), ppm
}

// A tally gathers errors of estimates in us and ppm.
type tally struct{ times, rates []float64 }

func (t *tally) add(us, ppm float64) {
	t.times, t.rates = append(t.times, us), append(t.rates, math.Abs(ppm))
}

// figures are the figures of a tally, in us and ppm.
type figures struct{ bias, std, p99, most, rate50, rate99 float64 }

func (t *tally) figures() (f figures) {
	var sum, squares float64
	for i, e := range t.times {
		sum, squares = sum+e, squares+e*e
		t.times[i] = math.Abs(e)
	}
	n := float64(len(t.times))
	f.bias = sum / n
	f.std = math.Sqrt(squares/n - f.bias*f.bias)
	slices.Sort(t.times)
	slices.Sort(t.rates)
	f.p99, f.most = share(t.times, 0.99), t.times[len(t.times)-1]
	f.rate50, f.rate99 = share(t.rates, 0.5), share(t.rates, 0.99)
	return f
}

// share is the value that the given share of sorted values does not exceed.
func share(sorted []float64, of float64) float64 { return sorted[int(of*float64(len(sorted)-1))] }

// compare runs contenders side by side. What they say of the first minute does
// not count, and a constant latency is none of their errors where apart is set.
func compare(s *sim, apart bool, contenders ...contender) []figures {
	tallies := make([]tally, len(contenders))
	for p := range s.packets {
		for i, c := range contenders {
			at, ppm := c.take(p)
			if p.truth < 60e9 {
				continue
			}
			e := at - p.truth
			if apart {
				e -= p.latency
			}
			tallies[i].add(e/1e3, ppm-s.fast(p.sent))
		}
	}
	all := make([]figures, len(contenders))
	for i := range tallies {
		all[i] = tallies[i].figures()
	}
	return all
}

// A bound is what a stated error is held to: how often the truth lay within,
// and how wide it was against the errors made.
type bound struct {
	within, asked int
	stated, made  []float64 // us
}

func (b *bound) add(made, stated float64, wide bool) {
	b.asked++
	if math.Abs(made) <= stated {
		b.within++
	}
	if !wide {
		return
	}
	b.stated, b.made = append(b.stated, stated/1e3), append(b.made, math.Abs(made)/1e3)
}

// check fails the test if the truth lies outside in more than 1 in 1,000, or if
// the stated error, where it is above the floor in ns, is more than ten times
// the one made, at p99.
func (b *bound) check(t *testing.T, name string, floor int64) string {
	t.Helper()
	slices.Sort(b.stated)
	slices.Sort(b.made)
	outside := b.asked - b.within
	if outside*1000 > b.asked {
		t.Errorf("%s: the truth lies outside the stated error in %d of %d", name, outside, b.asked)
	}
	stated, made := share(b.stated, 0.99), share(b.made, 0.99)
	if stated > max(10*made, 1.5*float64(floor)/1e3) {
		t.Errorf("%s: the stated error is %.0f us at p99, the one made %.1f us", name, stated, made)
	}
	return fmt.Sprintf("stated p50 %5.0f p99 %5.0f us, made %6.1f us, outside %d of %d", share(b.stated, 0.5), stated, made, outside, b.asked)
}

// judge runs an Estimator and asks it after each packet for the end of it.
// In the first minute nothing counts but whether the truth lies within the
// stated error.
func judge(s *sim, o EstimatorOptions) (f figures, b bound) {
	e := NewEstimator(int(s.rate), o)
	var y tally
	for p := range s.packets {
		if p.hole {
			e.Restart()
		}
		e.Observe(p.end, p.at)
		at, err := e.At(p.end)
		made := float64(at-s.began) - p.truth - p.latency
		settled := p.truth >= 60e9
		b.add(made, float64(err), settled)
		if ppm, _ := e.Rate(); settled {
			y.add(made/1e3, ppm-s.fast(p.sent))
		}
	}
	return y.figures(), b
}

// A table is logged at the end of a test, for people.
type table struct{ strings.Builder }

func (t *table) row(name string, f figures) {
	if t.Len() == 0 {
		fmt.Fprintf(t, "\n%-34s %9s %9s %9s %9s %9s %9s", "error in us, rate in ppm", "bias", "std", "p99", "max", "rate p50", "rate p99")
	}
	fmt.Fprintf(t, "\n%-34s %9.1f %9.1f %9.1f %9.1f", name, f.bias, f.std, f.p99, f.most)
	if f.rate99 > 0 {
		fmt.Fprintf(t, " %9.2f %9.2f", f.rate50, f.rate99)
	}
}
