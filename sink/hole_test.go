package sink_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// TestWhatPilesUpInAnOutageIsStored: while a disk is full, what the ring
// overwrote alternates with what the microphone lost.
func TestWhatPilesUpInAnOutageIsStored(t *testing.T) {
	b := mem.New()
	r := record(t, b)
	pos := int64(0)
	for range 1000 {
		if err := errors.Join(r.Hole(t.Context(), 90, audio.Disk), r.Hole(t.Context(), 10, audio.XRun)); err != nil {
			t.Fatal(err)
		}
		pos += 100
	}
	if err := errors.Join(r.Write(t.Context(), ramp(pos, 50, s16)), r.Close(t.Context(), 0)); err != nil {
		t.Fatalf("behind an outage nothing is stored: %v", err)
	}
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	blocks, _ := logged(t, s, 1, "mic0")
	if got := fmt.Sprint(blocks[0].Holes); got != "[{0 90000 disk} {90 10000 xrun}]" {
		t.Errorf("the holes are told as %s", got)
	}
}

// drawn is holes that follow each other, as a rapid test gives them.
func drawn(t *rapid.T, what string) (spans []sink.Hole) {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sink.Hole {
		return sink.Hole{Frames: rapid.Int64Range(0, 500).Draw(t, "frames"), Cause: rapid.SampledFrom(audio.Causes()).Draw(t, "cause")}
	}), 0, 60).Draw(t, what)
}

// exact is the spans of holes that begin at pos, those of one cause that touch
// as one.
func exact(pos int64, holes []sink.Hole) (spans []sink.Hole) {
	for _, h := range holes {
		if n := len(spans); h.Frames > 0 && n > 0 && spans[n-1].Cause == h.Cause {
			spans[n-1].Frames += h.Frames
		} else if h.Frames > 0 {
			spans = append(spans, sink.Hole{From: pos, Frames: h.Frames, Cause: h.Cause})
		}
		pos += h.Frames
	}
	return spans
}

// checkHoles compares what is told before a chunk with the spans there are.
func checkHoles(t *rapid.T, told, spans []sink.Hole) {
	if len(spans) <= 16 {
		if !slices.Equal(told, spans) {
			t.Fatalf("holes %v are told as %v", spans, told)
		}
		return
	}
	missing, from := map[audio.Cause]int64{}, map[audio.Cause]int64{}
	for _, h := range slices.Backward(spans) {
		missing[h.Cause] += h.Frames
		from[h.Cause] = h.From
	}
	if len(told) != len(missing) || !slices.IsSortedFunc(told, func(a, b sink.Hole) int { return int(a.From - b.From) }) {
		t.Fatalf("%d holes of %d causes are told as %v", len(spans), len(missing), told)
	}
	for _, h := range told {
		if missing[h.Cause] != h.Frames || from[h.Cause] != h.From {
			t.Fatalf("of %v there is told %+v, want %d frames from %d on", h.Cause, h, missing[h.Cause], from[h.Cause])
		}
	}
}

// TestHolesAddUpToWhatIsMissing: however many there are and of whatever cause,
// those before a chunk are told exactly, or joined if they are many, and their
// sum is what is missing, in the line and in the chunk itself.
func TestHolesAddUpToWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := openIn(t, mem.New(), sink.DefaultLayout, "wav")
		r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 1000})
		if err != nil {
			t.Fatal(err)
		}
		give := func(pos int64, holes []sink.Hole) (end int64) {
			for _, h := range holes {
				if err := r.Hole(t.Context(), h.Frames, h.Cause); err != nil {
					t.Fatal(err)
				}
				pos += h.Frames
			}
			return pos
		}
		before, behind := drawn(t, "before"), drawn(t, "behind")
		from := give(0, before)
		if err := r.Write(t.Context(), ramp(from, 1, s16)); err != nil {
			t.Fatal(err)
		}
		end := give(from+1, behind)
		if err := r.Close(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(slurp(t, s, "1/data/mic0/"+sink.BlocksName), []byte("\n"))
		var b sink.Block
		var e sink.End
		if err := errors.Join(line.Decode(lines[0], &b), line.Decode(lines[1], &e)); err != nil || b.From != from || e.End != end {
			t.Fatalf("%+v, %+v, %v: want a chunk from %d and the end at %d", b, e, err, from, end)
		}
		checkHoles(t, b.Holes, exact(0, before))
		checkHoles(t, e.Holes, exact(from+1, behind))
		file := slurp(t, s, s.Layout.Name(audio.Key{Session: 1, Sensor: "mic0", Block: b.Block}))
		w, err := wav.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		tags := w.Tags()
		if tags.Lost != from || len(tags.Causes) != len(b.Holes) {
			t.Fatalf("the chunk tells of %d lost frames, %v, want %d", tags.Lost, tags.Causes, from)
		}
		for i, h := range b.Holes {
			if tags.Causes[i] != (wav.Loss{Frames: h.Frames, Cause: h.Cause}) {
				t.Fatalf("the chunk tells of %v, the line of %v", tags.Causes, b.Holes)
			}
		}
	})
}

