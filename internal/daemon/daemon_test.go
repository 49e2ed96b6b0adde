package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

func TestEverySinkGetsEveryFrameAndTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		formats := map[string]audio.Format{"a": mono, "b": {Rate: 44100, Channels: 2, Encoding: audio.S24}, "c": {Rate: 16000, Channels: 1, Encoding: audio.F32}}
		for id, f := range formats {
			b.sensor(id, f, 5*time.Second, nil)
		}
		b.reader("bytes", mem.New(), 500*time.Millisecond, byBytes)
		b.reader("frames", mem.New(), 2*time.Second, func(_ audio.Format, m audio.Pos) reader.KeyTrans { return reader.Frames(m) })
		b.reader("ms", mem.New(), 3*time.Second, func(f audio.Format, m audio.Pos) reader.KeyTrans { return reader.Millis(m, f.Rate) })
		d, err := b.run(10030 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Status().Sensors {
			if s.Holes != 0 || s.Captured < int64(s.Rate)*9 {
				t.Errorf("%s: captured %d, %d holes", s.ID, s.Captured, s.Holes)
			}
			for name := range b.stores {
				pcm := b.sound(name, s.ID)
				if got := int64(len(pcm) / formats[s.ID].FrameBytes()); got != s.Captured {
					t.Errorf("%s in %s: %d frames stored, %d captured", s.ID, name, got, s.Captured)
				}
				if err := tone.CheckRamp(formats[s.ID], 0, pcm); err != nil {
					t.Errorf("%s in %s: %v", s.ID, name, err)
				}
			}
		}
	})
}

// breaking delivers until it is told to break, and cannot be opened while away.
type breaking struct {
	source.Source
	clock clock.Clock
	until int64
}

func (s *breaking) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if s.clock.Monotonic() >= s.until {
		return source.Packet{}, source.Faultf(source.Stall, "the test pulled the plug")
	}
	return s.Source.Read(ctx, p)
}

func TestAnUnpluggedSensorBecomesOneHoleAndStopsNoOther(t *testing.T) {
	for _, away := range []time.Duration{3 * time.Second, 47 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			begun := b.clock.Monotonic()
			plain := b.ramp(mono, tone.Config{Speed: 1})
			b.sensor("gone", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
				at := time.Duration(b.clock.Monotonic() - begun)
				if at >= 4*time.Second && at < 4*time.Second+away {
					return nil, source.Faultf(source.Failed, "not plugged in")
				}
				src, err := plain(ctx, admit)
				if err != nil || at >= 4*time.Second {
					return src, err
				}
				return &breaking{src, b.clock, begun + int64(4*time.Second)}, nil
			})
			b.sensor("other", mono, 5*time.Second, nil)
			b.reader("disk", mem.New(), time.Second, byBytes)
			d, err := b.run(away + 15*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			s := d.Status().Sensors
			// Back-off may add five seconds and a fifth.
			length := mono.Duration(s[0].LostFrames)
			if s[0].Holes != 1 || length < away-time.Second || length > away+6*time.Second+500*time.Millisecond {
				t.Errorf("away for %v: %d holes of %v in all", away, s[0].Holes, length)
			}
			stored := int64(len(b.sound("disk", "gone")) / mono.FrameBytes())
			if stored+s[0].LostFrames != s[0].Captured {
				t.Errorf("%d stored + %d lost, %d captured", stored, s[0].LostFrames, s[0].Captured)
			}
			if s[1].Holes != 0 || int64(len(b.sound("disk", "other"))/mono.FrameBytes()) != s[1].Captured {
				t.Errorf("the other sensor: %+v", s[1])
			}
			if got := mono.Duration(s[0].Captured - s[1].Captured); got.Abs() > 2*source.DefaultBatch {
				t.Errorf("the sensors ended %v apart", got)
			}
		})
	}
}

func TestUnpacedReplayLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.sensor("wav", mono, 100*time.Millisecond, b.ramp(mono, tone.Config{Frames: 1_000_003, Speed: 0}))
		s.Unpaced = true
		b.config.UntilEnded, b.config.Strict = true, true
		b.reader("fast", mem.New(), time.Second, byBytes)
		b.reader("slow", &slowBucket{mem.New(), b.clock}, 10*time.Second, byBytes)
		d, err := b.run(24 * time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for name := range b.stores {
			pcm := b.sound(name, "wav")
			if err := tone.CheckRamp(mono, 0, pcm); err != nil || len(pcm) != 1_000_003*4 {
				t.Errorf("%s: %d bytes: %v", name, len(pcm), err)
			}
		}
		if st := d.Status(); st.Drains[0].Overrun+st.Drains[1].Overrun != 0 || st.Sensors[0].State != "ended" {
			t.Errorf("%+v", st)
		}
	})
}

// slowBucket takes a while to begin each chunk.
type slowBucket struct {
	*mem.Bucket
	clock clock.Clock
}

func (s *slowBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	if err := s.clock.Sleep(ctx, s.clock.Monotonic()+int64(time.Second)); err != nil {
		return nil, err
	}
	return s.Bucket.Create(ctx, name)
}

// failingBucket fails to begin a chunk from one time to another.
type failingBucket struct {
	*mem.Bucket
	clock    clock.Clock
	from, to int64
}

func (s *failingBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	if now := s.clock.Monotonic(); now >= s.from && now < s.to {
		return nil, errors.New("disk on fire")
	}
	return s.Bucket.Create(ctx, name)
}

