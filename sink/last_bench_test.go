package sink_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// BenchmarkLastSession asks a store of 3,653 sessions (ten years of days) with
// a few chunks each: no chunk is looked at, so how many there are is nothing.
func BenchmarkLastSession(b *testing.B) {
	root := b.TempDir()
	s := open(b, openFiles(b, files.Config{Root: root}), sink.DefaultLayout, "wav")
	const first, day, days = 1795287841150, 86_400_000, 3653
	for i := range audio.Session(days) {
		dir := filepath.Join(root, fmt.Sprint(first+i*day), "data/mic0/data")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "00000000000000.wav"), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if last, ok, err := s.LastSession(b.Context()); last != first+(days-1)*day || !ok || err != nil {
			b.Fatal(last, ok, err)
		}
	}
}
