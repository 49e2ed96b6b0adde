package sink_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// S21: what is missing stands in blocks.jsonl, with its cause; names of chunks
// say where they belong and nothing else, also when the first frames are bad.
func TestSeed_S21(t *testing.T) {
	root := t.TempDir()
	s := open(t, openFiles(t, files.Config{Root: root}), sink.DefaultLayout, "wav")
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 7, Sensor: "mic0", Format: s16, ChunkFrames: 100})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, err := range []error{
		r.Hole(ctx, 30, audio.Device), r.Write(ctx, ramp(30, 120, s16)), r.Hole(ctx, 200, audio.XRun), r.Hole(ctx, 50, audio.Overrun), r.Write(ctx, ramp(400, 10, s16)), r.Close(ctx, 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(root, "7/data/mic0/data/*"))
	if err != nil || len(names) != 3 {
		t.Fatalf("there are %q, %v", names, err)
	}
	for _, name := range names {
		if !regexp.MustCompile(`^\d{14}\.wav$`).MatchString(filepath.Base(name)) {
			t.Errorf("%s says more than its block", filepath.Base(name))
		}
	}
	var holes []sink.Hole
	blocks, _ := logged(t, s, 7, "mic0")
	for _, b := range blocks {
		holes = append(holes, b.Holes...)
	}
	want := []sink.Hole{{From: 0, Frames: 30, Cause: audio.Device}, {From: 150, Frames: 200, Cause: audio.XRun}, {From: 350, Frames: 50, Cause: audio.Overrun}}
	if !slices.Equal(holes, want) {
		t.Errorf("the index tells of %v, want %v", holes, want)
	}
}

// littered is a store on files in which others left their own.
func littered(t *testing.T) (*sink.Store, string) {
	t.Helper()
	root := t.TempDir()
	s := open(t, openFiles(t, files.Config{Root: root}), sink.DefaultLayout, "wav")
	fill(t, s, key(1795287841150, "mic1", 0), key(99, "mic0", 86016), key(1795287841149, "mic0", 0), key(99, "mic0", 100_000_000_000_000), key(99, "mic0", 0), key(100, "mic0", 5))
	for _, name := range []string{".DS_Store", "99/.DS_Store", "99/data/mic0/data/.DS_Store", "99/data/mic0/data/Thumbs.db", "99/data/mic0/data/00000000000000.wav.bak", "lost+found/x", "99/info/notes.txt"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s, root
}

// D5: sessions and blocks are listed in order, and what others left among them
// is passed over.
func TestSeed_D5(t *testing.T) {
	s, _ := littered(t)
	want := []audio.Key{key(100, "mic0", 5), key(1795287841149, "mic0", 0), key(1795287841150, "mic1", 0), key(99, "mic0", 0), key(99, "mic0", 86016), key(99, "mic0", 100_000_000_000_000)}
	if got := keys(t, s, sink.Filter{}); !slices.Equal(got, want) { // by the bytes of their names: sessions of one length ascend
		t.Errorf("got %v, want %v", got, want)
	}
	if got := keys(t, s, sink.Filter{Session: 99}); !slices.Equal(got, want[3:]) {
		t.Errorf("of session 99 there are %v", got)
	}
	if last, ok, err := s.LastSession(t.Context()); last != 1795287841150 || !ok || err != nil {
		t.Errorf("the last session is %d, %v, %v", last, ok, err)
	}
}

// O10: what a store answers are names and keys. Where it keeps them is its own
// matter, told only to who asks for it.
func TestSeed_O10(t *testing.T) {
	s, root := littered(t)
	said := []string{}
	for info, err := range s.Bucket.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, info.Name)
	}
	_, err := s.Get(t.Context(), key(5, "mic0", 0))
	_, err2 := s.Bucket.Stat(t.Context(), "5/none")
	_, err3 := s.Bucket.Put(t.Context(), "store.json", nil, sink.PutOptions{})
	err4 := s.Delete(t.Context(), key(5, "mic0", 0))
	err5 := s.Put(t.Context(), key(99, "mic0", 0), sink.Chunk{Format: s16})
	for _, err := range []error{err, err2, err3, err4, err5} {
		if !errors.Is(err, sink.ErrNotFound) && !errors.Is(err, sink.ErrExists) {
			t.Errorf("got %v", err)
			continue
		}
		said = append(said, err.Error())
	}
	for _, text := range said {
		if filepath.IsAbs(text) || strings.Contains(text, root) || strings.Contains(text, filepath.Base(root)+"/") {
			t.Errorf("%q tells where the store is", text)
		}
	}
	if len(said) < 12 {
		t.Errorf("only %q", said)
	}
}
