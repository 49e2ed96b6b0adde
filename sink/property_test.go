package sink_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// stream is what a rapid test gives to a Recorder: pieces of sound and holes.
type piece struct {
	frames int64
	cause  audio.Cause // 0: sound
}

// TestStoreHoldsWhatTheStreamHeld: whatever the length of the chunks, the
// layout, the codec, the pieces and the holes, the chunks joined in block order
// are the sound, and blocks.jsonl tells all of it.
func TestStoreHoldsWhatTheStreamHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := audio.Format{
			Rate:     rapid.SampledFrom([]int{8000, 44100, 192000}).Draw(t, "rate"),
			Channels: rapid.IntRange(1, 5).Draw(t, "channels"),
			Encoding: rapid.SampledFrom([]audio.Encoding{audio.S16, audio.S24, audio.S32, audio.F32}).Draw(t, "encoding"),
		}
		codec := rapid.SampledFrom(sink.Codecs()).Draw(t, "codec")
		templates := []string{"{session}/{block}", "{session}/{sensor}-{block}", "rec_{session}_{block}"}
		if codec == "wav" {
			templates = append(templates, sink.DefaultLayout, "{session}/data/{block}.wav", "{session}_{block}.wav")
		}
		var bucket sink.Bucket = mem.New()
		if rapid.Bool().Draw(t, "batched") {
			bucket = newBatched()
		}
		s := openIn(t, bucket, rapid.SampledFrom(templates).Draw(t, "layout"), codec)
		n := rapid.SampledFrom([]int64{1, 7, 21 * 4096 / int64(format.FrameBytes()), 1 << 20}).Draw(t, "chunk")
		most := min(40*n, 3000)
		if n == 1<<20 {
			most = 100_000 // pieces large enough to be summed beside
		}
		pieces := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) piece {
			p := piece{frames: rapid.Int64Range(0, most).Draw(t, "frames")}
			if rapid.IntRange(0, 3).Draw(t, "hole") == 0 {
				p.cause = rapid.SampledFrom(audio.Causes()).Draw(t, "cause")
			}
			return p
		}), 0, 8).Draw(t, "pieces")
		ms := rapid.Bool().Draw(t, "ms")
		c := sink.RecordConfig{Session: 1795287841150, Sensor: "mic0", Format: format, ChunkFrames: n}
		if rapid.Bool().Draw(t, "beside") {
			c.Beside = func(task func()) { go task() }
		}
		if ms {
			c.Block = func(frame int64) (int64, error) { return frame * 1000 / int64(format.Rate), nil }
		}
		checkStored(t, s, c, pieces)
	})
}

func openIn(t *rapid.T, b sink.Bucket, template, codec string) *sink.Store {
	l, err := sink.ParseLayout(template)
	if err == nil && !l.HasSensor() {
		l, err = l.WithSensor("mic0")
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := sink.CodecByName(codec)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sink.OpenStore(t.Context(), b, l, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkStored(t *rapid.T, s *sink.Store, c sink.RecordConfig, pieces []piece) {
	r, err := s.Record(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var sound []byte
	var pos, lost int64
	for _, p := range pieces {
		if p.cause != 0 {
			err = r.Hole(t.Context(), p.frames, p.cause)
			lost += p.frames
		} else {
			body := ramp(pos, p.frames, c.Format)
			sound = append(sound, body...)
			err = r.Write(t.Context(), body)
		}
		if pos += p.frames; err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "sync") {
			if err := r.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r.Durable() != pos {
				t.Fatalf("durable is %d behind a sync at %d", r.Durable(), pos)
			}
		}
		if r.Written() != pos {
			t.Fatalf("written is %d at %d", r.Written(), pos)
		}
	}
	if err := r.Close(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	got, missing := readBack(t, s, c, pos)
	if !bytes.Equal(got, sound) {
		t.Fatalf("%d bytes of sound are stored, want %d", len(got), len(sound))
	}
	if missing != lost {
		t.Fatalf("the lines tell of %d lost frames, want %d", missing, lost)
	}
}

// readBack joins the chunks in the order of their names and checks each
// against its line.
func readBack(t *rapid.T, s *sink.Store, c sink.RecordConfig, end int64) (sound []byte, lost int64) {
	body := slurp(t, s, s.Layout.Meta(c.Session, c.Sensor)+"/"+sink.BlocksName)
	lines := bytes.SplitAfter(body, []byte("\n"))
	lines = lines[:len(lines)-1]
	pos, last := int64(0), int64(-1)
	for k, err := range s.Keys(t.Context(), sink.Filter{Session: c.Session, Sensor: c.Sensor, Ignored: func(name string) { t.Errorf("ignored %s", name) }}) {
		if err != nil {
			t.Fatal(err)
		}
		var b sink.Block
		if err := line.Decode(lines[0], &b); err != nil {
			t.Fatal(err)
		}
		lines = lines[1:]
		for _, h := range b.Holes {
			if h.From != pos || h.Frames < 1 {
				t.Fatalf("hole %+v at %d", h, pos)
			}
			pos, lost = pos+h.Frames, lost+h.Frames
		}
		chunk, err := s.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		file := slurp(t, s, s.Layout.Name(k))
		want := fmt.Sprintf("%d %d %d %d %08x %x", k.Block, pos, len(chunk.Data)/c.Format.FrameBytes(), len(file),
			crc32.Checksum(chunk.Data, crc32.MakeTable(crc32.Castagnoli)), sha256.Sum256(file))
		if got := fmt.Sprintf("%d %d %d %d %s %s", b.Block, b.From, b.Frames, b.Bytes, b.PCM, b.SHA256); got != want {
			t.Fatalf("the line says %s\nthe chunk is   %s", got, want)
		}
		if b.Block <= last || pos/c.ChunkFrames != (pos+b.Frames-1)/c.ChunkFrames || chunk.Format != c.Format {
			t.Fatalf("block %d behind %d, frames [%d, %d) on a grid of %d", b.Block, last, pos, pos+b.Frames, c.ChunkFrames)
		}
		if c.Block == nil && b.Block != pos*int64(c.Format.FrameBytes()) {
			t.Fatalf("block %d of frame %d", b.Block, pos)
		}
		pos, last, sound = pos+b.Frames, b.Block, append(sound, chunk.Data...)
	}
	var e sink.End
	if len(lines) != 1 || line.Decode(lines[0], &e) != nil || e.End != end || !e.Clean {
		t.Fatalf("%d lines are left, the last says %+v, want the end at %d", len(lines), e, end)
	}
	for _, h := range e.Holes {
		pos, lost = pos+h.Frames, lost+h.Frames
	}
	if pos != end {
		t.Fatalf("chunks and holes add up to %d, want %d", pos, end)
	}
	return sound, lost
}

func slurp(t *rapid.T, s *sink.Store, name string) []byte {
	r, err := s.Bucket.Get(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
