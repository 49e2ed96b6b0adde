package daemon

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// readyNow is what /readyz?verbose answers.
func readyNow(d *Daemon) (code int, body string) {
	w := httptest.NewRecorder()
	d.readyz(w, httptest.NewRequest(http.MethodGet, "/readyz?verbose", nil))
	return w.Code, w.Body.String()
}

// S24: health is told while it runs: the watermarks of each reader never cross
// nor go back, /readyz names what is wrong, and the watchdog starves when
// sound stops.
func TestSeed_S24(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length = 99500 * time.Millisecond // it ends between two ticks
		b := newBench(t)
		b.config.Watchdog = 30 * time.Second
		var fed time.Time // last
		b.config.Notify = func(state string) error {
			if state == "WATCHDOG=1" {
				fed = time.Now()
			}
			return nil
		}
		begun := b.clock.Monotonic()
		b.sensor("mic", mono, 10*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
			return &hanging{src, b.clock, begun + int64(40*time.Second)}, err
		})
		burns := &failingBucket{mem.New(), b.clock, begun + int64(20*time.Second), begun + int64(25*time.Second)}
		b.reader("disk", burns, time.Second, byBytes)
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		stop, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		if code, body := readyNow(d); code != http.StatusServiceUnavailable || !strings.Contains(body, "[-] mic starting") {
			t.Errorf("before the first frame: %d\n%s", code, body)
		}
		var wait sync.WaitGroup
		defer wait.Wait()
		wait.Go(func() {
			if err := d.Run(stop, t.Context()); err != nil {
				t.Error(err)
			}
		})
		var last DrainStatus
		for second := range 95 {
			_ = b.clock.Sleep(t.Context(), begun+int64(time.Duration(second)*time.Second+600*time.Millisecond)) // between two ticks
			synctest.Wait()
			now := d.Status()
			s, w := now.Sensors[0], now.Drains[0]
			if w.Durable > w.Written || w.Written > s.Captured || w.Durable < last.Durable || w.Written < last.Written {
				t.Errorf("second %d: durable %d, written %d, captured %d, behind %+v", second, w.Durable, w.Written, s.Captured, last)
			}
			last = w
			code, body := readyNow(d)
			bad := second >= 21 && second < 25
			if second >= 2 && second < 20 && code != http.StatusOK || bad && (code == http.StatusOK || !strings.Contains(body, "does not store mic: disk on fire")) ||
				second >= 35 && second < 40 && code != http.StatusOK {
				t.Errorf("second %d: %d\n%s", second, code, body)
			}
		}
		if last.Durable < mono.Frames(38*time.Second) {
			t.Errorf("at the end %+v", last)
		}
		wait.Wait()
		if at := fed.UnixNano() - time.Now().Add(-length).UnixNano(); at < int64(60*time.Second) || at > int64(75*time.Second) {
			t.Errorf("sound stopped at 40 s, the watchdog was last fed at %v", time.Duration(at))
		}
	})
}

// fullBucket has no space from one time to another: drafts can be begun, and
// then take nothing.
type fullBucket struct {
	*mem.Bucket
	full func() bool
}

type fullDraft struct {
	sink.Draft
	full func() bool
}

func (b *fullBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.Bucket.Create(ctx, name)
	return &fullDraft{d, b.full}, err
}

func (d *fullDraft) Write(p []byte) (int, error) {
	if d.full() {
		return 0, syscall.ENOSPC
	}
	return d.Draft.Write(p)
}

// Disk space: a disk that is full for a while costs nothing that the ring still
// holds, and the metrics tell how much is free and that it was full.
func TestSeed_DiskSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		begun := b.clock.Monotonic()
		at := func() time.Duration { return time.Duration(b.clock.Monotonic() - begun) }
		full := func() bool { return at() >= 10*time.Second && at() < 16*time.Second }
		b.sensor("mic", mono, 20*time.Second, nil)
		b.reader("disk", &fullBucket{mem.New(), full}, 5*time.Second, byBytes)
		b.config.Sinks[0].Space = func() (int64, int64, error) { return 12345, 99999, nil }
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Register(); err != nil {
			t.Fatal(err)
		}
		stop, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		if err := d.Run(stop, t.Context()); err != nil {
			t.Fatal(err)
		}
		pcm := b.sound("disk", "mic")
		if err := tone.CheckRamp(mono, 0, pcm); err != nil || int64(len(pcm)) != d.Status().Sensors[0].Captured*int64(mono.FrameBytes()) {
			t.Errorf("%d bytes stored, %d frames captured: %v", len(pcm), d.Status().Sensors[0].Captured, err)
		}
		families, err := b.config.Registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				got[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		if got["ingestd_sink_free_bytes"] != 12345 || got["ingestd_sink_size_bytes"] != 99999 || got["ingestd_sink_errors_total"] == 0 {
			t.Errorf("free %v of %v, %v errors", got["ingestd_sink_free_bytes"], got["ingestd_sink_size_bytes"], got["ingestd_sink_errors_total"])
		}
	})
}

// Consistency and locking: whoever lists a store while it is written finds
// whole chunks only, that follow each other from the first, and are never
// other ones later.
func TestSeed_ConsistencyAndLocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("mic", mono, 5*time.Second, nil)
		b.reader("disk", mem.New(), 700*time.Millisecond, byBytes)
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		stop, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wait sync.WaitGroup
		defer wait.Wait()
		wait.Go(func() {
			if err := d.Run(stop, t.Context()); err != nil {
				t.Error(err)
			}
		})
		var before []byte
		begun := b.clock.Monotonic()
		for look := range 180 {
			_ = b.clock.Sleep(t.Context(), begun+int64(time.Duration(look)*110*time.Millisecond))
			now := b.sound("disk", "mic")
			if err := tone.CheckRamp(mono, 0, now); err != nil || !bytes.HasPrefix(now, before) || int64(len(now))%(mono.Frames(700*time.Millisecond)*4) != 0 {
				t.Errorf("look %d: %d bytes behind %d: %v", look, len(now), len(before), err)
			}
			before = now
		}
		wait.Wait()
		if len(before) == 0 {
			t.Error("nothing was stored while it was looked at")
		}
	})
}
