package daemon

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clocktest"
)

const day = 24 * time.Hour

// rotations is a machine whose sessions rotate: what the daemon does with a
// planner, without sound.
type rotations struct {
	*clocktest.Clock
	p     planner
	begun []Rotation // of sessions behind the first
	at    []int64    // m at which each was told of
}

func newRotations(c *clocktest.Clock, period time.Duration) *rotations {
	r := c.Read()
	return &rotations{Clock: c, p: newPlanner(period, r.Boot, r.Real, c.Sync().On)}
}

// look rotates as long as it is time to.
func (r *rotations) look() {
	for {
		now := r.Read()
		at, ok := r.p.next(now.Boot, now.Real, r.Sync().On)
		if !ok || at.M > now.Boot {
			return
		}
		r.p.rotated(at)
		r.begun, r.at = append(r.begun, at), append(r.at, now.Boot)
	}
}

// run lets time pass, and looks each second, or at longer steps.
func (r *rotations) run(d, step time.Duration) {
	for ; d > 0; d -= step {
		r.look()
		r.Advance(step)
	}
	r.look()
}

// begins are when the sessions behind the first begin by the wall clock, and why.
func (r *rotations) begins() (all []string) {
	for _, b := range r.begun {
		all = append(all, time.Unix(0, b.UTC).UTC().Format("01-02T15:04:05")+" "+b.Why)
	}
	return all
}

