package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

func TestLossesAreToldWithTheirLengthAndTime(t *testing.T) {
	f := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}
	at := time.Date(2026, 11, 21, 14, 40, 2, 150e6, time.FixedZone("", 3600))
	const tail = " at 13:40:02.150Z. The session goes on; the hole is recorded."
	for cause, want := range map[audio.Cause]string{
		audio.XRun:    "mic0: 2400 frames (50ms) were lost in the device" + tail,
		audio.Source:  "mic0: 2400 frames (50ms) were lost because the capture process fell behind" + tail,
		audio.Device:  "mic0: not captured: 50ms from 13:40:02.150Z on (2400 frames): the source was away. The session goes on; the hole is recorded.",
		audio.Stopped: "mic0: 2400 frames (50ms) are not there, because the recorder was off," + tail,
		audio.Suspend: "mic0: 2400 frames (50ms) are missing" + tail,
	} {
		if got := lostText("mic0", f, 2400, cause, at); got != want {
			t.Errorf("%v:\ngot  %s\nwant %s", cause, got, want)
		}
	}
	for off, want := range map[int64]string{
		0:    "mic0: recording, because somebody reads it",
		2400: "mic0: recording, because somebody reads it. It was off for 50ms (2400 frames)",
	} {
		if got := readText("mic0", f, off); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got, want := offText("mic0"), "mic0: off until somebody reads it"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want := "archive: mic0: 96000 frames (2s) were overwritten before they were stored (disk too slow?). The hole is recorded."
	if got := behindText("archive", "mic0", f, 96000); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// watched makes the log of b readable.
func watched(b *bench) *observer.ObservedLogs {
	core, logs := observer.New(zapcore.InfoLevel)
	b.config.Log = zap.New(core)
	return logs
}

// said are the messages of a level, in their order.
func said(logs *observer.ObservedLogs, l zapcore.Level) (all []string) {
	for _, e := range logs.All() {
		if e.Level == l {
			all = append(all, e.Message)
		}
	}
	return all
}

// diskBucket fails to begin a chunk from one time to another, as a disk does.
type diskBucket struct {
	failingBucket
	err error
}

func (s *diskBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	if d, err := s.failingBucket.Create(ctx, name); err == nil {
		return d, nil
	}
	return nil, fmt.Errorf("create %s: %w", name, s.err)
}

func (s *diskBucket) String() string { return "/var/lib/ingestd" }

func TestASinkThatTakesNothingIsToldOnceWithACure(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{syscall.ENOSPC, "Free space."},
		{syscall.EDQUOT, "Free space."},
		{syscall.EROFS, "dmesg may tell why."},
		{syscall.EIO, "dmesg may tell why."},
		{errors.New("on fire"), "See what the system says of this disk."},
	} {
		for _, outage := range []time.Duration{3 * time.Second, 20 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				logs := watched(b)
				from := b.clock.Monotonic() + int64(5*time.Second)
				bad := &diskBucket{failingBucket{mem.New(), b.clock, from, from + int64(outage)}, c.err}
				b.sensor("mic0", mono, 10*time.Second, nil)
				b.reader("disk", bad, time.Second, byBytes)
				d, err := b.run(outage + 20*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				status := d.Status()
				head := "disk: /var/lib/ingestd: STORING of mic0 STOPPED: sound is kept in memory for 9.8s, then holes are recorded. It goes on by itself. " + c.want + "\n    "
				got := said(logs, zapcore.ErrorLevel)
				if len(got) != 1 || !strings.HasPrefix(got[0], head) || !strings.HasSuffix(got[0], c.err.Error()) {
					t.Errorf("got  %q\nwant %q and %v", got, head, c.err)
				}
				// What the ring lost meanwhile is told with the end of the outage.
				back := logs.FilterMessageSnippet("disk: storing of mic0 goes on. ").All()
				lost := fmt.Sprintf("(%d frames) were overwritten", status.Drains[0].Overrun)
				if outage < 10*time.Second {
					lost = "Nothing was lost."
				}
				if len(back) != 1 || !strings.Contains(back[0].Message, lost) || (status.Drains[0].Overrun > 0) != (outage > 10*time.Second) {
					t.Errorf("after %v, with %d frames overwritten: %v", outage, status.Drains[0].Overrun, back)
				}
				if warned := said(logs, zapcore.WarnLevel); outage < 10*time.Second && len(warned) != 0 || len(warned) > 1 {
					t.Errorf("after %v: %q", outage, warned)
				}
			})
		}
	}
}

func TestASourceThatIsAwayIsToldOnceWithWhatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		begun := b.clock.Monotonic()
		plain := b.ramp(mono, tone.Config{Speed: 1})
		b.sensor("mic0", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			if at := time.Duration(b.clock.Monotonic() - begun); at < 150*time.Second { // more than a minute: once is once
				return nil, source.Faultf(source.Failed, "no input matches device %q.\n    Check the cable.", "usb-id:2752:0007")
			}
			return plain(ctx, admit)
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		if _, err := b.run(170 * time.Second); err != nil {
			t.Fatal(err)
		}
		const want = "mic0: no input matches device \"usb-id:2752:0007\".\n    Check the cable.\n" +
			"    The other sensors go on; mic0 is tried again, every 5s or sooner."
		if n := logs.FilterMessage(want).Len(); n != 1 {
			t.Errorf("said %d times:\n%s\nbut\n%q", n, want, said(logs, zapcore.WarnLevel))
		}
		holes := logs.FilterMessageSnippet(": not captured: ").All()
		if len(holes) != 1 || !strings.HasPrefix(holes[0].Message, "mic0: ") {
			t.Errorf("holes: %q", said(logs, zapcore.WarnLevel))
		}
	})
}

