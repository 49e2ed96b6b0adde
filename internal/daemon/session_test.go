package daemon

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink/mem"
)

// named makes a daemon whose only store is new, and returns its session.
func named(t *testing.T, r *Registry, start time.Time, log *zap.Logger) Named {
	t.Helper()
	b := newBench(t)
	b.config.Sessions, b.config.Start = r, start
	if log != nil {
		b.config.Log = log
	}
	b.sensor("mic", mono, time.Second, nil).Timing.Source = Given
	b.reader("disk", mem.New(), 10*time.Second, byBytes)
	d, err := New(t.Context(), b.config)
	if err != nil {
		t.Fatal(err)
	}
	if d.Session() != d.named.ID {
		t.Errorf("the session is %d, named %d", d.Session(), d.named.ID)
	}
	return d.named
}

// TestSessionsIncreaseOverEmptiedStores: the bubble's clock shows 2000, before
// the program was built. A stated start is believed, and not kept.
func TestSessionsIncreaseOverEmptiedStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := newMemFolder()
		build := audio.SessionAt(built1)
		for i := range audio.Session(3) {
			if n := named(t, newRegistry(folder, "", built1), time.Time{}, nil); n.ID != build+i || n.IsTime {
				t.Errorf("start %d: got %+v, want %d", i, n, build+i)
			}
			if n := named(t, newRegistry(folder, "", built1), at2099, nil); n.ID != audio.SessionAt(at2099) || !n.IsTime {
				t.Errorf("start %d: got %+v", i, n)
			}
		}
	})
}

// TestARunGoesOnWithoutItsRegistry, and says what that may cost.
func TestARunGoesOnWithoutItsRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := newMemFolder()
		folder.failAt = 4 // the sync of the file
		core, logs := observer.New(zap.WarnLevel)
		n := named(t, newRegistry(folder, "state", time.Now()), time.Time{}, zap.New(core))
		if want := audio.SessionAt(time.Now()); n.ID != want {
			t.Errorf("got %d, want %d", n.ID, want)
		}
		want := "session ids: write state/sessions.json: input/output error\n    It is recorded all the same. Should the stores be emptied and the clock set back, an id could come again."
		if all := logs.All(); len(all) != 1 || all[0].Message != want {
			t.Errorf("got %+v", all)
		}
	})
}

func TestARunSaysThatItsClockCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		named(t, newRegistry(newMemFolder(), "", built1), time.Time{}, zap.New(core))
		want := "the clock shows 2000-01-01T00:00:00Z, before this ingestd was built: session ids are numbers, not times"
		if all := logs.All(); len(all) != 1 || all[0].Message != want {
			t.Errorf("got %+v", all)
		}
	})
}