// rotationCase is a machine, what happens to it, and when the sessions behind
// the first begin by its wall clock.
type rotationCase struct {
	name   string
	begin  time.Time
	period time.Duration
	sync   clock.Sync
	script func(*rotations)
	want   []string
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

var rotationCases = []rotationCase{
	{"a day and a half", noon, day, clock.Sync{On: true}, func(r *rotations) { r.run(36*time.Hour, time.Second) },
		[]string{"11-22T00:00:00 date", "11-23T00:00:00 date"}},
	{"begun at midnight", noon.Add(12 * time.Hour), day, clock.Sync{On: true}, func(r *rotations) { r.run(25*time.Hour, time.Second) },
		[]string{"11-23T00:00:00 date"}},
	{"every six hours", noon, 6 * time.Hour, clock.Sync{On: true}, func(r *rotations) { r.run(19*time.Hour, time.Second) },
		[]string{"11-21T18:00:00 date", "11-22T00:00:00 date", "11-22T06:00:00 date"}},
	{"never", noon, 0, clock.Sync{}, func(r *rotations) {
		r.run(100*time.Hour, time.Minute)
		r.SetSync(clock.Sync{On: true})
		r.Step(day)
		r.run(day, time.Minute)
	},
		nil},
	{"set forward over midnight", noon, day, clock.Sync{On: true}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Step(13 * time.Hour)
		r.run(23*time.Hour, time.Second)
	},
		[]string{"11-22T02:00:00 date", "11-23T00:00:00 date"}},
	{"set forward over a midnight that the session would have passed", noon, day, clock.Sync{On: true}, func(r *rotations) {
		r.run(5*time.Hour, time.Second)
		r.Step(8 * time.Hour)
		r.run(time.Hour, time.Second)
	}, []string{"11-22T01:00:00 date"}},
	{"and back again", noon, day, clock.Sync{On: true}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Step(13 * time.Hour)
		r.run(time.Minute, time.Second)
		r.Step(-13 * time.Hour)
		r.run(20*time.Hour, time.Second)
	}, []string{"11-22T02:00:00 date"}},
	{"set back over midnight", noon, day, clock.Sync{On: true}, func(r *rotations) {
		r.run(12*time.Hour+5*time.Second, time.Second)
		r.Step(-time.Hour)
		r.run(10*time.Hour, time.Second)
	},
		[]string{"11-22T00:00:00 date"}},
	{"back by ten years", noon, day, clock.Sync{On: true}, func(r *rotations) { r.Step(-87660 * time.Hour); r.run(76*time.Hour, time.Second) },
		[]string{"11-22T01:00:00 length", "11-23T02:00:00 length", "11-24T03:00:00 length"}},
	{"back by two hours at noon", noon.Add(12 * time.Hour), day, clock.Sync{On: true}, func(r *rotations) {
		r.run(12*time.Hour, time.Second)
		r.Step(-2 * time.Hour)
		r.run(40*time.Hour, time.Second)
	},
		[]string{"11-22T23:00:00 length", "11-24T00:00:00 date"}}, // the second stands for the 23rd
	{"forward by ten years", noon, day, clock.Sync{On: true}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Step(87660 * time.Hour)
		r.run(20*time.Hour, time.Second)
	},
		[]string{"11-21T01:00:00 date"}},
	{"a leap second repeats", noon, day, clock.Sync{On: true}, func(r *rotations) { r.LeapRepeat(12 * time.Hour); r.run(13*time.Hour, time.Second/4) },
		[]string{"11-22T00:00:00 date"}},
	{"and just behind midnight", noon, day, clock.Sync{On: true}, func(r *rotations) { r.LeapRepeat(12*time.Hour + time.Millisecond); r.run(13*time.Hour, time.Second/4) },
		[]string{"11-22T00:00:00 date"}},
	{"a leap second is smeared", noon, day, clock.Sync{On: true}, func(r *rotations) { r.LeapSmear(0); r.run(13*time.Hour, time.Second) },
		[]string{"11-22T00:00:00 date"}},
	{"three midnights in suspend", noon, day, clock.Sync{On: true}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Suspend(2*day + 12*time.Hour)
		r.run(10*time.Hour, time.Second)
	},
		[]string{"11-22T00:00:00 date", "11-23T00:00:00 date", "11-24T00:00:00 date"}},
	{"booted in 1970", time.Unix(0, 0), day, clock.Sync{}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Set(noon)
		r.SetSync(clock.Sync{On: true})
		r.run(13*time.Hour, time.Second)
	}, []string{"11-21T12:00:00 sync", "11-22T00:00:00 date"}},
	{"booted in 2099", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), day, clock.Sync{}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Set(noon)
		r.SetSync(clock.Sync{On: true})
		r.run(13*time.Hour, time.Second)
	}, []string{"11-21T12:00:00 sync", "11-22T00:00:00 date"}},
	{"set right within the day, and synchronised again later", noon, day, clock.Sync{}, func(r *rotations) {
		for range 3 {
			r.Step(61 * time.Second)
			r.SetSync(clock.Sync{On: true})
			r.run(time.Hour, time.Second)
			r.SetSync(clock.Sync{})
			r.run(time.Hour, time.Second)
		}
	}, []string{"11-21T12:01:01 sync"}},
	{"set right by a minute", noon, day, clock.Sync{}, func(r *rotations) {
		r.Step(time.Minute)
		r.SetSync(clock.Sync{On: true})
		r.run(time.Hour, time.Second)
	},
		nil},
	{"set when it was synchronised before", noon, day, clock.Sync{}, func(r *rotations) {
		r.SetSync(clock.Sync{On: true})
		r.run(time.Hour, time.Second)
		r.Step(2 * time.Minute)
		r.run(time.Hour, time.Second)
	}, nil},
	{"set by hand, synchronised later", noon, day, clock.Sync{}, func(r *rotations) {
		r.run(time.Hour, time.Second)
		r.Step(10 * day)
		r.run(time.Hour, time.Second)
		r.Step(time.Second)
		r.SetSync(clock.Sync{On: true})
		r.run(time.Hour, time.Second)
	}, []string{"12-01T13:00:00 date"}},
}

