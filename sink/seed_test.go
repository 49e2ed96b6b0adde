package sink_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/mem"
)

// The tests called TestSeed are capabilities of the systems that this one grew
// from, and the faults there that must not come back.

func key(session audio.Session, sensor string, block int64) audio.Key {
	return audio.Key{Session: session, Sensor: sensor, Block: block}
}

func fill(t *testing.T, s *sink.Store, keys ...audio.Key) {
	t.Helper()
	for _, k := range keys {
		if err := s.Put(t.Context(), k, sink.Chunk{Format: s16, Data: ramp(k.Block, 4, s16)}); err != nil {
			t.Fatal(err)
		}
	}
}

func keys(t *testing.T, s *sink.Store, f sink.Filter) []audio.Key {
	t.Helper()
	var all []audio.Key
	for k, err := range s.Keys(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	return all
}

// P1: a store is a mapping.
func TestSeed_P1(t *testing.T) {
	s := open(t, mem.New(), sink.DefaultLayout, "wav")
	k := key(1, "mic0", 0)
	if has, err := s.Has(t.Context(), k); has || err != nil {
		t.Error(has, err)
	}
	if _, err := s.Get(t.Context(), k); !errors.Is(err, sink.ErrNotFound) {
		t.Error(err)
	}
	fill(t, s, k)
	if has, err := s.Has(t.Context(), k); !has || err != nil {
		t.Error(has, err)
	}
	if c, err := s.Get(t.Context(), k); err != nil || c.Format != s16 || !bytes.Equal(c.Data, ramp(0, 4, s16)) {
		t.Error(c, err)
	}
	if got := keys(t, s, sink.Filter{}); !slices.Equal(got, []audio.Key{k}) {
		t.Error(got)
	}
	if err := s.Delete(t.Context(), k); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), k); !errors.Is(err, sink.ErrNotFound) {
		t.Error(err)
	}
}

// P5: the names of a session or of a sensor share a prefix, and session 1 is
// not session 10.
func TestSeed_P5(t *testing.T) {
	for _, template := range []string{sink.DefaultLayout, "by/{sensor}/{session}/{block}", "{session}_{sensor}_{block}.wav"} {
		s := open(t, mem.New(), template, "wav")
		all := []audio.Key{key(1, "a", 0), key(1, "a-b", 5), key(10, "a", 0), key(10, "a", 7), key(101, "a", 0)}
		fill(t, s, all...)
		for _, c := range []struct {
			f    sink.Filter
			want int
		}{{sink.Filter{}, 5}, {sink.Filter{Session: 1}, 2}, {sink.Filter{Session: 10}, 2}, {sink.Filter{Sensor: "a"}, 4}, {sink.Filter{Session: 1, Sensor: "a"}, 1}, {sink.Filter{Session: 2}, 0}} {
			if got := keys(t, s, c.f); len(got) != c.want {
				t.Errorf("%s: %+v chooses %v", template, c.f, got)
			}
		}
	}
}

