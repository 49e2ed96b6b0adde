package clocktest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/clock"
)

var begin = time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)

// abs is the size of d.
func abs(d int64) int64 { return max(d, -d) }

// TestEachTroubleMovesItsClocksOnly: the differences between the clocks, over
// an hour before and an hour behind each trouble.
func TestEachTroubleMovesItsClocksOnly(t *testing.T) {
	for _, tr := range Troubles() {
		t.Run(tr.Name, func(t *testing.T) {
			c, rng := New(begin), rand.New(rand.NewPCG(1, 2))
			first := c.Read()
			for i := range 200 {
				if i == 100 {
					tr.Do(c)
				}
				c.Advance(time.Duration(rng.Int64N(int64(time.Minute))))
				r := c.Read()
				var step, suspend int64
				if i >= 100 {
					step, suspend = int64(tr.Step), int64(tr.Suspend)
				}
				if got := (r.Real - r.Boot) - (first.Real - first.Boot); got != step {
					t.Fatalf("REALTIME moved by %d ns against BOOTTIME, want %d", got, step)
				}
				if got := r.Boot - r.Mono; got != suspend {
					t.Fatalf("BOOTTIME counts %d ns more than MONOTONIC, want %d", got, suspend)
				}
				if got := r.Raw - first.Raw + suspend; got != int64(c.Truth().Sub(begin)) {
					t.Fatalf("RAW and suspend counted %d ns of %v", got, c.Truth().Sub(begin))
				}
				if slewed := r.Mono != r.Raw; slewed != (tr.Slewed && i >= 100) {
					t.Fatalf("MONOTONIC is %d ns ahead of RAW", r.Mono-r.Raw)
				}
			}
		})
	}
}

func TestASlewHasItsRate(t *testing.T) {
	for ppb, want := range map[int64]int64{500_000: 1_800_000_000, -500_000: -1_800_000_000, 83_333_333: 299_999_998_800, 1: 3_600} {
		c := New(begin)
		c.Slew(ppb)
		c.Advance(time.Hour)
		c.Slew(0)
		c.Advance(time.Hour)
		r := c.Read()
		if got := r.Mono - r.Raw; got != want {
			t.Errorf("%d ppb for an hour are %d ns, want %d", ppb, got, want)
		}
		if got := r.Real - c.Truth().UnixNano(); got != want {
			t.Errorf("%d ppb for an hour set the wall clock wrong by %d ns, want %d", ppb, got, want)
		}
	}
}

func TestADriftMovesAllClocksAlike(t *testing.T) {
	c := New(begin)
	c.Drift(37_000)
	c.Advance(1000 * time.Second)
	r := c.Read()
	if got := r.Raw - uptime - int64(1000*time.Second); got != 37_000_000 {
		t.Errorf("RAW is %d ns fast", got)
	}
	if r.Mono != r.Raw || r.Boot != r.Raw || r.Real-c.Truth().UnixNano() != 37_000_000 {
		t.Errorf("got %+v", r)
	}
	c.Slew(-36_998) // what NTP would do, within 1 ppb
	c.Advance(1000 * time.Second)
	if got := c.Read().Real - c.Truth().UnixNano(); abs(got-37_000_000) > 2_000 {
		t.Errorf("against its slew the wall clock drifted by %d ns", got-37_000_000)
	}
}

func TestAMachineOf1970IsSetRight(t *testing.T) {
	c := New(begin)
	c.Set(time.Unix(0, 0))
	c.Advance(time.Hour)
	if got := c.UTC(); !got.Equal(time.Unix(3600, 0)) {
		t.Errorf("the wall clock shows %v", got)
	}
	c.Set(c.Truth())
	if got, want := c.UTC(), begin.Add(time.Hour); !got.Equal(want) {
		t.Errorf("the wall clock shows %v, want %v", got, want)
	}
}

