package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleepReachesItsTime(t *testing.T) {
	for name, c := range map[string]Clock{"system": System{}, "bubble": NewBubble()} {
		until := c.Monotonic() + int64(time.Millisecond)
		if err := c.Sleep(t.Context(), until); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if now := c.Monotonic(); now < until {
			t.Errorf("%s: woke %d ns early", name, until-now)
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b := NewBubble()
		begun := b.Monotonic()
		if err := b.Sleep(ctx, begun+int64(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := b.Monotonic() - begun; d != int64(time.Second) {
			t.Errorf("slept %d ns", d)
		}
		if err := b.Sleep(ctx, 0); err == nil {
			t.Error("a dead context slept without an error")
		}
	})
}

func TestATickIsTheNextMultiple(t *testing.T) {
	const step = 250 * time.Millisecond
	for now, want := range map[int64]int64{
		0:                    int64(step),
		1:                    int64(step),
		int64(step) - 1:      int64(step),
		int64(step):          2 * int64(step), // who woke at a tick sleeps to the next one
		int64(step) + 1:      2 * int64(step),
		1e18 + 3:             1e18 + int64(step),
		4*int64(step) - 1:    4 * int64(step),
		1000*int64(step) - 1: 1000 * int64(step),
	} {
		if got := NextTick(now, step); got != want {
			t.Errorf("the tick after %d ns is at %d, want %d", now, got, want)
		}
	}
}
