//go:build unix

package pipe

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tick is that of a world.
const tick = DefaultBatch

// begin is when a world begins: at some place between two ticks.
func begin(phase int64) int64 { return 100*int64(tick) + phase }

// jitter says how late the piece is that begins with a frame: up to most.
func jitter(seed uint64, most time.Duration) func(from int64) time.Duration {
	return func(from int64) time.Duration {
		return time.Duration(rand.New(rand.NewPCG(seed, uint64(from))).Int64N(int64(most)))
	}
}

func TestAFeederOnTimeLosesNothing(t *testing.T) {
	check := func(t tb, dir string, phase int64, f feeder) {
		t.Helper()
		w := newWorld(t, dir, begin(phase), f)
		w.run(time.Minute)
		if w.within(0); len(w.holes) > 0 || w.pos < frames(54*time.Second) {
			t.Errorf("pieces of %v, %v behind a tick, opened anew %v: %d holes of %v in %v", f.piece, time.Duration(phase), f.reopen, len(w.holes), w.lost(), worldFormat.Duration(w.pos))
		}
	}
	for _, piece := range []time.Duration{20, 100, 250, 260, 340, 500, 1000, 1900, 2000, 2600, 5000} {
		for _, reopen := range []bool{false, true} {
			check(t, t.TempDir(), 53*ms, feeder{piece: piece * time.Millisecond, reopen: reopen, wakes: 10 * time.Millisecond})
		}
	}
	if t.Failed() {
		return
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		check(t, dir, rapid.Int64Range(0, int64(tick)-1).Draw(t, "phase"), feeder{
			piece: time.Duration(rapid.Int64Range(20, 5000).Draw(t, "ms")) * time.Millisecond, reopen: rapid.Bool().Draw(t, "reopen"),
		})
	})
}

func TestAPauseIsOneHoleOfItsLength(t *testing.T) {
	check := func(t tb, dir string, phase int64, f feeder, pause time.Duration, hasty bool) {
		t.Helper()
		f.away = []span{{frames(20 * time.Second), frames(20*time.Second + pause)}}
		right := 100 * time.Millisecond
		if f.piece > leastSettle {
			right = tick + tick/4
		}
		w := newWorld(t, dir, begin(phase), f)
		w.hasty = hasty
		w.run(pause + 40*time.Second)
		if w.within(right); len(w.holes) != 1 || (w.lost()-pause).Abs() > right {
			t.Errorf("pieces of %v, %v behind a tick, leaves %v, pauses for %v: %d holes of %v", f.piece, time.Duration(phase), f.leaves, pause, len(w.holes), w.lost())
		}
	}
	for _, pause := range []time.Duration{time.Second, 1900 * time.Millisecond, 3 * time.Second, 10 * time.Minute} {
		for _, leaves := range []bool{false, true} {
			for _, piece := range []time.Duration{20, 260, 500} {
				check(t, t.TempDir(), 53*ms, feeder{piece: piece * time.Millisecond, leaves: leaves}, pause, false)
			}
		}
	}
	if t.Failed() {
		return
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		check(t, dir, rapid.Int64Range(0, int64(tick)-1).Draw(t, "phase"), feeder{
			piece:  time.Duration(rapid.Int64Range(20, 5000).Draw(t, "ms")) * time.Millisecond,
			reopen: rapid.Bool().Draw(t, "reopen"), leaves: rapid.Bool().Draw(t, "leaves"),
		}, time.Duration(rapid.Int64Range(1000, 9000).Draw(t, "pause"))*time.Millisecond, rapid.Bool().Draw(t, "hasty"))
	})
}

func TestWhatIsMadeUpForIsNoHole(t *testing.T) {
	stall := func(length time.Duration) func(int64) time.Duration {
		from, to := frames(10*time.Second), frames(10*time.Second+length)
		return func(n int64) time.Duration {
			return worldFormat.Duration(max(0, to-max(n, from))) * time.Duration(min(1, n/from))
		}
	}
	for name, c := range map[string]struct {
		f      feeder
		length time.Duration
	}{
		"bursts of half a second": {feeder{piece: 500 * time.Millisecond}, time.Minute},
		"late pieces":             {feeder{piece: 20 * time.Millisecond, late: jitter(1, 400*time.Millisecond)}, 20 * time.Minute},
		"late bursts":             {feeder{piece: 500 * time.Millisecond, late: jitter(2, 400*time.Millisecond)}, 20 * time.Minute},
		"late bursts, reopened":   {feeder{piece: 340 * time.Millisecond, late: jitter(3, 400*time.Millisecond), reopen: true}, 20 * time.Minute},
		"a stall":                 {feeder{piece: 20 * time.Millisecond, late: stall(400 * time.Millisecond)}, time.Minute},
		"a stall of a second":     {feeder{piece: 20 * time.Millisecond, late: stall(time.Second)}, time.Minute},
		"a slow clock":            {feeder{piece: 100 * time.Millisecond, ppm: -200}, time.Hour},
		"a fast clock":            {feeder{piece: 100 * time.Millisecond, ppm: 200}, time.Hour},
		"slow bursts":             {feeder{piece: 500 * time.Millisecond, ppm: -200, late: jitter(4, 100*time.Millisecond)}, time.Hour},
		"fast bursts":             {feeder{piece: 500 * time.Millisecond, ppm: 200, late: jitter(5, 100*time.Millisecond)}, time.Hour},
		"a thousandth slower":     {feeder{piece: 20 * time.Millisecond, ppm: -1000}, 5 * time.Minute},
		"a thousandth faster":     {feeder{piece: 20 * time.Millisecond, ppm: 1000}, 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), begin(7*ms), c.f)
			w.run(c.length)
			if w.within(0); len(w.holes) > 0 || w.warns+w.faults > 0 || worldFormat.Duration(w.pos) < c.length*99/100-2*time.Second {
				t.Errorf("%d holes of %v, %d warnings and %d faults in %v", len(w.holes), w.lost(), w.warns, w.faults, worldFormat.Duration(w.pos))
			}
		})
	}
}

