package daemon

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clocktest"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
)

// A boot is CLOCK_BOOTTIME by CLOCK_MONOTONIC_RAW, of a machine to which one
// thing happened.
type boot struct{ begin, before, after, end clock.Reading }

// at is CLOCK_BOOTTIME at RAW, since the beginning.
func (b boot) at(raw int64) float64 {
	from, to := b.begin, b.before
	if raw >= b.after.Raw {
		from, to = b.after, b.end
	}
	return float64(from.Boot-b.begin.Boot) + float64(raw-from.Raw)*float64(to.Boot-from.Boot)/float64(to.Raw-from.Raw)
}

// stretchOf is sound as the daemon placed it: from a position of the stream on.
type stretchOf struct {
	from   audio.Pos
	number int64 // of its first frame, as its crystal counts
	frames int64
}

// stretches are the stretches of sound in the stream.
func stretches(all []storedSession) (out []stretchOf) {
	begin := int64(0)
	for _, s := range all {
		for _, p := range s.pieces {
			if p.cause == 0 {
				out = append(out, stretchOf{audio.Pos(begin + p.from), int64(binary.LittleEndian.Uint32(p.sound)), p.frames})
			}
		}
		begin += s.end.End
	}
	return out
}

// TestTimesAreWithinTheirErrors compares when the ledger says that frames were
// captured with when they were, under all that may happen to the machine's
// clocks, and with a microphone that is unplugged for a while.
func TestTimesAreWithinTheirErrors(t *testing.T) {
	troubles := append([]clocktest.Trouble{{Name: "nothing", Do: func(*clocktest.Clock) {}}}, clocktest.Troubles()...)
	for i, trouble := range troubles {
		t.Run(trouble.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wrong := datesUnder(t, uint64(i), trouble)
				slices.Sort(wrong)
				p99, most := wrong[len(wrong)*99/100], wrong[len(wrong)-1]
				t.Logf("%d frames: p99 %.0f us, max %.0f us wrong", len(wrong), p99/1e3, most/1e3)
				if p99 > 1e6 {
					t.Errorf("p99 is %.0f us", p99/1e3)
				}
			})
		})
	}
}

