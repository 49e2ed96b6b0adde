package daemon

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// stalled is a log whose reader takes nothing until it is released.
type stalled struct {
	zapcore.Core
	released <-chan struct{}
}

func (s *stalled) With(f []zapcore.Field) zapcore.Core { return &stalled{s.Core.With(f), s.released} }

func (s *stalled) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return c.AddCore(e, s)
}

func (s *stalled) Write(e zapcore.Entry, f []zapcore.Field) error {
	<-s.released
	return s.Core.Write(e, f)
}

// leaky loses ten frames in each packet.
type leaky struct{ source.Source }

func (s leaky) Read(ctx context.Context, p []byte) (source.Packet, error) {
	pk, err := s.Source.Read(ctx, p)
	if pk.Frames > 0 {
		pk.Lost, pk.Cause = 10, audio.XRun
	}
	return pk, err
}

func TestALogThatStallsStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		core, logs := observer.New(zapcore.DebugLevel)
		queue := NewLogQueue(&stalled{core, released})
		defer synctest.Wait()
		b := newBench(t)
		b.config.Log = zap.New(queue)
		stopLog := queue.Start()
		plain := b.ramp(mono, tone.Config{Speed: 1})
		b.sensor("mic", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := plain(ctx, admit)
			return leaky{src}, err
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		d, err := b.run(30 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		s := d.Status()
		if sound := s.Sensors[0].Captured - s.Sensors[0].LostFrames; sound < mono.Frames(29*time.Second) || s.Drains[0].Overrun != 0 {
			t.Errorf("%v captured, %d overwritten", mono.Duration(sound), s.Drains[0].Overrun)
		}
		begun := time.Now()
		stopLog()
		if took := time.Since(begun); took > logGoodbye {
			t.Errorf("the end of the log took %v", took)
		}
		b.config.Log.Info("nobody reads this")
		close(released)
		synctest.Wait()
		if logs.FilterMessage("session begins").Len() != 1 || logs.FilterMessage("nobody reads this").Len() != 0 {
			t.Errorf("the log has %v", logs.All())
		}
	})
}

func TestMessagesThatFoundNoRoomAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		core, logs := observer.New(zapcore.InfoLevel)
		queue := NewLogQueue(&stalled{core, released})
		log := zap.New(queue).With(zap.String("sensor", "mic"))
		log.Debug("too fine")
		stop := queue.Start()
		for range logRoom + 1 { // the queue, and one that is being written
			log.Info("one of many")
			synctest.Wait()
		}
		for range 7 {
			log.Info("no room")
		}
		if n := queue.Dropped(); n != 7 {
			t.Errorf("%d dropped, want 7", n)
		}
		close(released)
		synctest.Wait()
		stop()
		log.Info("afterwards")
		if n := logs.FilterMessage("one of many").FilterField(zap.String("sensor", "mic")).Len(); n != logRoom+1 {
			t.Errorf("%d messages, want %d", n, logRoom+1)
		}
		for message, want := range map[string]int{"7 messages were not logged: whoever reads the log was too slow": 1, "no room": 0, "too fine": 0, "afterwards": 1} {
			if n := logs.FilterMessage(message).Len(); n != want {
				t.Errorf("%q is there %d times, want %d", message, n, want)
			}
		}
	})
}

// TestNoMessageIsPassedOver repeats one, and counts what the log makes of it.
func TestNoMessageIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		l := newLimiter(b.clock)
		pass := func(d time.Duration) {
			if err := b.clock.Sleep(t.Context(), b.clock.Monotonic()+int64(d)); err != nil {
				t.Fatal(err)
			}
		}
		say := func(times int) {
			for range times {
				l.say("key", b.config.Log, zapcore.WarnLevel, "it broke")
				pass(time.Second)
				l.flush(false)
			}
		}
		take := func() (all []string) {
			for _, e := range logs.TakeAll() {
				all = append(all, e.Message)
			}
			return all
		}
		say(1)
		if got := take(); len(got) != 1 || got[0] != "it broke" {
			t.Errorf("the first: %q", got)
		}
		say(5)
		if got := take(); len(got) != 0 {
			t.Errorf("within the minute: %q", got)
		}
		pass(time.Minute)
		l.flush(false)
		if got := take(); len(got) != 1 || !strings.HasPrefix(got[0], "it broke\n    (said late: it was at ") || !strings.HasSuffix(got[0], ", 4 more like this)") {
			t.Errorf("after it: %q", got)
		}
		say(2)
		l.flush(true)
		if got := take(); len(got) != 1 || !strings.HasSuffix(got[0], ", 1 more like this)") {
			t.Errorf("at the end: %q", got)
		}
		pass(2 * time.Minute)
		l.flush(false)
		if got := take(); len(got) != 0 || len(l.said) != 0 || l.suppressed.Load() != 7 {
			t.Errorf("later: %q, %d kept, %d suppressed", got, len(l.said), l.suppressed.Load())
		}
	})
}
