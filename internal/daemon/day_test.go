package daemon

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source/tone"
)

// A ramped is a chunk of the ramp, which a judge has seen and not kept.
type ramped struct {
	session audio.Session
	sensor  string
	from    audio.Pos // what its first frame tells
	frames  int64
}

// A judge is a bucket that does not keep chunks: it sees that they are the ramp.
type judge struct {
	*mem.Bucket
	formats map[string]audio.Format

	mu     sync.Mutex
	chunks []ramped
}

func (j *judge) Create(_ context.Context, name string) (sink.Draft, error) {
	parts := strings.Split(name, "/")
	id, err := strconv.ParseInt(parts[0], 10, 64)
	sensor := parts[len(parts)-2]
	f, ok := j.formats[sensor]
	if err != nil || !ok {
		return nil, fmt.Errorf("%s is the name of no chunk: %w", name, err)
	}
	return &judged{judge: j, f: f, ramped: ramped{session: audio.Session(id), sensor: sensor}}, nil
}

type judged struct {
	*judge
	f audio.Format
	ramped
}

func (d *judged) Write(p []byte) (int, error) {
	if d.frames == 0 && len(p) > 0 {
		at, err := tone.RampPos(d.f, p[:d.f.FrameBytes()])
		if err != nil {
			return 0, err
		}
		d.from = at
	}
	if err := tone.CheckRamp(d.f, d.from+audio.Pos(d.frames), p); err != nil {
		return 0, err
	}
	d.frames += int64(len(p) / d.f.FrameBytes())
	return len(p), nil
}

func (d *judged) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (d *judged) Sync() error                            { return nil }
func (d *judged) Abort(bool) error                       { return nil }

func (d *judged) Commit() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.chunks = append(d.chunks, d.ramped)
	return nil
}

// TestADayIsCutAtMidnight replays 24 hours of four sensors of different rates as
// fast as they go, over a midnight. Every frame is in exactly one session, and
// each sensor is cut at its first frame behind midnight.
func TestADayIsCutAtMidnight(t *testing.T) {
	start := time.Date(2026, 11, 21, 15, 7, 11, 123_456_789, time.UTC)
	midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	j := &judge{Bucket: mem.New(), formats: map[string]audio.Format{}}
	b := newBench(t)
	b.clock = clock.System{}
	b.config.Clock, b.config.Log, b.config.Start, b.config.Rotate = b.clock, zap.NewNop(), start, day
	b.config.UntilEnded, b.config.Strict = true, true
	for _, rate := range dayRates {
		f := audio.Format{Rate: rate, Channels: 1, Encoding: audio.S32}
		s := b.sensor(fmt.Sprintf("mic%d", rate), f, time.Duration(1<<20/rate+1)*time.Second, b.ramp(f, tone.Config{Frames: int64(rate) * 86_400}))
		s.Unpaced, s.Timing.Source = true, Given
		j.formats[s.ID] = f
	}
	b.readerAs("judge", j, "{session}/data/{sensor}/{block}.pcm", "pcm", time.Hour, byBytes)
	d, err := b.run(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := d.named.ID, d.Session(); first != audio.SessionAt(start) || last != audio.SessionAt(midnight) || d.Status().Turns != 1 {
		t.Errorf("the sessions are %d and %d, %d turns", first, last, d.Status().Turns)
	}
	for _, st := range d.streams {
		rate := int64(st.Format.Rate)
		var mine []ramped
		for _, c := range j.chunks {
			if c.sensor == st.ID {
				mine = append(mine, c)
			}
		}
		slices.SortFunc(mine, func(a, b ramped) int { return int(a.from - b.from) })
		frames, end, before := int64(0), audio.Pos(0), int64(0)
		for _, c := range mine {
			if c.from != end {
				t.Errorf("%s: a chunk of session %d begins at frame %d, the one before ends at %d", st.ID, c.session, c.from, end)
			}
			end = c.from + audio.Pos(c.frames)
			frames += c.frames
			if c.session == d.named.ID {
				before += c.frames
			}
		}
		if frames != 86_400*rate {
			t.Errorf("%s: %d frames are stored, want %d", st.ID, frames, 86_400*rate)
		}
		// The first frame that is not before midnight: its boundary is at start + n/rate.
		n := new(big.Int).Mul(big.NewInt(int64(midnight.Sub(start))), big.NewInt(rate))
		n.Add(n, big.NewInt(999_999_999)).Div(n, big.NewInt(1e9))
		if off := before - n.Int64(); off != 0 {
			t.Errorf("%s: the first session has %d frames, want %d: it ends %v behind midnight", st.ID, before, n, st.Format.Duration(off))
		}
		if s := st.status(d.c.Clock); s.LostFrames != 0 {
			t.Errorf("%s: %+v", st.ID, s)
		}
	}
}