func TestSessionsRotateOncePerDate(t *testing.T) {
	for _, c := range rotationCases {
		t.Run(c.name, func(t *testing.T) {
			m := clocktest.New(c.begin)
			m.SetSync(c.sync)
			r := newRotations(m, c.period)
			c.script(r)
			got := r.begins()
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

// TestARotationIsKnownBefore it is time, to the nanosecond, and what is planned
// is what then happens.
func TestARotationIsKnownBefore(t *testing.T) {
	m := clocktest.New(time.Date(2026, 11, 21, 12, 0, 0, 7, time.UTC))
	r := newRotations(m, day)
	zero := m.Read()
	want := zero.Boot + int64(12*time.Hour) - 7
	for range 12 * 60 {
		now := m.Read()
		if at, ok := r.p.next(now.Boot, now.Real, true); !ok || at.M != want {
			t.Fatalf("planned at %d, want %d", at.M, want)
		}
		m.Advance(time.Minute)
	}
	r.look()
	if len(r.begun) != 1 || r.begun[0].M != want || r.begun[0].UTC != time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).UnixNano() {
		t.Errorf("got %+v", r.begun)
	}
}

// TestRotationsUnderAnyClock: in random schedules of steps, slews and suspends
// a session follows the other, none lasts over 25 h, each has a later date than
// the one before it, and none goes on into a later date.
func TestRotationsUnderAnyClock(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := clocktest.New(noon.Add(time.Duration(rng.Int64N(int64(day)))))
		m.SetSync(clock.Sync{On: true})
		r := newRotations(m, day)
		last := Rotation{M: m.Read().Boot, date: r.p.date}
		for m.Truth().Before(noon.Add(20 * day)) {
			switch rng.IntN(400) {
			case 0:
				m.Step(time.Duration(rng.Int64N(int64(6*time.Hour)) - int64(3*time.Hour)))
			case 1:
				m.Suspend(time.Duration(rng.Int64N(int64(50 * time.Hour))))
			case 2:
				m.Slew(rng.Int64N(2*83_333_333) - 83_333_333)
			}
			m.Advance(time.Duration(rng.Int64N(int64(10 * time.Minute))))
			r.look()
			now := m.Read()
			for _, b := range r.begun {
				if b.date <= last.date || b.M < last.M || b.M-last.M > int64(25*time.Hour) || b.M > now.Boot || b.Why == "sync" {
					t.Fatalf("seed %d: at m %d: %+v behind %+v", seed, now.Boot, b, last)
				}
				last = b
			}
			r.begun = nil
			if date := r.p.dateOf(now.Real); date > last.date || now.Boot-last.M > int64(25*time.Hour) {
				t.Fatalf("seed %d: at m %d: it is the date %d, and the session is %+v", seed, now.Boot, date, last)
			}
		}
	}
}

// TestTenYearsOfRotation: the clock is looked at each minute, set by up to an
// hour each week, and the machine is suspended each month.
func TestTenYearsOfRotation(t *testing.T) {
	begin := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	m := clocktest.New(begin)
	end := begin.AddDate(10, 0, 0)
	registry := newRegistry(newMemFolder(), "", built1)
	r := newRotations(m, day)
	first := m.Read().Boot
	ids, dates := []audio.Session{}, []int64{r.p.date}
	name := func(utc int64) {
		n, err := registry.Name(time.Unix(0, utc), -1)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, n.ID)
	}
	name(begin.UnixNano())
	steps := []time.Duration{time.Second, -time.Hour, time.Microsecond, time.Hour, -time.Second, -time.Microsecond}
	for minute := 1; m.UTC().Before(end); minute++ {
		if minute%(7*24*60) == 0 {
			m.Step(steps[minute/(7*24*60)%len(steps)])
		}
		if minute%(30*24*60) == 11*60 {
			m.Suspend(time.Duration(minute%50) * time.Hour)
		}
		m.Advance(time.Minute)
		if m.UTC().Before(end) {
			r.look()
		}
		for ; len(ids) <= len(r.begun); dates = append(dates, r.p.date) {
			name(r.begun[len(ids)-1].UTC)
		}
	}
	if len(ids) != 3653 {
		t.Errorf("there are %d sessions, want 3653", len(ids))
	}
	last := first
	for i := range ids[1:] {
		if ids[i+1] <= ids[i] {
			t.Errorf("session %d is behind %d", ids[i+1], ids[i])
		}
		if b := r.begun[i]; b.date <= r.p.dateOf(begin.UnixNano())+int64(i) || b.M < last || b.M-last > int64(25*time.Hour) {
			t.Errorf("session %d lasts %v and has date %d", ids[i], time.Duration(b.M-last), b.date)
		}
		last = r.begun[i].M
	}
}

func TestRotateIsADivisorOfADayOrNever(t *testing.T) {
	for text, want := range map[string]time.Duration{"24h": day, "6h": 6 * time.Hour, "1h": time.Hour, "1440m": day, "never": 0, "1m": time.Minute} {
		if got, err := ParseRotate(text); got != want || err != nil {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0s", "5h", "48h", "-24h", "30s", "day", "24"} {
		if got, err := ParseRotate(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func BenchmarkPlanner(b *testing.B) {
	b.ReportAllocs()
	m := clocktest.New(now1)
	r := m.Read()
	p := newPlanner(day, r.Boot, r.Real, true)
	for b.Loop() {
		p.next(r.Boot, r.Real, true)
	}
}
