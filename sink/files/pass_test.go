package files_test

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// TestAPassSyncsBeforeItNames reads the order of what a pass does off the log
// of the disk: one sync, and behind it names and lines.
func TestAPassSyncsBeforeItNames(t *testing.T) {
	f := &faulty{}
	b := open(t, files.Config{Sync: true, Batch: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
	if !b.Batched() {
		t.Fatal("it is not batched")
	}
	l, err := sink.ParseLayout(sink.DefaultLayout)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sink.OpenStore(t.Context(), b, l, sink.WAV{})
	if err != nil {
		t.Fatal(err)
	}
	var recorders []*sink.Recorder
	for _, id := range []string{"a", "b"} {
		r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: id, Format: s16, ChunkFrames: 100})
		if err != nil {
			t.Fatal(err)
		}
		recorders = append(recorders, r)
	}
	f.log = nil
	for _, r := range recorders {
		if err := r.Write(t.Context(), ramp(0, 150)); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range f.log {
		if strings.HasPrefix(op, "sync") || strings.HasPrefix(op, "rename") || strings.Contains(op, sink.BlocksName) {
			t.Errorf("before the pass: %s", op)
		}
	}
	f.log = nil
	if err := sink.Pass(t.Context(), recorders...); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, op := range f.log {
		if strings.HasPrefix(op, "sync") || strings.HasPrefix(op, "rename") || strings.HasPrefix(op, "write") {
			got = append(got, op)
		}
	}
	want := []string{
		"syncfs",
		"rename 1/data/a/data/00000000000000.wav", "write 1/data/a/blocks.jsonl",
		"rename 1/data/b/data/00000000000000.wav", "write 1/data/b/blocks.jsonl",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range recorders {
		if r.Durable() != 150 {
			t.Errorf("durable is %d, want 150", r.Durable())
		}
	}
}

// TestWhereASyncDoesNotTellItsErrorsEachFileIsSynced, and then only is what was
// written said to be durable.
func TestWhereASyncDoesNotTellItsErrorsEachFileIsSynced(t *testing.T) {
	f := &faulty{mute: true}
	b := open(t, files.Config{Sync: true, Batch: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
	if b.Batched() {
		t.Error("it is batched")
	}
	l, err := sink.ParseLayout(sink.DefaultLayout)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sink.OpenStore(t.Context(), b, l, sink.WAV{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "a", Format: s16, ChunkFrames: 100})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 150)), r.Sync(t.Context())); err != nil || r.Durable() != 150 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	var synced []string
	for _, op := range f.log {
		if strings.HasPrefix(op, "sync") && strings.HasSuffix(op, ".wav.part") || op == "syncfs" {
			synced = append(synced, op)
		}
	}
	if want := []string{"sync 1/data/a/data/00000000000000.wav.part", "sync 1/data/a/data/00000000000200.wav.part"}; !slices.Equal(synced, want) || len(f.mayBeLost()) > 0 {
		t.Errorf("synced were %q, want %q; a power cut may take %q", synced, want, f.mayBeLost())
	}
	f.with, f.at, f.only, f.seen = syscall.EIO, 1, "sync 1/data/a/data/00000000000200.wav.part", 0
	if err := errors.Join(r.Write(t.Context(), ramp(150, 160)), r.Sync(t.Context())); !errors.Is(err, syscall.EIO) || r.Durable() != 150 {
		t.Errorf("a sync that failed: %v, durable %d", err, r.Durable())
	}
}