// TestNoTextIsTooLongForAHeader: what users say of a sensor is cut, whatever
// else its chunks have to tell.
func TestNoTextIsTooLongForAHeader(t *testing.T) {
	long := strings.Repeat("日", 10_000)
	tiny := [2]float64{-5e-324, -1.7976931348623157e-308}
	for _, f := range []audio.Format{s16, {Rate: audio.MaxRate, Channels: 64, Encoding: audio.F32}} {
		s := open(t, mem.New(), sink.DefaultLayout, "wav")
		sensor := strings.Repeat("s", audio.MaxSensor)
		c := sink.RecordConfig{Session: math.MaxInt64, Sensor: sensor, Format: f, ChunkFrames: 10,
			Block: func(frame int64) (int64, error) { return math.MaxInt64 - 1000 + frame/(1<<50), nil },
			Time: func(int64) (time.Time, time.Duration) {
				return time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), math.MaxInt64
			},
			Tags: wav.Tags{Station: long, Make: long + "\n", Model: "\xff" + long, Serial: strings.Repeat("\xff", 300), Note: long, Location: &tiny, Continues: math.MaxInt64},
		}
		r, err := s.Record(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(16) { // as many as are told exactly
			cause := []audio.Cause{audio.Overrun, audio.Corrupt}[i%2]
			if err := r.Hole(t.Context(), 1<<56, cause); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(r.Write(t.Context(), ramp(0, 5, f)), r.Close(t.Context(), 0)); err != nil {
			t.Fatalf("%v: %v", f, err)
		}
		for _, k := range keys(t, s, sink.Filter{}) {
			body := fileBody(t, s.Bucket, s.Layout.Name(k))
			w, err := wav.Open(bytes.NewReader(body), int64(len(body)))
			if err != nil {
				t.Fatal(err)
			}
			if got := w.Tags().Station; got != strings.Repeat("日", 85) { // 255 bytes: no character is cut
				t.Errorf("the station is told as %d bytes: %.20q…", len(got), got)
			}
		}
	}
}

// TestWhatNoHeaderCanTellIsRefusedAtOnce, and not with the first chunk.
func TestWhatNoHeaderCanTellIsRefusedAtOnce(t *testing.T) {
	for name, tags := range map[string]wav.Tags{
		"location": {Location: &[2]float64{91, 0}},
		"field":    {Unknown: []wav.Field{{Name: "a: b"}}},
		"long":     {Unknown: []wav.Field{{Name: "a", Value: strings.Repeat("x", wav.MaxHeader-1000)}}},
	} {
		s := open(t, mem.New(), sink.DefaultLayout, "wav")
		c := sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 10, Tags: tags}
		if _, err := s.Record(t.Context(), c); err == nil || errors.Is(err, sink.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
		if got := blocksOf(t, s.Bucket); len(got) > 0 {
			t.Errorf("%s: chunks %v", name, got)
		}
		c.Tags = wav.Tags{}
		if _, err := s.Record(t.Context(), c); err != nil { // and nothing was taken by it
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAClockThatIsFarOffStopsNothing: a year of five digits cannot be told.
func TestAClockThatIsFarOffStopsNothing(t *testing.T) {
	s := open(t, mem.New(), sink.DefaultLayout, "wav")
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 48000,
		Start: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 96000, s16)), r.Close(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	blocks, _ := logged(t, s, 1, "mic0")
	if len(blocks) != 2 || blocks[0].UTC != "9999-12-31T23:59:59.000000000Z" || blocks[1].UTC != "" {
		t.Errorf("the lines are %+v", blocks)
	}
}
