package daemon

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// scripted is a source that answers Read with its packets, one after another.
type scripted struct {
	packets []source.Packet
	err     error // behind them; nil: io.EOF
}

func (s *scripted) Format() audio.Format { return mono }
func (s *scripted) Close() error         { return nil }

func (s *scripted) Read(ctx context.Context, p []byte) (source.Packet, error) {
	switch {
	case len(s.packets) > 0:
		pk := s.packets[0]
		if rest := pk.Frames - len(p)/mono.FrameBytes(); rest > 0 { // there is less room
			s.packets[0] = source.Packet{Frames: rest, At: pk.At}
			pk.Frames, pk.At = pk.Frames-rest, pk.At-int64(mono.Duration(int64(rest)))
			return pk, nil
		}
		s.packets = s.packets[1:]
		return pk, nil
	case s.err != nil:
		return source.Packet{}, s.err
	}
	return source.Packet{}, io.EOF
}

func newPump(t testing.TB, c clock.Clock, open func(context.Context, source.Admit) (source.Source, error)) *pump {
	t.Helper()
	k, err := newTimekeeper(c)
	if err != nil {
		t.Fatal(err)
	}
	st, err := newStream(Sensor{ID: "mic", Format: mono, Window: 100_000, Open: open, Timing: Timing{Source: FromDevice}}, 1, k, &k.labels)
	if err != nil {
		t.Fatal(err)
	}
	w, err := st.ring.Writer()
	if err != nil {
		t.Fatal(err)
	}
	st.needs = func() audio.Pos { return 0 }
	return &pump{stream: st, w: w, clock: c, time: k, turns: new(turns), log: zap.NewNop(), limit: newLimiter(c)}
}

func TestThePumpAllocatesNothing(t *testing.T) {
	const packets = 10_000
	p := newPump(t, clock.System{}, nil)
	at := func(i int) int64 { return p.time.zero.Mono + int64(mono.Duration(int64(i)*10)) }
	src := &scripted{}
	for i := range packets {
		src.packets = append(src.packets, source.Packet{Frames: 10, At: at(i + 1)})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := p.copy(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > packets/100 { // what the test's own runtime does
		t.Errorf("%d allocations for %d packets", n, packets)
	}
	if p.frames.Load() != 10*packets {
		t.Errorf("%d frames", p.frames.Load())
	}
}

// TestHolesAreMeasuredByCaptureTimes breaks a source in all the ways and adds
// up what the ring says.
func TestHolesAreMeasuredByCaptureTimes(t *testing.T) {
	const second = int64(time.Second)
	fault := source.Faultf(source.Stall, "gone")
	for _, c := range []struct {
		name    string
		sources []*scripted // opened one after another; times count from the beginning
		head    int64       // frames
		lost    map[audio.Cause]int64
	}{
		{"a late first frame is no hole within two seconds", []*scripted{
			{packets: []source.Packet{{Frames: 800, At: 2 * second, First: true}}},
		}, 800, nil},
		{"later than that it is one", []*scripted{
			{packets: []source.Packet{{Frames: 800, At: 3*second + second/10, First: true}}},
		}, 24800, map[audio.Cause]int64{audio.Device: 24000}},
		{"a restart", []*scripted{
			{packets: []source.Packet{{Frames: 8000, At: second, First: true}}, err: fault},
			{packets: []source.Packet{{Frames: 800, At: 5 * second, First: true}}},
		}, 40000, map[audio.Cause]int64{audio.Device: 31200}},
		{"a loss in the stream", []*scripted{
			{packets: []source.Packet{{Frames: 8000, At: second, First: true}, {Frames: 800, Lost: 100, Cause: audio.XRun, At: 2 * second}}},
		}, 8900, map[audio.Cause]int64{audio.XRun: 100}},
		{"a loss told before the frames behind it, and a restart", []*scripted{
			{packets: []source.Packet{{Frames: 8000, At: second, First: true}, {Lost: 4000, Cause: audio.Source}}, err: fault},
			{packets: []source.Packet{{Frames: 800, At: 3 * second, First: true}}},
		}, 24000, map[audio.Cause]int64{audio.Source: 4000, audio.Device: 11200}},
		{"a loss in the stream, and a restart", []*scripted{
			{packets: []source.Packet{{Frames: 8000, At: second, First: true}, {Frames: 4000, Lost: 4000, Cause: audio.XRun, At: 2 * second}}, err: fault},
			{packets: []source.Packet{{Frames: 8000, At: 4 * second, First: true}}},
		}, 32000, map[audio.Cause]int64{audio.XRun: 4000, audio.Device: 8000}},
		{"a source that says it began before the last one ended has lost a frame at least", []*scripted{
			{packets: []source.Packet{{Frames: 8000, At: second, First: true}}, err: fault},
			{packets: []source.Packet{{Frames: 8000, At: second + second/2, First: true}}},
		}, 16001, map[audio.Cause]int64{audio.Device: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clk := clock.NewBubble()
				var opened int
				p := newPump(t, clk, func(context.Context, source.Admit) (source.Source, error) {
					opened++
					return c.sources[opened-1], nil
				})
				for _, s := range c.sources {
					for i := range s.packets {
						s.packets[i].At += p.time.zero.Mono
					}
				}
				if err := p.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if head := int64(p.ring.Bounds().To); head != c.head {
					t.Errorf("the head is %d, want %d", head, c.head)
				}
				for _, cause := range audio.Causes() {
					if got := p.lost[cause].Load(); got != c.lost[cause] {
						t.Errorf("%d frames lost by %v, want %d", got, cause, c.lost[cause])
					}
				}
			})
		})
	}
}

func TestASourceThatCannotBeReadAtAllEndsItsSensor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := source.Faultf(source.Failed, "read x.wav: input/output error")
		opened := 0
		p := newPump(t, clock.NewBubble(), func(context.Context, source.Admit) (source.Source, error) {
			if opened++; opened < 3 {
				return nil, source.Faultf(source.Failed, "x.wav is not there")
			}
			return &scripted{err: fault}, nil
		})
		p.Once, p.Limit = true, 1<<40
		if err := p.run(t.Context()); !errors.Is(err, error(fault)) || opened != 3 {
			t.Errorf("it ended with %v, opened %d times", err, opened)
		}
	})
}

func TestASourceThatCannotGoOnEndsItsSensor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := source.Faultf(source.Failed, "read x.wav: input/output error")
		p := newPump(t, clock.NewBubble(), func(context.Context, source.Admit) (source.Source, error) {
			return &scripted{packets: []source.Packet{{Frames: 10, At: 1, First: true}}, err: fault}, nil
		})
		p.Once = true
		if err := p.run(t.Context()); !errors.Is(err, error(fault)) {
			t.Errorf("it ended with %v", err)
		}
		if p.State() != Ended || p.frames.Load() != 10 || !p.ring.Closed() {
			t.Errorf("%v with %d frames, closed: %v", p.State(), p.frames.Load(), p.ring.Closed())
		}
	})
}
