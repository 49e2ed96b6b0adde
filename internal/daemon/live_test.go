package daemon

import (
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestItLivesBeforeItFirstLooksRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		// The machine has been up for an hour.
		if err := b.clock.Sleep(t.Context(), b.clock.Monotonic()+int64(time.Hour)); err != nil {
			t.Fatal(err)
		}
		stop := d.startServing(t.Context())
		w := httptest.NewRecorder()
		d.livez(w, httptest.NewRequest("GET", "/livez", nil))
		if w.Code != 200 {
			t.Errorf("at once: %d %s", w.Code, w.Body)
		}
		if err := b.clock.Sleep(t.Context(), b.clock.Monotonic()+int64(livePatience+time.Second)); err != nil {
			t.Fatal(err)
		}
		w = httptest.NewRecorder()
		d.livez(w, httptest.NewRequest("GET", "/livez", nil))
		if w.Code != 503 || w.Body.String() != "stuck\n" {
			t.Errorf("after %v without a look: %d %s", livePatience, w.Code, w.Body)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
