package daemon

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// closing counts how often it was closed.
type closing struct {
	source.Source
	closed *int
}

func (s closing) Close() error {
	*s.closed++
	return s.Source.Close()
}

// TestASourceThatComesBackOtherwiseIsNotStored plugs in a microphone of another
// rate, and then the one that it was.
func TestASourceThatComesBackOtherwiseIsNotStored(t *testing.T) {
	for _, other := range []audio.Format{
		{Rate: 16000, Channels: 1, Encoding: audio.S32}, {Rate: 8000, Channels: 2, Encoding: audio.S32}, {Rate: 8000, Channels: 1, Encoding: audio.F32},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			watched(b)
			begun, opened, closed := b.clock.Monotonic(), 0, 0
			plain, foreign := b.ramp(mono, tone.Config{Speed: 1}), b.ramp(other, tone.Config{Speed: 1})
			b.sensor("mic", mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
				at := time.Duration(b.clock.Monotonic() - begun)
				src, err := plain(ctx, admit)
				if at >= 5*time.Second && at < 30*time.Second {
					src, err = foreign(ctx, admit)
				}
				if at < 5*time.Second {
					src = &breaking{src, b.clock, begun + int64(5*time.Second)}
				}
				opened++
				return closing{src, &closed}, err
			})
			b.reader("disk", mem.New(), time.Second, byBytes)
			want := "the source delivers " + other.String() + ", the sensor was begun as " + mono.String() + ": restart ingestd to record it so"
			d := b.watch(40*time.Second, time.Second, func(d *Daemon, at time.Duration) {
				away := at > 6*time.Second && at < 30*time.Second
				if s := d.Status().Sensors[0]; away && (s.State != "retrying" || s.LastError != want) {
					t.Errorf("after %v: %+v, want %q", at, s, want)
				}
			})
			s, told, pcm := d.Status().Sensors[0], b.told("disk", "mic"), b.sound("disk", "mic")
			if opened < 10 || opened != closed || s.Restarts != int64(opened-1) {
				t.Errorf("it was opened %d times and closed %d times, with %d restarts", opened, closed, s.Restarts)
			}
			if told.holes[audio.Device] != 1 || told.sound+told.missing[audio.Device] != told.end || told.end != s.Captured {
				t.Errorf("%+v of %+v", told, s)
			}
			before := mono.FrameBytes()
			for before < len(pcm) && !bytes.Equal(pcm[before:before+4], make([]byte, 4)) {
				before += mono.FrameBytes()
			}
			if length := mono.Duration(int64(before / 4)); length < 4*time.Second || length > 5*time.Second {
				t.Errorf("%v of the first source", length)
			}
			for _, part := range [][]byte{pcm[:before], pcm[before:]} { // each source begins its ramp
				if err := tone.CheckRamp(mono, 0, part); err != nil {
					t.Errorf("%v: %v", other, err)
				}
			}
		})
	}
}

// TestALossBeforeTheFirstFrameIsPlacedBeforeIt has sources that lost frames
// before the first that they deliver: those were captured before it, too.
func TestALossBeforeTheFirstFrameIsPlacedBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const second = int64(time.Second)
		c := clock.NewBubble()
		var opened int
		var sources []*scripted
		p := newPump(t, c, func(context.Context, source.Admit) (source.Source, error) {
			opened++
			return sources[opened-1], nil
		})
		begin := c.UTC().Add(500 * time.Millisecond)
		// 0.5 s late, then 0.5 s lost and 0.5 s of sound; 2 s away, then the same.
		sources = []*scripted{
			{packets: []source.Packet{{Frames: 4000, Lost: 4000, Cause: audio.XRun, At: p.time.zero.Mono + second*3/2, First: true}}, err: source.Faultf(source.Stall, "gone")},
			{packets: []source.Packet{{Frames: 4000, Lost: 4000, Cause: audio.XRun, At: p.time.zero.Mono + second*9/2, First: true}}},
		}
		if err := p.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, _ := p.utc(0); got.Sub(begin).Abs() > time.Microsecond {
			t.Errorf("the session's first frame is of %v, want %v", got, begin)
		}
		if head, xrun, device := int64(p.ring.Bounds().To), p.lost[audio.XRun].Load(), p.lost[audio.Device].Load(); head != 32000 || xrun != 8000 || device != 16000 {
			t.Errorf("%d frames, %d lost by xrun, %d by device", head, xrun, device)
		}
	})
}