// P6: what is no chunk is skipped and counted, never fatal.
func TestSeed_P6(t *testing.T) {
	s := open(t, mem.New(), sink.DefaultLayout, "wav")
	fill(t, s, key(1, "mic0", 0), key(1, "mic0", 8))
	strange := []string{".DS_Store", "1/data/MIC/data/00000000000000.wav", "1/data/mic0/data/.DS_Store", "1/data/mic0/data/8.wav", "1/info/notes.txt", "x/data/mic0/data/00000000000000.wav"}
	for _, name := range append(strange, "1/data/mic0/info.json", "1/data/mic0/blocks.jsonl") {
		if _, err := s.Bucket.Put(t.Context(), name, nil, sink.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	var ignored []string
	got := keys(t, s, sink.Filter{Ignored: func(name string) { ignored = append(ignored, name) }})
	if len(got) != 2 || !slices.Equal(ignored, strange) {
		t.Errorf("keys %v, ignored %q", got, ignored)
	}
}

// P7: blocks ascend, whatever the order of the folder.
func TestSeed_P7(t *testing.T) {
	s := open(t, openFiles(t, files.Config{}), "{session}/{block}", "pcm")
	for _, block := range []int64{258048, 0, 86016, 9, 10, 1_000_000_000_000} {
		fill(t, s, key(1566065080150, "mic0", block))
	}
	var blocks []int64
	for _, k := range keys(t, s, sink.Filter{}) {
		blocks = append(blocks, k.Block)
	}
	if !slices.Equal(blocks, []int64{0, 9, 10, 86016, 258048, 1_000_000_000_000}) {
		t.Errorf("blocks come as %v", blocks)
	}
}

// P8: no key that is out of range has a name, and nothing leaves the root.
func TestSeed_P8(t *testing.T) {
	root := t.TempDir()
	s := open(t, openFiles(t, files.Config{Root: filepath.Join(root, "in")}), sink.DefaultLayout, "wav")
	for _, k := range []audio.Key{
		key(1, "../../x", 0), key(1, "..", 0), key(1, "", 0), key(1, "A", 0), key(1, "a/b", 0), key(1, "a\x00", 0), key(1, "_view", 0),
		key(-1, "mic0", 0), key(1, "mic0", -1), key(1, "mic0\n", 0),
	} {
		if name := s.Layout.Name(k); name != "" {
			t.Errorf("%v is called %q", k, name)
		}
		err := s.Put(t.Context(), k, sink.Chunk{Format: s16})
		_, err2 := s.Get(t.Context(), k)
		_, err3 := s.Has(t.Context(), k)
		_, err4 := s.Record(t.Context(), sink.RecordConfig{Session: k.Session, Sensor: k.Sensor, Format: s16, ChunkFrames: 1})
		if err == nil || err2 == nil || err3 == nil || s.Delete(t.Context(), k) == nil || err4 == nil && k.Block >= 0 {
			t.Errorf("%v was taken: %v, %v, %v", k, err, err2, err3)
		}
	}
	if out, err := os.ReadDir(root); err != nil || len(out) != 1 {
		t.Errorf("beside the root there are %v, %v", out, err)
	}
}

// P9: nothing is overwritten, by a put or by a recording.
func TestSeed_P9(t *testing.T) {
	for name, b := range map[string]sink.Bucket{"mem": mem.New(), "files": openFiles(t, files.Config{})} {
		s := open(t, b, sink.DefaultLayout, "wav")
		fill(t, s, key(1, "mic0", 0))
		if err := s.Put(t.Context(), key(1, "mic0", 0), sink.Chunk{Format: s16}); !errors.Is(err, sink.ErrExists) {
			t.Errorf("%s: second put: %v", name, err)
		}
		r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 10})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(t.Context(), ramp(0, 10, s16)); !errors.Is(err, sink.ErrExists) {
			t.Errorf("%s: recorded over a chunk: %v", name, err)
		}
		if from := r.Restart(t.Context()); from != 0 { // and goes beside it
			t.Errorf("%s: goes on from %d", name, from)
		}
		if err := errors.Join(r.Write(t.Context(), ramp(0, 10, s16)), r.Close(t.Context(), 0)); err != nil {
			t.Error(err)
		}
		if c, err := s.Get(t.Context(), key(1, "mic0", 0)); err != nil || len(c.Data) != 8 {
			t.Errorf("%s: the chunk has %d bytes now, %v", name, len(c.Data), err)
		}
		if c, err := s.Get(t.Context(), key(1, "mic0", 1)); err != nil || len(c.Data) != 20 {
			t.Errorf("%s: beside it are %d bytes, %v", name, len(c.Data), err)
		}
	}
}

// P10: what has a name is whole at any moment; what is not has none.
func TestSeed_P10(t *testing.T) {
	root := t.TempDir()
	b := openFiles(t, files.Config{Root: root, Sync: true})
	s := open(t, b, sink.DefaultLayout, "wav")
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(25) {
		if err := r.Write(t.Context(), ramp(i*10, 10, s16)); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(root, "1/data/mic0/data"))
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".wav" {
				named++
			}
		}
		if got := keys(t, s, sink.Filter{}); int64(named) != (i+1)/10 || len(got) != named {
			t.Fatalf("behind %d frames %d chunks have names, %d of them in folders", (i+1)*10, len(got), named)
		}
	}
	if err := r.Close(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
}

