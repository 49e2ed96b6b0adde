package daemon

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// atStart is what /metrics answers half a second after the start of a daemon
// with one sensor, of which nothing has been heard, and two readers. One sink
// says how large it is; the other promises nothing.
func atStart(t *testing.T) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := newPipes()
		b.config.HTTP, b.config.Version = p, Version{"1.2.3", "abcdef", "go1.26"}
		h := &hangs{b.clock, 0, make(chan struct{})}
		b.sensor("mic0", mono, time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
			return hangingSource{src, h}, err
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.reader("scratch", mem.New(), time.Second, byBytes)
		b.config.Sinks[0].Space = func() (int64, int64, error) { return 1 << 20, 1 << 30, nil }
		b.config.Sinks[1].Never = true
		b.watch(2*time.Second, time.Second, func(_ *Daemon, at time.Duration) {
			if text == "" {
				_, _, text = p.get(t, "/metrics")
				close(h.released)
			}
		})
	})
	return text
}

// TestEverySeriesIsThereFromTheStart compares what is there before the first
// frame with a list: a series that appears only with its first event is no
// zero that it could rise from.
func TestEverySeriesIsThereFromTheStart(t *testing.T) {
	var got []string
	for line := range strings.Lines(atStart(t)) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, line)
		}
	}
	slices.Sort(got)
	data, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Collect(strings.Lines(string(data)))
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not in the list: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("the whole list is\n%s", strings.Join(got, ""))
	}
}