// Whatever a live feeder does, what was delivered and what was lost is the time
// that passed.
func TestHoursOfALiveFeederStayWithTheClock(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			late := []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond}[seed]
			random := rand.New(rand.NewPCG(seed, 0))
			between := func(a, b time.Duration) time.Duration { return a + time.Duration(random.Int64N(int64(b-a))) }
			f := feeder{
				piece: between(20*time.Millisecond, time.Second), reopen: seed%2 == 1, leaves: random.IntN(2) == 0,
				late: jitter(seed, late),
			}
			var length time.Duration
			for length < time.Hour {
				length += between(5*time.Second, 4*time.Minute)
				pause := between(time.Second, 12*time.Second)
				f.away = append(f.away, span{frames(length), frames(length + pause)})
				length += pause
			}
			pauses := len(f.away)
			w := newWorld(t, t.TempDir(), begin(int64(between(0, tick))), f)
			w.run(length + 20*time.Second)
			t.Logf("pieces of %v, up to %v late: %d pauses, %d holes, %d faults, off by %v to %v", f.piece, late, pauses, len(w.holes), w.faults, worldFormat.Duration(w.off.from), worldFormat.Duration(w.off.to))
			if w.within(max(late, 100*time.Millisecond)); len(w.holes) != pauses {
				t.Errorf("%d holes of %v for %d pauses", len(w.holes), w.lost(), pauses)
			}
		})
	}
}

// Pauses that are too short to be told from lateness are told together, but for
// what a slow clock would explain.
func TestShortPausesAddUp(t *testing.T) {
	f := feeder{piece: 20 * time.Millisecond}
	for at := 10 * time.Second; at < time.Hour; at += 10 * time.Second {
		f.away = append(f.away, span{frames(at), frames(at + 90*time.Millisecond)})
	}
	w := newWorld(t, t.TempDir(), begin(0), f)
	w.run(time.Hour)
	lost := 359 * 90 * time.Millisecond
	if least := lost - leastGap - tick - time.Hour*300/1e6; w.lost() < least || w.lost() > lost {
		t.Errorf("%v in %d holes, and %v were lost", w.lost(), len(w.holes), lost)
	}
}

func TestAFeederFasterThanItsSoundWaits(t *testing.T) {
	const away = 25 * time.Second // before it begins
	f := feeder{piece: 20 * time.Millisecond, ppm: 900_000, away: []span{{0, 10 * frames(away)}}}
	w := newWorld(t, t.TempDir(), begin(0), f)
	w.run(away + time.Minute)
	if ahead := worldFormat.Duration(w.pos) - time.Minute; ahead < lead-300*time.Millisecond || ahead > lead+300*time.Millisecond || len(w.holes) > 0 || w.warns != 1 {
		t.Errorf("%v of sound in a minute, %d holes, %d warnings", worldFormat.Duration(w.pos), len(w.holes), w.warns)
	}
}

// A process that stands still loses what the pipe cannot hold, and that lies
// behind what the pipe holds.
func TestStandingStillIsAHoleBehindWhatThePipeHeld(t *testing.T) {
	for _, piece := range []time.Duration{20 * time.Millisecond, 260 * time.Millisecond} {
		for phase := range int64(4) {
			const still = 3 * time.Second
			w := newWorld(t, t.TempDir(), begin(phase*59*ms), feeder{piece: piece, drops: true})
			stop := w.now + int64(20*time.Second)
			w.pace = func(until int64) int64 {
				if until > stop {
					until, stop = until+int64(still), 1<<62
				}
				return until
			}
			w.run(40 * time.Second)
			if w.within(100 * time.Millisecond); len(w.holes) != 1 || w.lost() < time.Second || w.lost() > still-piece {
				t.Errorf("pieces of %v: %d holes of %v", piece, len(w.holes), w.lost())
			}
		}
	}
}