// datesUnder is by how many ns each of many frames is dated wrong.
func datesUnder(t *testing.T, seed uint64, trouble clocktest.Trouble) (wrong []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := clocktest.NewFollowing()
	b := newBench(t)
	b.clock, b.config.Clock, b.config.Log = m, m, zap.NewNop()
	c := newCrystal(m, mono, 400*rng.Float64()-200)
	begun, away := m.Read(), int64(0)
	b.sensor("mic", mono, keepAll, func(context.Context, source.Admit) (source.Source, error) {
		if m.Read().Raw < away {
			return nil, source.Faultf(source.Failed, "not plugged in")
		}
		out := begun.Raw + int64(400*time.Second)
		mic := c.open(160, rand.New(rand.NewPCG(seed, 2)))
		mic.breaks = func(context.Context) error {
			if away == 0 && m.Read().Raw > out {
				away = out + int64(7*time.Second)
				return source.Faultf(source.Stall, "the test pulled the plug")
			}
			return nil
		}
		return mic, nil
	})
	b.reader("disk", mem.New(), time.Minute, byBytes)
	truth := boot{begin: begun}
	m.At(200*time.Second+time.Duration(rng.Int64N(1e9)), func(m *clocktest.Clock) {
		truth.before = m.Read()
		trouble.Do(m)
		truth.after = m.Read()
	})
	d, err := b.run(10 * time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	truth.end = m.Read()
	st := d.streams[0]
	dates := st.dates.ledger.UTC(clock.Label{M: 1, Raw: 1, Sync: clock.SyncGiven}) // M itself, but for one ns
	outside, outsideThen, stated := 0, 0, []int64(nil)
	for _, s := range stretches(b.sessions("disk", "mic")) {
		for i := int64(0); i < s.frames; i += 80 {
			at, err := dates.At(s.from + audio.Pos(i))
			if err != nil || at.InHole {
				t.Fatalf("frame %d: %+v, %v", s.from, at, err)
			}
			off := float64(at.UTC+1) - truth.at(c.raw(s.number+i))
			wrong = append(wrong, max(off, -off))
			e := at.Err - at.Parts[clock.PartLabel]
			stated = append(stated, e)
			if max(off, -off) <= float64(e) {
				continue
			}
			if outside++; outside < 4 {
				t.Logf("frame %d is dated %.0f us late, ± %d us is stated: %+v", s.from+audio.Pos(i), off/1e3, e/1e3, at)
			}
			if since := c.raw(s.number+i) - truth.before.Raw; max(since, -since) < int64(2*time.Second) {
				outsideThen++
			}
		}
	}
	if outside > len(wrong)/1000 || outsideThen > 0 {
		t.Errorf("%d of %d frames are dated worse than is stated, %d of them when it happened", outside, len(wrong), outsideThen)
	}
	slices.Sort(stated)
	if p99 := stated[len(stated)*99/100]; p99 > int64(2*time.Millisecond) && trouble.Suspend == 0 {
		t.Errorf("± %d us are stated of one in 100: that tells nothing", p99/1e3)
	}
	if !trouble.Slewed {
		checkSlopes(t, st, 200+maxTurn+50)
	}
	checkHoles(t, st, c, b.sessions("disk", "mic"), trouble.Suspend)
	return wrong
}

// TestTheLineTurnsSlowly: a machine that is busy at first lets all sound come
// late. When it is seen to have, the anchors there are stand, and time goes on by
// a line that approaches the right one.
func TestTheLineTurnsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := clocktest.NewFollowing()
		b := newBench(t)
		b.clock, b.config.Clock, b.config.Log = m, m, zap.NewNop()
		c := newCrystal(m, mono, 20)
		begun := m.Read()
		b.sensor("mic", mono, keepAll, func(context.Context, source.Admit) (source.Source, error) {
			mic := c.open(160, rand.New(rand.NewPCG(7, 8)))
			mic.held = begun.Raw + int64(5*time.Second)
			return mic, nil
		})
		b.reader("disk", mem.New(), time.Minute, byBytes)
		d, err := b.run(90 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		st := d.streams[0]
		checkSlopes(t, st, 4000) // the rate that is estimated is wrong by most of that for a while
		truth := boot{begin: begun, before: begun, after: begun, end: m.Read()}
		dates := st.dates.ledger.UTC(clock.Label{M: 1, Raw: 1, Sync: clock.SyncGiven})
		for second, most := range map[int64]float64{3: 11e6, 12: 11e6, 30: 3e6, 80: 1e6} {
			at, err := dates.At(audio.Pos(second * int64(mono.Rate)))
			off := float64(at.UTC+1) - truth.at(c.raw(stretches(b.sessions("disk", "mic"))[0].number+second*int64(mono.Rate)))
			if err != nil || max(off, -off) > most || second > 3 && max(off, -off) > float64(at.Err) {
				t.Errorf("second %d is dated %.0f us late, ± %d us is stated, %v", second, off/1e3, at.Err/1e3, err)
			}
		}
	})
}

// checkSlopes checks that the line of the anchors is nowhere steeper than so many
// ppm: one that jumps would give sound a rate that no device has.
func checkSlopes(t *testing.T, st *stream, most float64) {
	t.Helper()
	last, any := clock.Anchor{}, false
	for a, s := range st.dates.ledger.Rows(0) {
		if frames := int64(a.Pos - last.Pos); any && s.Lost == 0 && frames >= int64(st.Format.Rate)/2 {
			ppm := 1e6 * (float64(a.M-last.M)/float64(nominalTime(frames, int64(st.Format.Rate))) - 1)
			if max(ppm, -ppm) > most {
				t.Errorf("%s: to frame %d time runs %.0f ppm fast", st.ID, a.Pos, ppm)
			}
		}
		last, any = a, true
	}
}

// checkHoles checks that holes are as long as frames are missing, within what
// the ledger says of them, and that the machine's sleep is one.
func checkHoles(t *testing.T, st *stream, c *crystal, all []storedSession, slept time.Duration) {
	t.Helper()
	sound := stretches(all)
	suspended := int64(0)
	for _, s := range st.dates.ledger.Rows(0) {
		if s.Lost == 0 {
			continue
		}
		if s.Why == audio.Suspend {
			suspended += s.Lost
			continue // the crystal stood still
		}
		for i := 1; i < len(sound); i++ {
			if sound[i].from != s.From {
				continue
			}
			before := sound[i-1]
			missing := sound[i].number - before.number - before.frames
			if off := s.Lost - missing; max(off, -off) > s.LostErr {
				t.Errorf("%s: a hole of %d ± %d frames, %d are missing", st.ID, s.Lost, s.LostErr, missing)
			}
		}
	}
	want := int64(slept.Seconds() * c.frames())
	if off := suspended - want; max(off, -off) > want/1000+1 || (slept > 0) != (suspended > 0) {
		t.Errorf("%s: %d frames were lost in suspend, want %d", st.ID, suspended, want)
	}
}
