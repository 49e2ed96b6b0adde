package daemon

import (
	"bytes"
	"context"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// infoBucket keeps every info.json that is written into it.
type infoBucket struct {
	*mem.Bucket
	infos []string
}

func (b *infoBucket) Put(ctx context.Context, name string, body []byte, o sink.PutOptions) (sink.Info, error) {
	if path.Base(name) == sink.InfoName {
		b.infos = append(b.infos, string(body))
	}
	return b.Bucket.Put(ctx, name, body, o)
}

// S2: what is fixed is written once, in info.json; what changes is asked of
// the daemon, and stands in no file.
func TestSeed_S2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		fault := source.Faultf(source.Stall, "the test pulled the plug")
		b.sensor("mic", mono, 5*time.Second, func(context.Context, source.Admit) (source.Source, error) {
			now := b.clock.Monotonic()
			return &scripted{packets: []source.Packet{{Frames: 800, At: now, First: true}}, err: fault}, nil
		}).Info = map[string]any{"station": "pond"}
		kept := &infoBucket{Bucket: mem.New()}
		b.reader("disk", kept, time.Second, byBytes)
		d, err := b.run(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(kept.infos) != 1 {
			t.Fatalf("info.json was written %d times", len(kept.infos))
		}
		for _, fixed := range []string{`"rate": 8000`, `"channels": 1`, `"encoding": "s32"`, `"sensor": "mic"`, `"station": "pond"`, `"start"`} {
			if !strings.Contains(kept.infos[0], fixed) {
				t.Errorf("info.json lacks %s:\n%s", fixed, kept.infos[0])
			}
		}
		for _, live := range []string{"state", "captured", "holes", "lost", "restarts", "last_error", "lag", "written", "durable"} {
			if strings.Contains(kept.infos[0], `"`+live) {
				t.Errorf("info.json tells what changes: %s", live)
			}
		}
		if s := d.Status().Sensors[0]; s.Restarts < 2 || s.LastError != fault.Error() || s.Captured < 8000 || s.Holes == 0 {
			t.Errorf("the status is %+v", s)
		}
	})
}

// counted counts the calls of Read, those that bring frames, those that run at
// once, and the instants at which they return.
type counted struct {
	source.Source
	clock                      clock.Clock
	silent                     int64 // from here on it delivers nothing
	calls, brought, wakes      atomic.Int64
	inside, most, lastReturned atomic.Int64
}

func (s *counted) Read(ctx context.Context, p []byte) (source.Packet, error) {
	s.calls.Add(1)
	s.most.Store(max(s.most.Load(), s.inside.Add(1)))
	defer s.inside.Add(-1)
	if s.clock.Monotonic() >= s.silent {
		<-ctx.Done()
		return source.Packet{}, ctx.Err()
	}
	pk, err := s.Source.Read(ctx, p)
	if pk.Frames > 0 {
		s.brought.Add(1)
	}
	if now := s.clock.Monotonic(); s.lastReturned.Swap(now) != now {
		s.wakes.Add(1)
	}
	return pk, err
}

// S3: one pump a sensor, and no polling: every read of a source brings frames,
// when they are there and not sooner, and a silent source is not read again.
func TestSeed_S3(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		const length, quiet = 100 * time.Second, 10 * time.Second
		begun := b.clock.Monotonic()
		sources := [2]counted{{silent: begun + int64(time.Hour)}, {silent: begun + int64(quiet)}}
		opened := [2]int{}
		for i, id := range []string{"talks", "falls-silent"} {
			b.sensor(id, mono, 5*time.Second, func(ctx context.Context, admit source.Admit) (src source.Source, err error) {
				opened[i]++
				sources[i].clock = b.clock
				sources[i].Source, err = b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
				return &sources[i], err
			})
		}
		for _, name := range []string{"one", "two", "three"} {
			b.reader(name, mem.New(), time.Second, byBytes)
		}
		if _, err := b.run(length); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{length, quiet} {
			s, id := &sources[i], b.config.Sensors[i].ID
			if opened[i] != 1 || s.most.Load() != 1 {
				t.Errorf("%s was opened %d times and read by %d at once", id, opened[i], s.most.Load())
			}
			if s.calls.Load()-s.brought.Load() > 1 || s.brought.Load() == 0 {
				t.Errorf("%s was read %d times, and %d of them brought frames", id, s.calls.Load(), s.brought.Load())
			}
			if packets := int64(want / source.DefaultBatch); s.wakes.Load() > packets {
				t.Errorf("%s woke its pump %d times for %d packets", id, s.wakes.Load(), packets)
			}
		}
	})
}