// P11: folders are made once, and an error stays what it is.
func TestSeed_P11(t *testing.T) {
	root := t.TempDir()
	s := open(t, openFiles(t, files.Config{Root: root}), sink.DefaultLayout, "wav")
	if err := os.WriteFile(filepath.Join(root, "1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.Put(t.Context(), key(1, "mic0", 0), sink.Chunk{Format: s16})
	if !errors.Is(err, syscall.ENOTDIR) || errors.Is(err, sink.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("put below a file: %v", err)
	}
}

// R1: everything is made of the five methods: a store works on a bucket that
// has no others.
func TestSeed_R1(t *testing.T) {
	s := open(t, five{mem.New()}, sink.DefaultLayout, "wav")
	fill(t, s, key(5, "mic0", 0), key(40, "mic0", 0), key(7, "mic1", 0))
	if last, ok, err := s.LastSession(t.Context()); last != 40 || !ok || err != nil {
		t.Errorf("last session %d, %v, %v", last, ok, err)
	}
	if _, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 1}); !errors.Is(err, sink.ErrUnsupported) {
		t.Errorf("recorded where nothing grows: %v", err)
	}
}

// five hides what else a bucket can do.
type five struct{ sink.Bucket }

// R2: what is not valid is refused before any byte is written.
func TestSeed_R2(t *testing.T) {
	b := mem.New()
	s := open(t, b, sink.DefaultLayout, "wav")
	s24 := audio.Format{Rate: 48000, Channels: 2, Encoding: audio.S24}
	for _, c := range []sink.Chunk{{Format: s24, Data: make([]byte, 7)}, {Format: audio.Format{}, Data: nil}, {Format: audio.Format{Rate: 1, Channels: 65, Encoding: audio.S16}}} {
		if err := s.Put(t.Context(), key(1, "mic0", 0), c); err == nil {
			t.Errorf("%v with %d bytes was taken", c.Format, len(c.Data))
		}
	}
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 2, Sensor: "mic0", Format: s24, ChunkFrames: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(t.Context(), make([]byte, 7)); err == nil || r.Written() != 0 {
		t.Errorf("a piece of a frame was taken: %v", err)
	}
	if got := keys(t, s, sink.Filter{}); len(got) > 0 {
		t.Errorf("there are %v", got)
	}
}

// D2: names are the session in milliseconds and 14 digits of block.
func TestSeed_D2(t *testing.T) {
	if got := layout(t, "{session}/{block}").Name(key(1566065080150, "mic0", 86016)); got != "1566065080150/00000000086016" {
		t.Error(got)
	}
}

func TestLastSessionIsFound(t *testing.T) {
	for _, template := range []string{sink.DefaultLayout, "{session}/{block}", "{session}_{block}.wav", "by/{sensor}/{session}/{block}", "x/s_{session}/{block}"} {
		for name, b := range map[string]sink.Bucket{"mem": mem.New(), "files": openFiles(t, files.Config{}), "five": five{mem.New()}} {
			s := open(t, b, template, "wav")
			check := func(want audio.Session, any bool) {
				t.Helper()
				if got, ok, err := s.LastSession(t.Context()); got != want || ok != any || err != nil {
					t.Errorf("%s in %s: last session %d, %v, %v, want %d", template, name, got, ok, err, want)
				}
			}
			check(0, false)
			fill(t, s, key(0, "mic0", 0))
			check(0, true)
			fill(t, s, key(1795287841150, "mic0", 0), key(99, "mic0", 0), key(1795287841149, "mic0", 9), key(9, "mic0", 0))
			check(1795287841150, true)
			_, err := s.Bucket.Put(t.Context(), s.Layout.Meta(1795287841151, "mic0")+"/info.json", nil, sink.PutOptions{})
			if err != nil {
				t.Fatal(err)
			}
			check(1795287841151, true)
		}
	}
}

func ExampleLayout() {
	l, err := sink.ParseLayout(sink.DefaultLayout)
	if err != nil {
		fmt.Println(err)
		return
	}
	name := l.Name(audio.Key{Session: 1795287841150, Sensor: "mic0", Block: 86016})
	k, ok := l.Key(name)
	fmt.Println(name, k.Block, ok)
	// Output: 1795287841150/data/mic0/data/00000000086016.wav 86016 true
}
