package sink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/mem"
)

var s16 = audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}

func layout(t testing.TB, template string) sink.Layout {
	t.Helper()
	l, err := sink.ParseLayout(template)
	if err == nil && !l.HasSensor() {
		l, err = l.WithSensor("mic0")
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t testing.TB, b sink.Bucket, template, codec string) *sink.Store {
	t.Helper()
	c, err := sink.CodecByName(codec)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sink.OpenStore(t.Context(), b, layout(t, template), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openFiles(t testing.TB, c files.Config) *files.Bucket {
	t.Helper()
	if c.Root == "" {
		c.Root = t.TempDir()
	}
	b, err := files.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// ramp is sound whose every frame tells where it belongs.
func ramp(from, frames int64, f audio.Format) []byte {
	p := make([]byte, frames*int64(f.FrameBytes()))
	for i := range p {
		at := from*int64(f.FrameBytes()) + int64(i)
		p[i] = byte(at ^ at>>8*31 ^ at>>16*17)
	}
	return p
}

// logged reads a blocks.jsonl.
func logged(t testing.TB, s *sink.Store, session audio.Session, sensor string) (blocks []sink.Block, end *sink.End) {
	t.Helper()
	r, err := s.Bucket.Get(t.Context(), s.Layout.Meta(session, sensor)+"/"+sink.BlocksName, 0, -1)
	if errors.Is(err, sink.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for row := range bytes.Lines(body) {
		if bytes.Contains(row, []byte(`"end"`)) {
			end = new(sink.End)
			if err := line.Decode(row, end); err != nil {
				t.Fatalf("%s: %v", row, err)
			}
			continue
		}
		var b sink.Block
		if err := line.Decode(row, &b); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		blocks = append(blocks, b)
	}
	return blocks, end
}

func TestRecorderStoresWhatItWasGiven(t *testing.T) {
	b := openFiles(t, files.Config{Sync: true})
	s := open(t, b, sink.DefaultLayout, "wav")
	start := time.Date(2026, 11, 21, 14, 0, 0, 150e6, time.UTC)
	r, err := s.Record(t.Context(), sink.RecordConfig{
		Session: 1795287841150, Sensor: "mic0", Format: s16, ChunkFrames: 1000, Start: start,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []error{
		r.Write(t.Context(), ramp(0, 2500, s16)),
		r.Hole(t.Context(), 300, audio.XRun), r.Hole(t.Context(), 200, audio.XRun), r.Hole(t.Context(), 100, audio.Device),
		r.Write(t.Context(), ramp(3100, 1234, s16)),
		r.Hole(t.Context(), 7, audio.Muted),
		r.Close(t.Context(), 0),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	blocks, end := logged(t, s, 1795287841150, "mic0")
	type row struct{ from, frames int64 }
	want := []row{{0, 1000}, {1000, 1000}, {2000, 500}, {3100, 900}, {4000, 334}}
	if len(blocks) != len(want) {
		t.Fatalf("got %d blocks, want %d", len(blocks), len(want))
	}
	for i, w := range want {
		g := blocks[i]
		if g.From != w.from || g.Frames != w.frames || g.Block != w.from*2 {
			t.Errorf("block %d is %+v, want %v", i, g, w)
		}
		c, err := s.Get(t.Context(), audio.Key{Session: 1795287841150, Sensor: "mic0", Block: g.Block})
		if err != nil || !bytes.Equal(c.Data, ramp(g.From, g.Frames, s16)) || c.Format != s16 {
			t.Errorf("block %d: %v, %d bytes", i, err, len(c.Data))
		}
	}
	if got := fmt.Sprint(blocks[3].Holes); got != "[{2500 500 xrun} {3000 100 device}]" {
		t.Errorf("holes before the fourth: %s", got)
	}
	if blocks[3].UTC != "2026-11-21T14:00:00.214583333Z" {
		t.Errorf("its time is %s", blocks[3].UTC)
	}
	if end == nil || end.End != 4341 || !end.Clean || fmt.Sprint(end.Holes) != "[{4334 7 muted}]" {
		t.Errorf("the session ends with %+v", end)
	}
	if r.Written() != 4341 || r.Durable() != 4341 || r.Chunks() != 5 {
		t.Errorf("written %d, durable %d, chunks %d", r.Written(), r.Durable(), r.Chunks())
	}
	if err := r.Write(t.Context(), ramp(0, 1, s16)); !errors.Is(err, sink.ErrOver) {
		t.Errorf("written behind the end: %v", err)
	}
	info, err := b.Get(t.Context(), "1795287841150/data/mic0/info.json", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	var told map[string]any
	if err := json.NewDecoder(info).Decode(&told); err != nil || told["encoding"] != "s16" {
		t.Errorf("info.json says %v, %v", told, err)
	}
}

func TestSessionIsNeverContinued(t *testing.T) {
	s := open(t, mem.New(), sink.DefaultLayout, "wav")
	c := sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 10}
	if _, err := s.Record(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Record(t.Context(), c); !errors.Is(err, sink.ErrExists) {
		t.Errorf("recorded a second time: %v", err)
	}
}

func TestOtherLayoutIsRefused(t *testing.T) {
	b := openFiles(t, files.Config{})
	open(t, b, sink.DefaultLayout, "wav")
	_, err := sink.OpenStore(t.Context(), b, layout(t, "{session}/{sensor}/{block}"), sink.WAV{})
	var m *sink.MismatchError
	if !errors.As(err, &m) || m.What != "layout" || !strings.HasPrefix(err.Error(), "layout differs from the one in "+b.String()+"/store.json. Old chunks would not be found. Use a new root") {
		t.Errorf("got %v", err)
	}
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil || s.Layout.String() != sink.DefaultLayout || s.Codec.Name() != "wav" {
		t.Errorf("opened as %v, %v", s, err)
	}
}
