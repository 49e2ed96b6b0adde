package daemon

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/ingestd/ingestd/sink/mem"
)

func TestMetricsAreThereFromTheStartAndWellNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("mic0", mono, time.Second, nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.config.Sinks[0].Space = func() (int64, int64, error) { return 1, 2, nil }
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Register(); err != nil {
			t.Fatal(err)
		}
		problems, err := testutil.GatherAndLint(b.config.Registry)
		if err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		families, err := b.config.Registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		series := 0
		for _, f := range families {
			series += len(f.GetMetric())
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if strings.Contains(" session block key error ", " "+l.GetName()+" ") {
						t.Errorf("%s has the label %s", f.GetName(), l.GetName())
					}
				}
			}
		}
		if series > 60 {
			t.Errorf("%d series for one sensor with one reader and one sink", series)
		}
		for _, d := range d.drains {
			if err := d.r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
