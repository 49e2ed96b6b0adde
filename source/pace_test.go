package source

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/ingestd/ingestd/clock"
)

// leap is a clock that stands still but in Sleep, which comes late by this.
type leap struct {
	clock.Clock // nil: the rest is not asked

	now, late int64
}

func (c *leap) Monotonic() int64 { return c.now }
func (c *leap) UTC() time.Time   { return time.Unix(0, c.now).UTC() }
func (c *leap) Sleep(ctx context.Context, until int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.now = max(c.now, until+c.late)
	return nil
}

func pace(t *testing.T, c PaceConfig) *Pace {
	t.Helper()
	p, err := NewPace(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPaceDoesNotDriftInYears(t *testing.T) {
	const year = 365 * 86400
	for _, speed := range []float64{1, 7.5, 0.001, 1000} {
		c := &leap{now: 1e18}
		p := pace(t, PaceConfig{Clock: c, Rate: 44100, Speed: speed})
		for _, seconds := range []int64{0, 1, year, 100 * year} {
			pos := 44100*seconds + 1
			due := new(big.Int).Mul(big.NewInt(pos), big.NewInt(1e12))
			due.Div(due.Add(due, big.NewInt(p.fast-1)), big.NewInt(p.fast))
			if got := p.due(pos) - p.start; seconds*1000 < 3e9 && got != due.Int64() {
				t.Errorf("speed %v: frame %d is due after %d ns, want %d", speed, pos, got, due)
			}
			if got, want := p.At(pos)-p.start, seconds*1e9+int64(time.Second)/44100; got != want {
				t.Errorf("speed %v: frame %d is at %d, want %d", speed, pos, got, want)
			}
		}
	}
}

func TestLateWakeUpsDeliverEachFrameOnce(t *testing.T) {
	c := &leap{now: 1234567, late: int64(37 * time.Millisecond)}
	p := pace(t, PaceConfig{Clock: c, Rate: 48000, Speed: 1})
	pos, sleeps := int64(0), 0
	for pos < 48000 {
		before := c.now
		n, err := p.Take(t.Context(), pos, 0, 1000)
		if err != nil || n < 1 || n > 1000 {
			t.Fatal(n, err)
		}
		if pos += int64(n); c.now != before {
			sleeps++
		}
		if p.due(pos) > c.now {
			t.Fatalf("frame %d was delivered %d ns early", pos, p.due(pos)-c.now)
		}
	}
	if sleeps > 10 {
		t.Errorf("%d wake-ups for a second", sleeps)
	}
}

func TestFrameThatIsDueAtATickIsDeliveredThere(t *testing.T) {
	c := &leap{now: 4 * int64(DefaultBatch)}
	p := pace(t, PaceConfig{Clock: c, Rate: 4, Speed: 1}) // a frame lasts a tick
	for pos := range int64(5) {
		if n, err := p.Take(t.Context(), pos, 0, 1); n != 1 || err != nil || c.now != p.due(pos+1) {
			t.Fatalf("frame %d: %d frames, %v, at %d instead of %d", pos, n, err, c.now, p.due(pos+1))
		}
	}
}

func TestCancelledTakeTakesNothing(t *testing.T) {
	p := pace(t, PaceConfig{Clock: &leap{now: 5}, Rate: 48000, Speed: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := p.horizon
	if n, err := p.Take(ctx, 0, 0, 10); n != 0 || err != context.Canceled || p.horizon != before {
		t.Errorf("%d frames, %v, horizon %d", n, err, p.horizon)
	}
}

func TestFasterPaceHasCloserTicks(t *testing.T) {
	for speed, want := range map[float64]time.Duration{
		0.5: DefaultBatch, 1: DefaultBatch, 4: DefaultBatch / 4, 1000: minTick,
	} {
		if p := pace(t, PaceConfig{Rate: 48000, Speed: speed}); p.tick != want {
			t.Errorf("speed %v: a tick of %v, want %v", speed, p.tick, want)
		}
	}
	if p := pace(t, PaceConfig{Rate: 48000, Speed: 100, Batch: 2 * time.Millisecond}); p.tick != 2e6 {
		t.Errorf("a tick of %v is longer than the batch", p.tick)
	}
}

func TestGateOutOfRangeIsAnError(t *testing.T) {
	for _, n := range []int{-1, 0, 11} {
		p := pace(t, PaceConfig{Rate: 48000, Admit: func(context.Context, int) (int, error) { return n, nil }})
		if got, err := p.Take(t.Context(), 0, 0, 10); err == nil || got != 0 {
			t.Errorf("a gate that admits %d of 10: %d, %v", n, got, err)
		}
	}
}