// attempts are the instants at which a source was opened, since the first.
func attempts(t *testing.T, length time.Duration, takes time.Duration, open func(nth int, src source.Source, at time.Duration, c clock.Clock) (source.Source, error)) (all []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		begun := b.clock.Monotonic()
		plain := b.ramp(mono, tone.Config{Speed: 1})
		p := newPump(t, b.clock, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			all = append(all, time.Duration(b.clock.Monotonic()-begun))
			if err := b.clock.Sleep(ctx, b.clock.Monotonic()+int64(takes)); err != nil {
				return nil, err
			}
			src, err := plain(ctx, admit)
			if err != nil {
				return nil, err
			}
			return open(len(all), src, time.Duration(b.clock.Monotonic()-begun), b.clock)
		})
		stop, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		if err := p.run(stop); err != nil {
			t.Error(err)
		}
	})
	return all
}

func TestASourceThatWasWellIsTriedAtOnceAndThenSoon(t *testing.T) {
	const well = 10 * time.Minute
	all := attempts(t, well+time.Minute, 0, func(nth int, src source.Source, at time.Duration, c clock.Clock) (source.Source, error) {
		if nth == 1 {
			return &breaking{src, c, c.Monotonic() + int64(well)}, nil
		}
		if at < well+3*time.Second {
			return nil, notThere()
		}
		return src, nil
	})
	if len(all) < 10 || all[1] != well {
		t.Fatalf("it was opened at %v", all)
	}
	for i, at := range all[2:] {
		before, most := all[i+1], max(leastWait, (all[i+1]-well)/waitShare)
		if wait := at - before; wait > most || wait < most*4/5 {
			t.Errorf("%v after it broke it was tried again after %v, want at most %v", before-well, wait, most)
		}
	}
	if last := all[len(all)-1] - well; last > 3*time.Second*17/16 {
		t.Errorf("away for 3 s, back after %v", last)
	}
}

// TestASourceThatIsNeverWellForLongStaysInTrouble has one that delivers for
// some seconds each time, however long it takes to open it.
func TestASourceThatIsNeverWellForLongStaysInTrouble(t *testing.T) {
	for _, takes := range []time.Duration{0, 12 * time.Second} {
		all := attempts(t, 10*time.Minute, takes, func(_ int, src source.Source, _ time.Duration, c clock.Clock) (source.Source, error) {
			return &breaking{src, c, c.Monotonic() + int64(3*time.Second)}, nil
		})
		if len(all) < 20 {
			t.Fatalf("it was opened at %v", all)
		}
		for i, at := range all[1:] {
			broke := all[i] + takes + 3*time.Second
			most := min(longestWait, max(leastWait, broke/waitShare))
			if wait := at - broke; wait > most+2*source.DefaultBatch || wait < most*4/5 { // it breaks when it is read
				t.Errorf("opening takes %v: after %v of trouble it was tried again after %v, want at most %v", takes, broke, wait, most)
			}
		}
		last := all[len(all)-3:]
		if waits := slices.Max([]time.Duration{last[1] - last[0], last[2] - last[1]}); waits < takes+3*time.Second+longestWait*4/5 {
			t.Errorf("opening takes %v: at last it was opened at %v", takes, last)
		}
	}
}

// TestTheLastHoleReachesTheEnd stops a run whose microphone is away: what is
// missing is missing until then.
func TestTheLastHoleReachesTheEnd(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 5 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			watched(b)
			b.sensor("mic", mono, 5*time.Second, b.unplugged(20*time.Second, time.Hour, 0))
			b.reader("disk", mem.New(), time.Second, byBytes)
			d := b.watch(20*time.Second+away, time.Second, func(*Daemon, time.Duration) {})
			told := b.told("disk", "mic")
			missing := mono.Duration(told.missing[audio.Device])
			if want := mono.Frames(20*time.Second + away); told.end != want || missing < away || missing > away+source.DefaultBatch || told.holes[audio.Device] != 1 || d.Status().Sensors[0].Captured != want {
				t.Errorf("away for %v: %+v, want %d frames in all", away, told, want)
			}
		})
	}
}

func TestAFaultIsToldAgainWhenItIsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		begun := b.clock.Monotonic()
		b.sensor("mic", mono, 5*time.Second, func(context.Context, source.Admit) (source.Source, error) {
			if time.Duration(b.clock.Monotonic()-begun) < 90*time.Second {
				return nil, notThere()
			}
			return nil, source.Faultf(source.Timeout, "it does not get ready")
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(3*time.Minute, time.Minute, func(*Daemon, time.Duration) {})
		var told []string
		for _, e := range logs.FilterMessageSnippet("The other sensors go on").All() {
			told = append(told, e.Message)
		}
		if len(told) != 2 || !strings.Contains(told[0], "no input matches") || !strings.Contains(told[1], "get ready") {
			t.Errorf("told %q", told)
		}
	})
}
