package clock

import (
	"math"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// A slewed is a clock that runs ppm fast from one time on for a while. Times
// are ns of the clock that is not slewed.
type slewed struct{ from, to, ppm float64 }

func (s slewed) at(raw float64) float64 {
	return raw + 1e-6*s.ppm*(min(max(raw, s.from), s.to)-s.from)
}

// read is the slewed clock at a reading of the other.
func (s slewed) read(raw, began int64) int64 { return began + int64(s.at(float64(raw-began))) }

// anchors is a ledger as simple as can be: it draws a line from anchor to
// anchor, and tells the errors of a tally once both are there.
type anchors struct {
	tally
	pos     audio.Pos
	at      int64
	raw     int64
	waiting []packet
}

func (a *anchors) add(pos audio.Pos, at int64, truth func(packet) float64) {
	if a.at > 0 {
		rest := a.waiting[:0]
		for _, p := range a.waiting {
			if p.end > pos {
				rest = append(rest, p)
				continue
			}
			m := float64(a.at) + float64(at-a.at)*float64(p.end-a.pos)/float64(pos-a.pos)
			if p.truth >= 60e9 {
				a.tally.add((m-truth(p))/1e3, 0)
			}
		}
		a.waiting = rest
	}
	a.pos, a.at = pos, at
}

// errors runs an hour under a slew of the boot clock, with an anchor at each
// whole second of positions: once estimating on the boot clock, once on the raw
// one and converting at each anchor, by readings of both four times a second.
func (s slewed) errors() (boot, raw figures) {
	one := newSim(7, device{48000, 37, 2}, 1800, 1024)
	var onBoot, onRaw anchors
	eBoot, eRaw, convert := NewEstimator(48000, EstimatorOptions{}), NewEstimator(48000, EstimatorOptions{}), (*Track)(nil)
	feed := NewFeed(eRaw, 0)
	truth := func(p packet) float64 { return float64(one.began) + s.at(p.truth) }
	second, looked, turned := audio.Pos(0), int64(0), int64(0)
	for p := range one.packets {
		for at := looked + 250e6; convert == nil || at <= p.at; at += 250e6 {
			at = max(at, p.at-p.at%250e6)
			looked = at
			b := s.read(at, one.began) + one.rng.Int64N(361) - 180 // no reading is better than that
			r := Reading{Boot: b, Mono: b, Raw: at, Err: 180}
			if convert == nil {
				convert = NewTrack(r)
			}
			convert = convert.With(r)
		}
		b := s.read(p.at, one.began)
		eBoot.Observe(p.end, b)
		feed.Add(convert, p.end, b)
		onBoot.waiting, onRaw.waiting = append(onBoot.waiting, p), append(onRaw.waiting, p)
		if p.end/48000 > second {
			second = p.end / 48000
			at, _ := eBoot.At(48000 * second)
			onBoot.add(48000*second, at, truth)
			at, _ = eRaw.At(48000 * second)
			onRaw.add(48000*second, convert.Boot(at), truth)
			onRaw.raw = at
		}
		if at := convert.Turned(); at > turned {
			turned = at
			bend := onRaw.pos + audio.Pos(float64(turned-onRaw.raw)*48000/1e9)
			for _, pos := range []audio.Pos{bend, p.end} {
				if at, _ := eRaw.At(pos); pos > onRaw.pos {
					onRaw.add(pos, convert.Boot(at), truth)
					onRaw.raw = at
				}
			}
		}
	}
	return onBoot.figures(), onRaw.figures()
}

func TestASlewOfTheClockDisturbsNoEstimateOnTheRawOne(t *testing.T) {
	var log table
	for _, c := range []struct {
		name string
		slewed
		boot float64 // us: on the boot clock p99 is at least this
	}{
		{"no slew", slewed{}, 0},
		{"+500 ppm for 10 min", slewed{600e9, 1200e9, 500}, 1000},
		{"-500 ppm for 10 min", slewed{600e9, 1200e9, -500}, 1000},
		{"+83,333 ppm for 12 s", slewed{600.4e9, 612.4e9, 83333}, 100_000},
		{"-83,333 ppm for 12 s", slewed{600.4e9, 612.4e9, -83333}, 100_000},
	} {
		boot, raw := c.errors()
		log.row(c.name+", on boot time", boot)
		log.row(c.name+", on raw time", raw)
		if raw.p99 > 20 || raw.most > 10_000 {
			t.Errorf("%s: p99 %.1f us, max %.0f us; want 20 and 10,000", c.name, raw.p99, raw.most)
		}
		if boot.p99 < c.boot || math.IsNaN(boot.p99) {
			t.Errorf("%s: on boot time p99 is %.1f us, and this test shows nothing", c.name, boot.p99)
		}
	}
	t.Log(log.String())
}

func TestASuspendIsAHoleAsLongAsItWas(t *testing.T) {
	const asleep = int64(8 * 3600 * 1e9)
	s := newSim(8, device{48000, 37, 0}, 600, 1024)
	e, forgot := NewEstimator(48000, EstimatorOptions{}), NewEstimator(48000, EstimatorOptions{})
	var suspended, lost int64
	var pos audio.Pos
	var last packet
	for p := range s.packets {
		if suspended == 0 && p.truth > 300e9 {
			from, err := e.At(pos)
			late := e.Late()
			suspended = asleep
			to := p.at + suspended - 21_333_333
			frames, wrong := e.Frames(from, to, err+late)
			want := int64(math.Round((float64(asleep)/1e9 + (p.truth-last.truth)/1e9) * 48000 * (1 + 37e-6)))
			want -= 1024
			if d := frames - want; d > wrong || -d > wrong {
				t.Errorf("8 h cost %d +- %d frames, want %d", frames, wrong, want)
			}
			if wrong > 8294 { // 6 ppm
				t.Errorf("8 h cost %d +- %d frames", frames, wrong)
			}
			if short, _ := forgot.Frames(from, to-suspended, 0); want-short < 48000*8*3600 {
				t.Errorf("without the time of the suspend the hole is %d frames, want %d less than %d", short, 48000*8*3600, want)
			}
			lost = frames
			e.Restart()
		}
		pos = p.end + audio.Pos(lost)
		last = p
		e.Observe(pos, p.at+suspended)
		at, err := e.At(pos)
		if made := float64(at-suspended-s.began) - p.truth; math.Abs(made) > float64(err) && p.truth > 1e9 {
			t.Errorf("%.1f s after the beginning: %.1f us wrong, %.1f stated", p.truth/1e9, made/1e3, float64(err)/1e3)
		}
	}
	if ppm, err := e.Rate(); math.Abs(ppm-37) > 1 || math.Abs(ppm-37) > err {
		t.Errorf("the rate is %.2f +- %.2f ppm, want 37", ppm, err)
	}
}
