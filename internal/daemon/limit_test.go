package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

func TestWhatRepeatedIsToldAtTheEnd(t *testing.T) {
	for _, hung := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			logs := watched(b)
			b.config.Grace = time.Second
			released := make(chan struct{})
			defer synctest.Wait()
			defer close(released)
			b.sensor("mic", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
				src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
				src = leaky{src}
				if hung {
					src = &deaf{Source: src, released: released}
				}
				return src, err
			})
			b.reader("disk", mem.New(), time.Second, byBytes)
			if _, err := b.run(4 * time.Second); errors.Is(err, ErrHung) != hung {
				t.Fatalf("it ended with %v", err)
			}
			if said := logs.FilterMessageSnippet("(said late: it was at "); said.Len() != 1 {
				t.Errorf("hung %v: of its holes the log has %v", hung, logs.All())
			}
		})
	}
}

// TestRepeatsAreBounded says more kinds of messages than are remembered, each
// of them twice.
func TestRepeatsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		l := newLimiter(b.clock)
		const kinds = 2*maxRepeats + 7
		for i := range kinds {
			for range 2 {
				l.say(fmt.Sprint(i), b.config.Log, zapcore.WarnLevel, fmt.Sprint("kind ", i))
			}
			if len(l.said) > maxRepeats {
				t.Fatalf("%d kinds are remembered", len(l.said))
			}
		}
		l.flush(true)
		first, late := map[string]int{}, map[string]int{}
		for _, e := range logs.All() {
			text, more, _ := strings.Cut(e.Message, "\n")
			if more == "" {
				first[text]++
			} else {
				late[text]++
			}
		}
		for i := range kinds {
			if text := fmt.Sprint("kind ", i); first[text] != 1 || late[text] != 1 {
				t.Fatalf("%q was said %d times at once and %d times late", text, first[text], late[text])
			}
		}
		if l.suppressed.Load() != kinds {
			t.Errorf("%d suppressed, want %d", l.suppressed.Load(), kinds)
		}
	})
}

// TestALimiterCountsWhateverHappensAtOnce has many say and flush at once: what
// was said and what was kept is all that there was.
func TestALimiterCountsWhateverHappensAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const talkers, each = 8, 200
		b := newBench(t)
		logs := watched(b)
		l := newLimiter(b.clock)
		var wait sync.WaitGroup
		for range talkers {
			wait.Go(func() {
				for i := range each {
					l.say(fmt.Sprint(i%3), b.config.Log, zapcore.WarnLevel, "it broke", zap.Int("i", i))
					if i%7 == 0 {
						l.flush(false)
					}
					if b.clock.Sleep(t.Context(), b.clock.Monotonic()+int64(time.Second)) != nil {
						return
					}
				}
			})
		}
		wait.Wait()
		l.flush(true)
		var counted int64
		for _, e := range logs.All() {
			counted++
			var more int64
			if at := strings.LastIndexAny(e.Message, "(,"); at > 0 && strings.Contains(e.Message, "more like this") {
				if _, err := fmt.Sscanf(strings.TrimLeft(e.Message[at:], "(, "), "%d more like this", &more); err != nil {
					t.Fatalf("%q: %v", e.Message, err)
				}
			}
			counted += more
		}
		if counted != talkers*each {
			t.Errorf("the log tells of %d messages, there were %d", counted, talkers*each)
		}
	})
}

func TestMessagesThatWereNotLoggedAreAMetric(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		core, _ := observer.New(zapcore.InfoLevel)
		b.config.Log = zap.New(NewLogQueue(core)).With(zap.String("station", "pond")) // nobody empties it
		d, err := New(t.Context(), b.config)
		if err == nil {
			err = d.Register()
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			d.limit.say("key", b.config.Log, zapcore.WarnLevel, "it broke")
		}
		b.scrape().want(t, "of four alike", map[string]float64{"log_suppressed_total": 3})
		for range logRoom + 4 { // one of them has room no more
			b.config.Log.Info("one of many")
		}
		b.scrape().want(t, "and five too many", map[string]float64{"log_suppressed_total": 3 + 5})
	})
}
