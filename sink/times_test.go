package sink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

const timesName = "1/data/mic0/" + sink.ClockName

// ticks gives lines for each ten frames, once, and one for the end.
type ticks struct{ told int64 }

func (k *ticks) lines(frame int64, over bool, next audio.Session) ([]byte, error) {
	var all []byte
	for ; k.told <= frame; k.told += 10 {
		all = fmt.Appendf(all, "%d\n", k.told)
	}
	if over {
		all = fmt.Appendf(all, "end %d %d\n", frame, next)
	}
	return all, nil
}

// A strict bucket sees that no chunk gets its name before its times are there,
// and fails at its nth operation, once.
type strict struct {
	sink.Bucket
	sink.Creator
	t     *testing.T
	n     int // operations to go
	torn  bool
	names int
}

var errNth = errors.New("this one was to fail")

func (b *strict) failing() bool {
	b.n--
	return b.n == 0
}

func (b *strict) Create(ctx context.Context, name string) (sink.Draft, error) {
	if b.failing() {
		return nil, errNth
	}
	d, err := b.Creator.Create(ctx, name)
	return &strictDraft{Draft: d, b: b, name: name}, err
}

func (b *strict) Append(ctx context.Context, name string, lines []byte) error {
	if b.failing() {
		if b.torn { // some of it is there
			most := lines[:len(lines)*2/3]
			if at := bytes.LastIndexByte(most, '\n') + 1; at > 1 {
				if err := b.Creator.Append(ctx, name, most[:at]); err != nil {
					b.t.Fatal(err)
				}
			}
		}
		return errNth
	}
	return b.Creator.Append(ctx, name, lines)
}

type strictDraft struct {
	sink.Draft
	b    *strict
	name string
	size int64
}

func (d *strictDraft) Write(p []byte) (int, error) {
	if d.b.failing() {
		return 0, errNth
	}
	d.size += int64(len(p))
	return d.Draft.Write(p)
}

func (d *strictDraft) Commit() error {
	if d.b.failing() {
		return errNth
	}
	block, err := strconv.ParseInt(strings.TrimSuffix(d.name[strings.LastIndexByte(d.name, '/')+1:], ".pcm"), 10, 64)
	if err != nil {
		d.b.t.Fatal(err)
	}
	end := (block + d.size) / 2
	if told := d.b.told(); len(told) == 0 || told[len(told)-1] < end-end%10 {
		d.b.t.Errorf("%s gets its name, and its times end with %v", d.name, told)
	}
	d.b.names++
	return d.Draft.Commit()
}

// told is what clock.jsonl tells of, each frame once; the end is -1 and the
// session that follows. A line that came before is left out, as who reads does.
func (b *strict) told() (all []int64) {
	r, err := b.Get(b.t.Context(), timesName, 0, -1)
	if errors.Is(err, sink.ErrNotFound) {
		return nil
	}
	if err != nil {
		b.t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		b.t.Fatal(err)
	}
	for row := range strings.Lines(string(body)) {
		var frame, next int64
		if n, _ := fmt.Sscanf(row, "end %d %d\n", &frame, &next); n == 2 {
			all = append(all, -1, next)
			continue
		}
		if _, err := fmt.Sscanf(row, "%d\n", &frame); err != nil {
			b.t.Fatalf("%q: %v", row, err)
		}
		if n := len(all); n > 0 && frame <= all[n-1] {
			continue
		}
		all = append(all, frame)
	}
	return all
}

// keepOn gives the recorder the frames up to end, with a hole in them, and closes
// it, however often it fails.
func keepOn(t *testing.T, r *sink.Recorder, end int64, next audio.Session) {
	t.Helper()
	at := int64(0)
	for tries := 0; tries < 20; tries++ {
		var err error
		for at < end && err == nil {
			n := min(37, end-at)
			if at >= 300 && at < 330 {
				n = 330 - at
				err = r.Hole(t.Context(), n, audio.Device)
			} else {
				if at < 300 {
					n = min(n, 300-at)
				}
				err = r.Write(t.Context(), ramp(at, n, s16))
			}
			if err == nil {
				at += n
			}
		}
		if err == nil {
			err = r.Close(t.Context(), next)
		}
		if err == nil {
			return
		}
		if !errors.Is(err, errNth) {
			t.Fatal(err)
		}
		at = r.Restart(t.Context())
	}
	t.Fatal("it never came to an end")
}

// TestTimesComeBeforeNames fails at each operation in turn: whatever does not
// work at first, the times of a chunk are there before it has its name, and in the
// end all are there, in their order.
func TestTimesComeBeforeNames(t *testing.T) {
	for _, torn := range []bool{false, true} {
		for n := 1; ; n++ {
			m := mem.New()
			b := &strict{Bucket: m, Creator: m, t: t, n: -1, torn: torn}
			s := open(t, b, "{session}/data/{sensor}/data/{block}.pcm", "pcm")
			k := &ticks{}
			r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100, Clock: k.lines})
			if err != nil {
				t.Fatal(err)
			}
			b.n = n
			keepOn(t, r, 555, 7)
			told := b.told()
			var want []int64
			for at := int64(0); at <= 555; at += 10 {
				want = append(want, at)
			}
			want = append(want, -1, 7)
			if fmt.Sprint(told) != fmt.Sprint(want) {
				t.Fatalf("failed at operation %d, torn %v: clock.jsonl tells of %v", n, torn, told)
			}
			blocks, end := logged(t, s, 1, "mic0")
			if len(blocks) < 6 || b.names < 6 || end == nil || end.Next != 7 || end.End != 555 {
				t.Fatalf("failed at operation %d: %d blocks, the end is %+v", n, len(blocks), end)
			}
			if b.n > 0 { // there is no nth operation
				if n < 20 {
					t.Errorf("there were %d operations", n)
				}
				break
			}
		}
	}
}

// TestTimesAreSyncedWithTheSound: with passes, what is durable has its times.
func TestTimesAreSyncedWithTheSound(t *testing.T) {
	b := newBatched()
	k := &ticks{}
	s := open(t, b, sink.DefaultLayout, "wav")
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100, Clock: k.lines})
	if err != nil {
		t.Fatal(err)
	}
	b.during = func() {
		if _, err := b.Stat(t.Context(), timesName); err != nil {
			t.Errorf("the sound is synced before its times: %v", err)
		}
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 100, s16)), sink.Pass(t.Context(), r)); err != nil || r.Durable() != 100 || b.during != nil {
		t.Fatalf("durable %d, %v", r.Durable(), err)
	}
	if err := r.Close(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
}

// A session without sound has its times too, and one that was given none has no
// file for them.
func TestASessionOfAHoleHasItsTimes(t *testing.T) {
	for _, timed := range []bool{true, false} {
		m := mem.New()
		c := sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100}
		if timed {
			c.Clock = new(ticks).lines
		}
		r, err := open(t, m, sink.DefaultLayout, "wav").Record(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Hole(t.Context(), 50, audio.Device), r.Close(t.Context(), 9)); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Stat(t.Context(), timesName); timed != (err == nil) {
			t.Errorf("times: %v, clock.jsonl: %v", timed, err)
		}
	}
}
