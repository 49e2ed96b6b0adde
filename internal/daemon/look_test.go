package daemon

import (
	"context"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
)

// watch runs a daemon in order for length. Each step, half a step late, while
// nothing moves, look is told how long it has run.
func (b *bench) watch(length, step time.Duration, look func(d *Daemon, at time.Duration)) *Daemon {
	b.t.Helper()
	d, err := New(b.t.Context(), b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := d.Register(); err != nil {
		b.t.Fatal(err)
	}
	begun := b.clock.Monotonic()
	stop, cancel := context.WithTimeout(b.t.Context(), length)
	defer cancel()
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() {
		if err := d.Run(stop, b.t.Context()); err != nil {
			b.t.Error(err)
		}
	})
	for at := step / 2; at < length; at += step {
		b.until(begun + int64(at))
		look(d, at)
	}
	wait.Wait()
	return d
}

// until waits for an instant, and for all that happens in it.
func (b *bench) until(at int64) {
	b.t.Helper()
	if err := b.clock.Sleep(b.t.Context(), at); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	b.until(b.clock.Monotonic() + int64(d))
}

// fed returns how long ago the watchdog of b, which wants to hear of it every
// 30 s, was fed.
func (b *bench) fed() (ago func() time.Duration) {
	var last atomic.Int64
	b.config.Watchdog = 30 * time.Second
	b.config.Notify = func(state string) error {
		if state == "WATCHDOG=1" {
			last.Store(b.clock.Monotonic())
		}
		return nil
	}
	return func() time.Duration { return time.Duration(b.clock.Monotonic() - last.Load()) }
}

// series is what a scrape says: values by name and labels, in the words of the
// text format.
type series map[string]float64

// scrape reads the registry of b as a server of metrics does.
func (b *bench) scrape() series {
	b.t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(b.config.Registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return parseSeries(b.t, w.Body.String())
}

func parseSeries(t *testing.T, text string) series {
	t.Helper()
	all := series{}
	for row := range strings.Lines(text) {
		if strings.HasPrefix(row, "#") {
			continue
		}
		row = strings.TrimSpace(row)
		at := strings.LastIndexByte(row, ' ')
		v, err := strconv.ParseFloat(row[at+1:], 64)
		if err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		all[strings.TrimPrefix(row[:at], "ingestd_")] = v
	}
	return all
}

// indexed is what blocks.jsonl tells of one sensor in one store.
type indexed struct {
	begin          time.Time // of frame 0, as the first chunk says
	chunks, bytes  int64
	sound, end     int64 // frames
	holes, missing map[audio.Cause]int64
}

// told reads blocks.jsonl of a sensor in a store.
func (b *bench) told(name, sensor string) indexed {
	b.t.Helper()
	all := indexed{holes: map[audio.Cause]int64{}, missing: map[audio.Cause]int64{}}
	for text := range strings.Lines(b.index(name, sensor)) {
		var row struct {
			sink.Block
			End *int64 `json:"end"`
		}
		if err := line.Decode([]byte(text), &row); err != nil {
			b.t.Fatal(err)
		}
		for _, h := range row.Holes {
			all.holes[h.Cause]++
			all.missing[h.Cause] += h.Frames
		}
		if row.End != nil {
			all.end = *row.End
			continue
		}
		if all.chunks == 0 {
			utc, err := time.Parse(time.RFC3339, row.UTC)
			if err != nil {
				b.t.Fatal(err)
			}
			all.begin = utc.Add(-mono.Duration(row.From))
		}
		all.chunks++
		all.bytes += row.Bytes
		all.sound += row.Frames
	}
	return all
}
