package sink_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/mem"
)

// everyLayout is templates of all shapes, with the ending of codec ext.
func everyLayout(ext string) []string {
	all := []string{
		"{session}/{block}", "{session}/data/{block}", "{session}/data/{sensor}/data/{block}", "client/user_data/jo/sessions/{session}/data/{sensor}/data/{block}",
		"{session}/b/{block}", "{session}_{block}", "demo/s_{session}/blocks/{block}", "by/{sensor}/{session}/{block}",
	}
	for i := range all {
		all[i] += ext
	}
	return all
}

// P2: bucket, layout and codec can each be replaced alone: the same recording
// comes back from every combination.
func TestSeed_P2(t *testing.T) {
	sound := ramp(0, 2345, s16)
	for _, bucket := range []string{"mem", "files"} {
		for codec, ext := range map[string]string{"wav": ".wav", "pcm": ".pcm"} {
			for _, template := range append(everyLayout(ext), everyLayout("")...) {
				b := sink.Bucket(mem.New())
				if bucket == "files" {
					b = openFiles(t, files.Config{})
				}
				s := open(t, b, template, codec)
				r, err := s.Record(t.Context(), sink.RecordConfig{Session: 7, Sensor: "mic0", Format: s16, ChunkFrames: 1000})
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(r.Write(t.Context(), sound), r.Close(t.Context(), 0)); err != nil {
					t.Fatal(err)
				}
				var got []byte
				for _, k := range keys(t, s, sink.Filter{}) {
					c, err := s.Get(t.Context(), k)
					if err != nil || c.Format != s16 || k.Block != int64(len(got)) {
						t.Errorf("%s, %s, %s: %v, %v, %v", bucket, template, codec, k, c.Format, err)
					}
					got = append(got, c.Data...)
				}
				if !bytes.Equal(got, sound) {
					t.Errorf("%s, %s, %s: %d bytes of %d came back", bucket, template, codec, len(got), len(sound))
				}
			}
		}
	}
}