func TestAReplayThatCannotBeStoredEndsWithOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		now := b.clock.Monotonic()
		b.sensor("mic0", mono, 5*time.Second, nil)
		b.reader("disk", &diskBucket{failingBucket{mem.New(), b.clock, now, now + int64(time.Hour)}, syscall.ENOSPC}, time.Second, byBytes)
		b.config.UntilEnded, b.config.Strict = true, true
		_, err := b.run(time.Hour)
		const want = "disk: /var/lib/ingestd: storing of mic0 ended: what was stored until then is whole. Free space.\n    "
		if err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
		if more := append(said(logs, zapcore.ErrorLevel), said(logs, zapcore.WarnLevel)...); len(more) > 0 {
			t.Errorf("also logged: %q", more)
		}
	})
}

func TestASourceThatCannotBeOpenedAgainIsToldOnce(t *testing.T) {
	for _, replay := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			logs := watched(b)
			plain := b.ramp(mono, tone.Config{Speed: 1})
			until := b.clock.Monotonic() + int64(3*time.Second)
			b.sensor("wav", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
				src, err := plain(ctx, admit)
				return &breaking{src, b.clock, until}, err
			}).Once = true
			b.sensor("mic0", mono, 5*time.Second, nil).Limit = 8 * 8000
			b.reader("disk", mem.New(), time.Second, byBytes)
			b.config.UntilEnded, b.config.Strict = replay, replay
			_, err := b.run(10 * time.Second)
			told := append(said(logs, zapcore.ErrorLevel), said(logs, zapcore.WarnLevel)...)
			if err != nil {
				told = append(told, err.Error())
			}
			if len(told) != 1 || !strings.HasPrefix(told[0], "wav: ") || replay != (err != nil) ||
				!replay && !strings.HasSuffix(told[0], "\n    It ends here; the other sensors go on.") {
				t.Errorf("replay %v: %q, %v", replay, told, err)
			}
		})
	}
}

// flakyBucket fails to begin a chunk in each of some spans of time.
type flakyBucket struct {
	*mem.Bucket
	clock clock.Clock
	spans [][2]int64 // CLOCK_MONOTONIC ns
}

func (b *flakyBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	now := b.clock.Monotonic()
	for _, s := range b.spans {
		if now >= s[0] && now < s[1] {
			return nil, syscall.EIO
		}
	}
	return b.Bucket.Create(ctx, name)
}

// TestTheLastWordOfTheLogIsTrue has a sink and a source fail twice within a
// minute.
func TestTheLastWordOfTheLogIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		begun := b.clock.Monotonic()
		at := func(s int64) int64 { return begun + s*int64(time.Second) }
		plain := b.ramp(mono, tone.Config{Speed: 1})
		b.sensor("mic", mono, 20*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := plain(ctx, admit)
			until := at(20)
			if b.clock.Monotonic() >= until {
				until = at(35)
			}
			if b.clock.Monotonic() >= until {
				return src, err
			}
			return &breaking{src, b.clock, until}, err
		})
		b.reader("disk", &flakyBucket{mem.New(), b.clock, [][2]int64{{at(5), at(8)}, {at(25), at(27)}}}, time.Second, byBytes)
		d, err := b.run(3 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var stopped, wentOn, again, broke int
		for _, e := range logs.All() {
			stopped += strings.Count(e.Message, "STORING of mic STOPPED")
			wentOn += strings.Count(e.Message, "storing of mic goes on.")
			again += strings.Count(e.Message, "storing of mic had stopped again at")
			broke += strings.Count(e.Message, "pulled the plug")
			if strings.Contains(e.Message, "said late") && !strings.Contains(e.Message, "not captured") {
				t.Errorf("said late: %s", e.Message)
			}
		}
		if stopped != 1 || wentOn != 1 || again != 1 || broke != 1 {
			t.Errorf("stopped %d, went on %d, again %d, broke %d: want 1 each", stopped, wentOn, again, broke)
		}
		if s := d.Status(); s.Sensors[0].Holes != 2 || s.Drains[0].Overrun != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// onceBucket fails to give a name once.
type onceBucket struct {
	*mem.Bucket
	failed bool
}

type onceDraft struct {
	sink.Draft
	b *onceBucket
}

func (b *onceBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.Bucket.Create(ctx, name)
	return &onceDraft{d, b}, err
}

func (d *onceDraft) Commit() error {
	if !d.b.failed {
		d.b.failed = true
		return syscall.EIO
	}
	return d.Draft.Commit()
}

func TestASinkThatStoredTheLastOfASensorIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("wav", mono, 20*time.Second, b.ramp(mono, tone.Config{Speed: 1, Frames: 5 * 8000}))
		b.reader("disk", &onceBucket{Bucket: mem.New()}, 10*time.Second, byBytes)
		d, err := b.run(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if s := d.Status().Drains[0]; s.NotSaved != "" || s.Written != 5*8000 {
			t.Errorf("%+v", s)
		}
	})
}
