package daemon

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// A moody disk hangs, or fails, at some of what it is asked to do.
type moody struct {
	clock   clock.Clock
	mu      sync.Mutex // guards rand
	rand    *rand.Rand
	well    int64 // from this instant on it does what it is asked to
	longest time.Duration
}

func (m *moody) do(what string) error {
	if m.clock.Monotonic() >= m.well {
		return nil
	}
	m.mu.Lock()
	dice, hang := m.rand.IntN(40), time.Duration(m.rand.Int64N(int64(m.longest)))
	m.mu.Unlock()
	if dice < 3 && what != "commit" {
		_ = m.clock.Sleep(context.Background(), m.clock.Monotonic()+int64(hang))
	}
	if dice == 2 || dice == 3 {
		return fmt.Errorf("%s: %w", what, syscall.EIO)
	}
	return nil
}

// TestEveryLostFrameIsCountedOnce stores on disks that hang for longer than the
// ring lasts, and fail at what they had not done yet: what is counted as lost
// is what the index lacks, and never goes back. Only what was given up and then
// stored after all stays counted.
func TestEveryLostFrameIsCountedOnce(t *testing.T) {
	const length = 80 * time.Second
	lossy, inexact := 0, 0
	for seed := range uint64(24) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			watched(b) // it would say a lot
			m := &moody{
				clock: b.clock, rand: rand.New(rand.NewPCG(seed, 0)), longest: 4 * time.Second,
				well: b.clock.Monotonic() + int64(length-20*time.Second),
			}
			b.sensor("mic", mono, 2*time.Second, nil)
			b.reader("disk", hook(seed%2 == 1, m.do), 700*time.Millisecond, byBytes)
			var last DrainStatus
			d := b.watch(length, time.Second, func(d *Daemon, at time.Duration) {
				now := d.Status().Drains[0]
				if now.Overrun < last.Overrun || now.Written < last.Written || now.Durable < last.Durable {
					t.Errorf("disk %d, after %v: %+v after %+v", seed, at, now, last)
				}
				last = now
			})
			s, got := d.Status(), b.told("disk", "mic")
			missing := got.missing[audio.Overrun] + got.missing[audio.Disk]
			most := missing + int64(margin*float64(d.streams[0].Window))
			if s.Drains[0].Overrun < missing || s.Drains[0].Overrun > most || got.sound+missing != got.end || got.end != s.Sensors[0].Captured {
				t.Errorf("disk %d: %d stored, %d missing, %d in all; %d are counted as lost, %d as captured",
					seed, got.sound, missing, got.end, s.Drains[0].Overrun, s.Sensors[0].Captured)
			}
			if missing > 0 {
				lossy++
			}
			if s.Drains[0].Overrun > missing {
				inexact++
			}
		})
	}
	if lossy < 10 || inexact > 5 {
		t.Errorf("%d disks lost something, %d did not tell exactly how much", lossy, inexact)
	}
}

func TestATallyCountsEachFrameOnce(t *testing.T) {
	span := func(from, to audio.Pos) audio.Span { return audio.Span{From: from, To: to} }
	for _, c := range []struct {
		name string
		lost []audio.Span // to be given again before each is what it begins before
		more []int64
	}{
		{"one after the other", []audio.Span{span(0, 100), span(150, 160), span(160, 200)}, []int64{100, 10, 40}},
		{"the same again", []audio.Span{span(100, 200), span(100, 200)}, []int64{100, 0}},
		{"again, and more of it", []audio.Span{span(100, 200), span(100, 250)}, []int64{100, 50}},
		{"again, with what was stored before it", []audio.Span{span(100, 200), span(40, 230)}, []int64{100, 90}},
		{"again from its middle on", []audio.Span{span(100, 200), span(150, 230)}, []int64{100, 30}},
		{"two, and again from before both", []audio.Span{span(100, 200), span(300, 400), span(50, 420)}, []int64{100, 100, 170}},
		{"less of it, and then another", []audio.Span{span(100, 200), span(100, 150), span(300, 360)}, []int64{100, 0, 10}},
		{"nothing", []audio.Span{span(5, 5)}, []int64{0}},
	} {
		var tl tally
		for i, s := range c.lost {
			tl.back(s.From)
			if more := tl.lose(s); more != c.more[i] {
				t.Errorf("%s: %v counts for %d more, want %d", c.name, s, more, c.more[i])
			}
		}
	}
	// However many there are, the count is right, unless the sink goes back
	// behind what is remembered: then nothing is counted twice.
	var tl tally
	const n = 3 * maxTallied
	for i := range audio.Pos(n) {
		tl.back(10 * i)
		tl.lose(span(10*i, 10*i+3))
	}
	if tl.count.Load() != 3*n || len(tl.lost) > maxTallied {
		t.Errorf("%d counted of %d, %d remembered", tl.count.Load(), 3*n, len(tl.lost))
	}
	tl.back(0)
	if more := tl.lose(span(0, 10*n)); more > 10*n-3*n || more < 0 {
		t.Errorf("all of it, %d, counts for %d more", 10*n, more)
	}
}