// TestTheScriptActsAtItsInstants: also those of one instant, in their order,
// and what an event adds.
func TestTheScriptActsAtItsInstants(t *testing.T) {
	c := New(begin)
	var got []time.Duration
	note := func(c *Clock) { got = append(got, c.Truth().Sub(begin)) }
	c.At(3*time.Second, note)
	c.At(time.Second, func(c *Clock) { note(c); c.At(time.Second, note) })
	c.At(3*time.Second, func(c *Clock) { note(c); c.Step(time.Second) })
	c.At(9*time.Second, note)
	c.Advance(5 * time.Second)
	want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := c.UTC(); !got.Equal(begin.Add(6 * time.Second)) {
		t.Errorf("the wall clock shows %v", got)
	}
}

func TestALeapSecondRepeatsOrIsSmeared(t *testing.T) {
	c := New(begin)
	c.LeapRepeat(time.Hour)
	c.Advance(time.Hour)
	if got, want := c.UTC(), begin.Add(time.Hour-time.Second); !got.Equal(want) {
		t.Errorf("behind the second the clock shows %v, want %v", got, want)
	}
	c = New(begin)
	c.LeapSmear(time.Hour)
	for c.Truth().Before(begin.Add(Smear + 2*time.Hour)) {
		before := c.Read()
		c.Advance(time.Minute)
		if d := c.Read().Real - before.Real; d < int64(time.Minute)-smearPPB*60-1 || d > int64(time.Minute) {
			t.Fatalf("a minute of the wall clock lasts %d ns", d)
		}
	}
	if off := c.Read().Real - c.Truth().UnixNano(); abs(off+int64(time.Second)) > 20_000 {
		t.Errorf("the smear came to %d ns", off)
	}
}

func TestNoiseIsBoundedAndTheSameAgain(t *testing.T) {
	a, b := New(begin), New(begin)
	a.Noise(300, 7)
	b.Noise(300, 7)
	seen := map[int64]bool{}
	for range 1000 {
		r := a.Read()
		if r != b.Read() {
			t.Fatal("two clocks of one seed differ")
		}
		for _, d := range []int64{r.Mono - uptime, r.Raw - uptime, r.Real - begin.UnixNano()} {
			if abs(d) > 300 || r.Err != 300 {
				t.Fatalf("a clock is wrong by %d ns, and says %d", d, r.Err)
			}
			seen[d] = true
		}
	}
	if len(seen) < 500 {
		t.Errorf("only %d errors in 3000", len(seen))
	}
}

func TestSleepersWakeWhenMonotonicIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(begin)
		until := c.Monotonic() + int64(time.Hour)
		var wg sync.WaitGroup
		woke := false
		wg.Go(func() {
			if err := c.Sleep(t.Context(), until); err != nil {
				t.Error(err)
			}
			woke = true
		})
		synctest.Wait()
		for _, do := range []func(){
			func() { c.Step(2 * time.Hour) },
			func() { c.Suspend(2 * time.Hour) },
			func() { c.Advance(time.Hour - 1) },
		} {
			do()
			if synctest.Wait(); woke {
				t.Fatal("it woke early")
			}
		}
		c.Advance(1)
		wg.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if err := c.Sleep(ctx, until+1); err != context.Canceled {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

// TestOutsideABubbleSleepersWakeToo: nothing of it needs synctest.
func TestOutsideABubbleSleepersWakeToo(t *testing.T) {
	c := New(begin)
	until := c.Monotonic() + int64(time.Second)
	done := make(chan error)
	go func() { done <- c.Sleep(t.Context(), until) }()
	c.Advance(time.Second)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAFollowingClockPassesWithTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewFollowing()
		begun, before := time.Now(), c.Read()
		c.At(time.Minute, func(c *Clock) { c.Suspend(8 * time.Hour); c.Step(time.Second) })
		c.At(2*time.Minute, func(c *Clock) { c.Slew(-500_000_000) }) // half as fast
		if err := c.Sleep(t.Context(), before.Mono+int64(3*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(begun); got != 4*time.Minute {
			t.Errorf("it slept %v", got)
		}
		change := c.Read().Since(before)
		if want := (clock.Change{Step: int64(time.Second), Suspend: int64(8 * time.Hour)}); change != want {
			t.Errorf("got %+v, want %+v", change, want)
		}
		if got, want := c.Truth().Sub(begun), 8*time.Hour+4*time.Minute; got != want {
			t.Errorf("the true time passed %v, want %v", got, want)
		}
	})
}
