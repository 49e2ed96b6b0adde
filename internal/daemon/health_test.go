package daemon

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/sink/mem"
)

// alive is what /livez answers.
func alive(d *Daemon) int {
	w := httptest.NewRecorder()
	d.livez(w, httptest.NewRequest(http.MethodGet, "/livez", nil))
	return w.Code
}

func TestItLivesOnWhenEverySensorHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		fed := b.fed()
		b.sensor("mic", mono, time.Second, nil).Limit = mono.Frames(5 * time.Second)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(3*time.Minute, 5*time.Second, func(d *Daemon, at time.Duration) {
			if code, body := readyNow(d); alive(d) != http.StatusOK || code != http.StatusOK || time.Since(*fed) > 10*time.Second {
				t.Errorf("after %v /livez is %d, the watchdog was fed %v ago, ready: %d\n%s", at, alive(d), time.Since(*fed), code, body)
			}
		})
		if got := b.told("disk", "mic"); got.sound != mono.Frames(5*time.Second) || got.end != got.sound {
			t.Errorf("%+v", got)
		}
	})
}
