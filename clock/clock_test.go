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