func TestAFailingSinkIsMadeUpFromTheRing(t *testing.T) {
	const window, chunk = 10 * time.Second, time.Second
	for _, outage := range []time.Duration{3 * time.Second, 7 * time.Second, 8500 * time.Millisecond, 9 * time.Second, 9500 * time.Millisecond, 12 * time.Second, 20 * time.Second} {
		t.Run(outage.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				now := b.clock.Monotonic()
				bad := &failingBucket{mem.New(), b.clock, now + int64(5*time.Second), now + int64(5*time.Second+outage)}
				b.sensor("mic", mono, window, nil)
				b.reader("bad", bad, chunk, byBytes)
				b.reader("good", mem.New(), chunk, byBytes)
				d, err := b.run(40 * time.Second)
				if err != nil {
					t.Fatal(err)
				}
				s := d.Status()
				stored := int64(len(b.sound("bad", "mic")) / mono.FrameBytes())
				lost := s.Drains[0].Overrun
				if stored+lost != s.Sensors[0].Captured {
					t.Errorf("%d stored, %d overwritten, %d captured", stored, lost, s.Sensors[0].Captured)
				}
				// The window is of whole blocks, and some time passes before the next attempt.
				least, most := max(0, outage-window-chunk), max(0, outage*17/16+source.DefaultBatch+chunk-window)
				if length := mono.Duration(lost); length < least || length > most {
					t.Errorf("%v were overwritten, want %v to %v", length, least, most)
				}
				if int64(len(b.sound("good", "mic"))/mono.FrameBytes()) != s.Sensors[0].Captured {
					t.Error("the good sink lost frames")
				}
				if index := b.index("bad", "mic"); strings.Contains(index, `"cause":"disk"`) != (lost > 0) || strings.Contains(index, `"cause":"overrun"`) {
					t.Errorf("the index tells\n%s", index)
				}
				if s.Drains[0].NotSaved != "" {
					t.Errorf("still failing: %s", s.Drains[0].NotSaved)
				}
			})
		})
	}
}

func TestALimitIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("mic", mono, 5*time.Second, nil).Limit = 12345
		b.config.UntilEnded, b.config.Strict = true, true
		b.reader("disk", mem.New(), time.Second, byBytes)
		if _, err := b.run(time.Hour); err != nil {
			t.Fatal(err)
		}
		if n := len(b.sound("disk", "mic")) / 4; n != 12345 {
			t.Errorf("%d frames stored", n)
		}
	})
}

func TestSessionsNeverRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := mem.New()
		var last audio.Session
		for _, start := range []int64{2000, 2000, 500, 0, 2001, 9000} {
			b := newBench(t)
			b.config.Start = time.UnixMilli(start)
			b.sensor("mic", mono, time.Second, nil).Timing.Source = Given
			b.reader("disk", bucket, 10*time.Second, byBytes)
			d, err := b.run(300 * time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if d.Session() <= last {
				t.Errorf("session %d after %d, with the clock at %d", d.Session(), last, start)
			}
			last = d.Session()
		}
		if last != 9000 {
			t.Errorf("the last session is %d, not the time it began", last)
		}
	})
}

func TestAKilledRunSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("mic", mono, time.Second, nil)
		b.reader("disk", &stuckBucket{mem.New()}, 10*time.Second, byBytes)
		b.config.Grace = 3 * time.Second
		begun := time.Now()
		if _, err := b.run(time.Second); err == nil {
			t.Error("a run that could not store said nothing")
		}
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("it took %v to give up", d)
		}
	})
}

// stuckBucket never begins a chunk.
type stuckBucket struct{ *mem.Bucket }

func (s *stuckBucket) Create(ctx context.Context, _ string) (sink.Draft, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTheWatchdogIsFedBySound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards what follows: Run and the supervisor both notify
		var said bytes.Buffer
		b := newBench(t)
		b.config.Watchdog = 30 * time.Second
		fed := map[int]int{} // by ten seconds
		begun := time.Now()
		b.config.Notify = func(state string) error {
			mu.Lock()
			defer mu.Unlock()
			if state == "WATCHDOG=1" {
				fed[int(time.Since(begun)/(10*time.Second))]++
			} else {
				fmt.Fprintln(&said, state)
			}
			return nil
		}
		b.sensor("mic", mono, time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
			return &hanging{src, b.clock, b.clock.Monotonic() + int64(20*time.Second)}, err
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		if _, err := b.run(100 * time.Second); err != nil {
			t.Fatal(err)
		}
		if fed[0] == 0 || fed[1] == 0 || fed[8] != 0 || fed[9] != 0 {
			t.Errorf("the watchdog was fed %v times, by ten seconds", fed)
		}
		for _, want := range []string{"READY=1\n", "STATUS=1 of 1 sensors recording\n", "STOPPING=1\n"} {
			if !bytes.Contains(said.Bytes(), []byte(want)) {
				t.Errorf("%q was not said in %q", want, said.String())
			}
		}
	})
}

// hanging stops delivering at a time and does not say so.
type hanging struct {
	source.Source
	clock clock.Clock
	from  int64
}

func (s *hanging) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if s.clock.Monotonic() >= s.from {
		<-ctx.Done()
		return source.Packet{}, ctx.Err()
	}
	return s.Source.Read(ctx, p)
}
