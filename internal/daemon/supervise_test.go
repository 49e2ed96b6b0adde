package daemon

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
)

// slowBench is a bench whose sensors open one at a time, each for as long as
// hang says, and then fail. fed returns when the watchdog was fed, since the
// beginning.
func slowBench(t *testing.T, sensors int, slow time.Duration, hang func(ctx context.Context) error) (b *bench, fed *[]time.Duration) {
	b, fed = newBench(t), new([]time.Duration)
	b.config.Watchdog = 30 * time.Second
	begun := time.Now()
	b.config.Notify = func(state string) error {
		if state == "WATCHDOG=1" {
			*fed = append(*fed, time.Since(begun))
		}
		return nil
	}
	turn := make(chan struct{}, 1)
	for i := range sensors {
		b.sensor(fmt.Sprintf("mic%d", i), mono, time.Second, func(ctx context.Context, _ source.Admit) (source.Source, error) {
			select {
			case turn <- struct{}{}:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			err := hang(ctx)
			<-turn
			if err == nil {
				err = source.Faultf(source.Timeout, "its driver did not answer")
			}
			return nil, err
		}).Slow = slow
	}
	b.reader("disk", mem.New(), time.Second, byBytes)
	return b, fed
}

func TestMicrophonesThatAllHangDoNotStarveTheWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 20 * time.Second
		c := clock.NewBubble()
		b, fed := slowBench(t, 12, slow, func(ctx context.Context) error {
			return c.Sleep(ctx, c.Monotonic()+int64(slow))
		})
		if _, err := b.run(20 * time.Minute); err != nil {
			t.Fatal(err)
		}
		last := time.Duration(0)
		for _, at := range append(*fed, 20*time.Minute) {
			if at-last > 10*time.Second {
				t.Errorf("the watchdog was not fed from %v to %v", last, at)
			}
			last = at
		}
	})
}

func TestAnOpenThatNeverReturnsStarvesTheWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 20 * time.Second
		b, fed := slowBench(t, 2, slow, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if _, err := b.run(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		last := (*fed)[len(*fed)-1]
		if least, most := pumpPatience+2*slow-time.Second, pumpPatience+2*slow+2*lookEvery; last < least || last > most {
			t.Errorf("the watchdog was last fed at %v, want %v to %v", last, least, most)
		}
	})
}
