package daemon

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/sink/mem"
)

// TestAReaderThatIsDoneHoldsNobodyBack fills half of a window that two readers
// walk.
func TestAReaderThatIsDoneHoldsNobodyBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("wav", mono, time.Second, nil).Unpaced = true
		b.reader("quick", mem.New(), time.Second, byBytes)
		b.reader("over", mem.New(), time.Second, byBytes)
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		st, w := d.streams[0], d.pumps[0].w
		half := int(st.Window / 2)
		for left := half; left > 0; {
			n := min(left, len(w.Reserve(left))/mono.FrameBytes())
			w.Commit(n)
			left -= n
		}
		room := roomFor(st, d.drains)
		if got := room(); got != st.Window-int64(half) {
			t.Errorf("room for %d with two readers behind", got)
		}
		d.drains[0].r.Seek(w.Head())
		if got := room(); got != st.Window-int64(half) {
			t.Errorf("room for %d with one reader behind", got)
		}
		d.drains[1].done.Store(true)
		if got := room(); got != st.Window {
			t.Errorf("room for %d, of %d, with nobody behind who goes on", got, st.Window)
		}
		for _, dr := range d.drains {
			if err := dr.r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestNothingIsSyncedOfASensorThatHasEnded counts what the disk is asked for
// after its only sensor is over.
func TestNothingIsSyncedOfASensorThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var syncs, before atomic.Int64
		b.sensor("mic", mono, time.Second, nil).Limit = mono.Frames(5 * time.Second)
		b.reader("disk", hook(true, func(what string) error {
			if what == "sync all" {
				syncs.Add(1)
			}
			return nil
		}), time.Second, byBytes)
		b.watch(time.Minute, time.Second, func(_ *Daemon, at time.Duration) {
			if at < 10*time.Second {
				before.Store(syncs.Load())
			}
		})
		if before.Load() < 5 || syncs.Load() != before.Load() {
			t.Errorf("%d syncs while it was recorded, %d with those behind it", before.Load(), syncs.Load())
		}
	})
}