// P3: what a name says and what a key is called are one to one, for the least
// and the greatest keys too; what would not be is refused when it is parsed.
func TestSeed_P3(t *testing.T) {
	sensors := []string{"mic0", "0", "a-b", "a_b", "data", strings.Repeat("x", audio.MaxSensor)}
	for _, template := range everyLayout(".wav") {
		l := layout(t, template)
		names := map[string]audio.Key{}
		for _, session := range []audio.Session{0, 1, 9, 10, 1566065080150, math.MaxInt64} {
			for _, block := range []int64{0, 1, 86016, 99_999_999_999_999, 100_000_000_000_000, math.MaxInt64} {
				for _, sensor := range sensors {
					k := key(session, sensor, block)
					if !l.HasSensor() {
						k.Sensor = "mic0"
					}
					name := l.Name(k)
					if back, ok := l.Key(name); !ok || back != k {
						t.Errorf("%s: %v is called %q, which is %v, %v", template, k, name, back, ok)
					}
					if other, taken := names[name]; taken && other != k {
						t.Errorf("%s: %v and %v are both called %q", template, k, other, name)
					}
					names[name] = k
					for _, near := range []string{name + "x", "x" + name, name[1:], name[:len(name)-1], strings.Replace(name, "0", "00", 1)} {
						if back, ok := l.Key(near); ok && l.Name(back) != near {
							t.Errorf("%s: %q is read as %v, which is called %q", template, near, back, l.Name(back))
						}
					}
				}
			}
		}
	}
	for _, bad := range []string{"{session}{block}", "{session}/{sensor}{block}", "{session}0/{block}", "{session}/1{block}", "{session}/{sensor}", "{block}", "{session}/{block}/{block}"} {
		if _, err := sink.ParseLayout(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// P4: a layout is a template of three fields and constants; a field touches no
// other and no digit, and names are matched whole.
func TestSeed_P4(t *testing.T) {
	k := key(1566065080150, "mic0", 86016)
	for template, want := range map[string]string{
		"{session}/{block}":                                "1566065080150/00000000086016",
		"{session}/data/{block}":                           "1566065080150/data/00000000086016",
		sink.DefaultLayout:                                 "1566065080150/data/mic0/data/00000000086016.wav",
		"a/b c/USER/{session}/data/{sensor}/x-{block}.wav": "a/b c/USER/1566065080150/data/mic0/x-00000000086016.wav",
		"{session}/d/{block}.pcm":                          "1566065080150/d/00000000086016.pcm",
	} {
		if got := layout(t, template).Name(k); got != want {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
	l := layout(t, sink.DefaultLayout)
	for _, foreign := range []string{
		"123abc/data/mic0/data/00000000086016.wav", "1/data/mic0/data/000000000086016.wav", "1/data/mic0/data/0000000086016.wav",
		"01/data/mic0/data/00000000086016.wav", "1/data/mic0/data/00000000086016.wav/x", "x/1/data/mic0/data/00000000086016.wav", "1/data/mic0/data/00000000086016Xwav",
	} {
		if k, ok := l.Key(foreign); ok {
			t.Errorf("%q is taken for %v", foreign, k)
		}
	}
	for _, foreign := range []string{"1/00000000086016x", "1/00000000086016/x", "x1/00000000086016", "1/000000000860160", "1/0000000086016", "1"} {
		if k, ok := layout(t, "{session}/{block}").Key(foreign); ok {
			t.Errorf("%q is taken for %v", foreign, k)
		}
	}
	for _, bad := range []string{"{session}/{blok}", "{session}/{block", "", "../{session}/{block}", "/{session}/{block}", "{session}//{block}", "{sessions}/{block}"} {
		if _, err := sink.ParseLayout(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// encoded is the file that codec c makes of frames taken in pieces.
func encoded(t *testing.T, c sink.Codec, f audio.Format, sound []byte, pieces int) []byte {
	t.Helper()
	e, err := c.Encode(sink.Head{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	frame := f.FrameBytes()
	head, err := e.Header(int64(len(sound) / frame))
	if err != nil {
		t.Fatal(err)
	}
	file := bytes.Clone(head)
	step := len(sound) / frame / pieces * frame
	for rest := sound; len(rest) > 0; {
		n := min(step, len(rest))
		piece, err := e.Encode(rest[:n])
		if err != nil {
			t.Fatal(err)
		}
		file, rest = append(file, piece...), rest[n:]
	}
	end, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return append(file, end...)
}

// R5, P15: a codec makes bytes of frames and frames of bytes, and one undoes
// the other for every format: pcm is the sound and nothing else, wav is a
// header that the sound follows.
func TestSeed_R5(t *testing.T) { everyCodec(t) }

func TestSeed_P15(t *testing.T) {
	everyCodec(t)
	for _, ending := range []string{".flac", ".wav", ".pcm", ".raw"} {
		for _, name := range sink.Codecs() {
			c, err := sink.CodecByName(name)
			if err != nil {
				t.Fatal(err)
			}
			agree := ending == "."+name || ending == ".raw" && name == "pcm"
			if err := sink.CheckCodec(layout(t, "{session}/{block}"+ending), c); (err == nil) != agree {
				t.Errorf("%s in names of %s: %v", name, ending, err)
			}
		}
	}
	if _, err := sink.CodecByName("pickle"); err == nil {
		t.Error("an unknown codec was found")
	}
}

func everyCodec(t *testing.T) {
	t.Helper()
	for _, enc := range []audio.Encoding{audio.S16, audio.S24, audio.S32, audio.F32} {
		for _, channels := range []int{1, 2, 5} {
			f := audio.Format{Rate: 44100, Channels: channels, Encoding: enc}
			sound := ramp(0, 1021, f)
			for _, c := range []sink.Codec{sink.WAV{}, sink.PCM{}} {
				file := encoded(t, c, f, sound, 1)
				if pieces := encoded(t, c, f, sound, 7); !bytes.Equal(pieces, file) {
					t.Errorf("%s of %v: it depends on how the frames come", c.Name(), f)
				}
				d, err := c.Decode(bytes.NewReader(file), int64(len(file)), f)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(sound))
				if _, err := io.ReadFull(d, got); err != nil || !bytes.Equal(got, sound) || d.Format() != f || d.Frames() != 1021 {
					t.Errorf("%s of %v: comes back as %v, %d frames, %v", c.Name(), f, d.Format(), d.Frames(), err)
				}
				if n, err := d.Read(make([]byte, f.FrameBytes())); n != 0 || err != io.EOF {
					t.Errorf("%s of %v: behind the end %d, %v", c.Name(), f, n, err)
				}
				head := bytes.Index(file, sound)
				if c.Name() == "pcm" && len(file) != len(sound) || c.Name() == "wav" && (head < 44 || string(file[:4]) != "RIFF") {
					t.Errorf("%s of %v: %d bytes with the sound at %d", c.Name(), f, len(file), head)
				}
			}
		}
	}
}

// R17: a chunk is one file that is complete in itself: alone it tells its
// format, its key, its time and what was lost before it.
func TestSeed_R17(t *testing.T) {
	root := t.TempDir()
	s := open(t, openFiles(t, files.Config{Root: root}), sink.DefaultLayout, "wav")
	start := time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1795287841150, Sensor: "mic0", Format: s16, ChunkFrames: 4800, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 4800, s16)), r.Hole(t.Context(), 4800, audio.XRun), r.Write(t.Context(), ramp(9600, 100, s16)), r.Close(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	alone, err := os.ReadFile(filepath.Join(root, "1795287841150/data/mic0/data/00000000019200.wav"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := wav.Open(bytes.NewReader(alone), int64(len(alone)))
	if err != nil {
		t.Fatal(err)
	}
	tags := w.Tags()
	k, ok := tags.Key()
	if begin, _ := w.Start(); !ok || k != key(1795287841150, "mic0", 19200) || w.Format() != s16 || w.Frames() != 100 || tags.From != 9600 ||
		tags.Lost != 4800 || !begin.Equal(start.Add(200*time.Millisecond)) || !w.Exact() {
		t.Errorf("it says %v, %v, %d frames from %d, %d lost, %v, whole: %v", k, w.Format(), w.Frames(), tags.From, tags.Lost, begin, w.Exact())
	}
}

// D9: sensors of one session lie apart, each with its own info.json beside its
// own data.
func TestSeed_D9(t *testing.T) {
	b := mem.New()
	s := open(t, b, sink.DefaultLayout, "wav")
	formats := map[string]audio.Format{"mic0": s16, "mic1": {Rate: 96000, Channels: 2, Encoding: audio.S24}}
	for id, f := range formats {
		r, err := s.Record(t.Context(), sink.RecordConfig{Session: 5, Sensor: id, Format: f, ChunkFrames: 100})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Write(t.Context(), ramp(0, 250, f)), r.Close(t.Context(), 0)); err != nil {
			t.Fatal(err)
		}
	}
	for id, f := range formats {
		for info, err := range b.List(t.Context(), "5/data/"+id+"/", "") {
			if err != nil {
				t.Fatal(err)
			}
			if k, chunk := s.Layout.Key(info.Name); chunk && (k.Sensor != id || path.Dir(info.Name) != "5/data/"+id+"/data") {
				t.Errorf("%s is %v", info.Name, k)
			}
		}
		var told struct {
			Rate, Channels int
			Encoding       audio.Encoding
		}
		if err := json.Unmarshal(fileBody(t, b, "5/data/"+id+"/info.json"), &told); err != nil || told.Rate != f.Rate || told.Channels != f.Channels || told.Encoding != f.Encoding {
			t.Errorf("info.json of %s says %+v, %v", id, told, err)
		}
		if n := len(keys(t, s, sink.Filter{Sensor: id})); n != 3 {
			t.Errorf("%s has %d chunks", id, n)
		}
	}
}

func fileBody(t *testing.T, b sink.Bucket, name string) []byte {
	t.Helper()
	r, err := b.Get(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// R16: a root has one writer: of many that want it at once one gets it, the
// others are told who has it, and when it is given up it can be had.
func TestSeed_R16(t *testing.T) {
	root := filepath.Join(t.TempDir(), "new", "root")
	for round := range 10 {
		var mu sync.Mutex
		var mine []*files.Bucket
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				b, err := files.Open(t.Context(), files.Config{Root: root})
				var locked *files.LockedError
				if err != nil && !errors.As(err, &locked) {
					t.Errorf("round %d: %v", round, err)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					mine = append(mine, b)
				}
			})
		}
		wait.Wait()
		if len(mine) != 1 {
			t.Errorf("round %d: %d writers of one root", round, len(mine))
		}
		for _, b := range mine {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Concurrency: many sensors of one store are recorded, listed and read at once,
// and none gets what is another's.
func TestSeed_Concurrency(t *testing.T) {
	for name, b := range map[string]sink.Bucket{"mem": mem.New(), "files": openFiles(t, files.Config{})} {
		s := open(t, b, sink.DefaultLayout, "wav")
		var wait sync.WaitGroup
		for i := range 16 {
			id, base := string(rune('a'+i)), int64(i)*1_000_000
			wait.Go(func() {
				r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: id, Format: s16, ChunkFrames: 50})
				if err != nil {
					t.Error(err)
					return
				}
				for at := int64(0); at < 1000; at += 20 {
					err = errors.Join(err, r.Write(t.Context(), ramp(base+at, 20, s16)))
				}
				if err := errors.Join(err, r.Close(t.Context(), 0)); err != nil {
					t.Error(err)
				}
				var sound []byte
				for k, err := range s.Keys(t.Context(), sink.Filter{Sensor: id}) {
					c, err2 := s.Get(t.Context(), k)
					if err := errors.Join(err, err2); err != nil {
						t.Error(err)
					}
					sound = append(sound, c.Data...)
				}
				if !bytes.Equal(sound, ramp(base, 1000, s16)) {
					t.Errorf("%s: %s has %d bytes, or another's", name, id, len(sound))
				}
			})
		}
		wait.Wait()
	}
}
