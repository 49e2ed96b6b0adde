//go:build unix

package pipe

import (
	"os"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// live is a feeder on a clock of steps: each step it writes what play says.
type live struct {
	t     *testing.T
	clock *steps
	path  string
	s     *Source
	warns int
}

var liveFormat = audio.Format{Rate: 8000, Channels: 1, Encoding: audio.S16}

const stepFrames = 160 // 20 ms

func newLive(t *testing.T) *live {
	l := &live{t: t, clock: &steps{now: 1000 * ms}, path: mkfifo(t)}
	l.s = open(t, Config{Path: l.path, Format: liveFormat, Clock: l.clock, Batch: batch, Warn: func(string) { l.warns++ }})
	return l
}

// run lets the feeder play until a time, ms, and returns the frames delivered
// and lost.
func (l *live) run(until int64, play func(now int64)) (frames, lost int64) {
	l.t.Helper()
	begun := l.clock.now
	l.clock.each = func() { play((l.clock.now - begun) / ms) }
	p := make([]byte, 1<<20)
	for l.clock.now-begun < until*ms {
		pk, err := l.s.Read(l.t.Context(), p)
		if err != nil {
			l.t.Fatal(err)
		}
		if pk.Lost > 0 && pk.Cause != audio.Device {
			l.t.Errorf("lost to %v", pk.Cause)
		}
		frames, lost = frames+int64(pk.Frames), lost+pk.Lost
	}
	return frames, lost
}

func (l *live) feed(w *os.File, frames int) {
	write(l.t, w, make([]byte, frames*liveFormat.FrameBytes()))
}

func near(t *testing.T, what string, frames int64, want time.Duration) {
	t.Helper()
	if d := liveFormat.Duration(frames) - want; d.Abs() > DefaultBatch {
		t.Errorf("%s: %v, want %v give or take a tick", what, liveFormat.Duration(frames), want)
	}
}

func TestAFeederThatIsReplacedLeavesAHole(t *testing.T) {
	l := newLive(t)
	w := writer(t, l.path)
	_, lost := l.run(20_000, func(now int64) {
		switch {
		case now < 8000 || now >= 9200:
			if w == nil {
				w = writer(t, l.path)
			}
			l.feed(w, stepFrames)
		case w != nil:
			w.Close()
			w = nil
		}
	})
	near(t, "away for 1.2 s", lost, 1200*time.Millisecond)
}

func TestAFeederThatPausesLeavesAHole(t *testing.T) {
	l := newLive(t)
	w := writer(t, l.path)
	_, lost := l.run(30_000, func(now int64) {
		if now < 12_000 || now >= 13_500 {
			l.feed(w, stepFrames)
		}
	})
	near(t, "paused for 1.5 s", lost, 1500*time.Millisecond)
}

func TestLatenessThatIsMadeUpForIsNoHole(t *testing.T) {
	for name, play := range map[string]func(now int64) int{
		"bursts of a second": func(now int64) int { return map[bool]int{true: 50 * stepFrames}[now%1000 == 980] },
		"a stall of a second": func(now int64) int {
			return map[bool]int{true: stepFrames}[now < 10_000 || now >= 11_000] + map[bool]int{true: 50 * stepFrames}[now == 11_000]
		},
		"a thousandth slower":  func(now int64) int { return map[bool]int{true: stepFrames - 1, false: stepFrames}[now%120 == 0] },
		"a thousandth faster":  func(now int64) int { return map[bool]int{true: stepFrames + 1, false: stepFrames}[now%120 == 0] },
		"a second ahead first": func(now int64) int { return stepFrames + map[bool]int{true: 50 * stepFrames}[now == 0] },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLive(t)
			w := writer(t, l.path)
			frames, lost := l.run(60_000, func(now int64) {
				if n := play(now); n > 0 {
					l.feed(w, n)
				}
			})
			if lost != 0 || l.warns != 0 {
				t.Errorf("%d frames lost of %d, %d warnings", lost, frames, l.warns)
			}
			if d := liveFormat.Duration(frames) - time.Minute; d < -time.Second || d > time.Second+DefaultBatch {
				t.Errorf("%v of sound in a minute", liveFormat.Duration(frames))
			}
		})
	}
}

func TestAFeederFasterThanItsSoundWaits(t *testing.T) {
	l := newLive(t)
	w := writer(t, l.path)
	frames, lost := l.run(60_000, func(int64) {
		if err := fillUp(w); err != nil {
			t.Fatal(err)
		}
	})
	if ahead := liveFormat.Duration(frames) - time.Minute; ahead > lead+300*time.Millisecond || lost != 0 {
		t.Errorf("%v of sound in a minute, %d frames lost", liveFormat.Duration(frames), lost)
	}
	if l.warns != 1 {
		t.Errorf("%d warnings", l.warns)
	}
}