// S5: a live source overwrites what a slow reader has not taken, and that is
// counted; an unpaced one waits for its slowest reader, and nobody drops by hand.
func TestSeed_S5(t *testing.T) {
	for _, unpaced := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const frames = 200_000
			b := newBench(t)
			speed := 100.0 // far beyond what the slow sink takes
			if unpaced {
				speed = 0
			}
			b.sensor("mic", mono, 500*time.Millisecond, b.ramp(mono, tone.Config{Speed: speed, Frames: frames})).Unpaced = unpaced
			b.config.UntilEnded = true
			b.reader("slow", &slowBucket{mem.New(), b.clock}, 250*time.Millisecond, byBytes)
			b.reader("fast", mem.New(), 250*time.Millisecond, byBytes)
			d, err := b.run(24 * time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			s := d.Status()
			for _, dr := range s.Drains {
				stored := int64(len(b.sound(dr.Reader, "mic")) / mono.FrameBytes())
				if stored+dr.Overrun != frames || s.Sensors[0].Captured != frames {
					t.Errorf("unpaced %v, %s: %d stored + %d overwritten of %d", unpaced, dr.Reader, stored, dr.Overrun, s.Sensors[0].Captured)
				}
			}
			if lost := s.Drains[0].Overrun; lost > 0 == unpaced {
				t.Errorf("unpaced %v: the slow reader lost %d frames", unpaced, lost)
			}
		})
	}
}

// S16: what a source lost is a hole with its cause, told just before the frames
// behind it; nothing is put in its place, and positions go on.
func TestSeed_S16(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.config.UntilEnded = true
		b.sensor("mic", mono, 5*time.Second, func(context.Context, source.Admit) (source.Source, error) {
			at := func(frames int64) int64 { return b.clock.Monotonic() + int64(mono.Duration(frames)) }
			return &scripted{packets: []source.Packet{
				{Frames: 1000, At: at(1000), First: true},
				{Frames: 500, Lost: 100, Cause: audio.XRun, At: at(1600)},
				{Lost: 40, Cause: audio.Source},
				{Frames: 60, At: at(1700)},
			}}, nil
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		d, err := b.run(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if s := d.Status().Sensors[0]; s.Captured != 1700 || s.Holes != 2 || s.LostFrames != 140 {
			t.Errorf("%+v", s)
		}
		if n := len(b.sound("disk", "mic")) / mono.FrameBytes(); n != 1560 {
			t.Errorf("%d frames stored of 1560", n)
		}
		var blocks []int64
		for k, err := range b.stores["disk"].Keys(t.Context(), sink.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			blocks = append(blocks, k.Block/int64(mono.FrameBytes()))
		}
		if len(blocks) != 3 || blocks[0] != 0 || blocks[1] != 1100 || blocks[2] != 1640 {
			t.Errorf("chunks begin at frames %v", blocks)
		}
		index := b.index("disk", "mic")
		for _, hole := range []string{`"holes":[{"from":1000,"frames":100,"cause":"xrun"}]`, `"holes":[{"from":1600,"frames":40,"cause":"source"}]`} {
			if !strings.Contains(index, hole) {
				t.Errorf("%s is not told in\n%s", hole, index)
			}
		}
	})
}

// D1: a chunk is the third of (session, block, chunk): the session is the
// millisecond in which capture began, the block is the bytes before the chunk,
// and every chunk but the last is equally long.
func TestSeed_D1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		began := audio.SessionAt(b.clock.UTC())
		b.sensor("mic", mono, 5*time.Second, nil)
		b.reader("disk", mem.New(), 300*time.Millisecond, byBytes)
		d, err := b.run(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		all, before := b.sound("disk", "mic"), int64(0)
		chunk, last := mono.Frames(300*time.Millisecond)*int64(mono.FrameBytes()), false
		for k, err := range b.stores["disk"].Keys(t.Context(), sink.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			c, err := b.stores["disk"].Get(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			n := int64(len(c.Data))
			if k.Session != began || k.Session != d.Session() || k.Block != before || last || n > chunk || !bytes.Equal(c.Data, all[before:before+n]) {
				t.Errorf("%v has %d bytes, behind %d others; the session began at %d", k, n, before, began)
			}
			last = n < chunk
			before += n
		}
		if before != d.Status().Sensors[0].Captured*int64(mono.FrameBytes()) {
			t.Errorf("%d bytes in all", before)
		}
	})
}

// D3: any number of readers may do something with one stream, each at its own
// pace, and each gets all of it.
func TestSeed_D3(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sensor("mic", mono, 5*time.Second, nil)
		names := strings.Fields("a b c d e f g h i j k l")
		for i, name := range names {
			b.reader(name, mem.New(), time.Duration(i+1)*170*time.Millisecond, byBytes)
		}
		d, err := b.run(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		want := d.Status().Sensors[0].Captured * int64(mono.FrameBytes())
		for _, name := range names {
			pcm := b.sound(name, "mic")
			if err := tone.CheckRamp(mono, 0, pcm); err != nil || int64(len(pcm)) != want || want == 0 {
				t.Errorf("%s has %d of %d bytes: %v", name, len(pcm), want, err)
			}
		}
	})
}
