package sink_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// BenchmarkRecorder writes 64 MiB an operation, in chunks of 10 s of 48 kHz
// mono s16, with no sync: through a Recorder, and plainly to files of the same
// length.
func BenchmarkRecorder(b *testing.B) {
	const total, chunk = 64 << 20, 960_000
	for _, size := range []int{64 << 10, 1 << 20} {
		p := ramp(0, int64(size/2), s16)
		for name, beside := range map[string]func(func()){"record": nil, "beside": worker(b)} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(total)
				for b.Loop() {
					b.StopTimer()
					dir := b.TempDir()
					bucket, err := files.Open(context.Background(), files.Config{Root: dir})
					if err != nil {
						b.Fatal(err)
					}
					s := open(b, bucket, sink.DefaultLayout, "wav")
					b.StartTimer()
					r, err := s.Record(b.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: chunk / 2, Beside: beside})
					for n := 0; n < total && err == nil; n += size {
						err = r.Write(b.Context(), p)
					}
					if err == nil {
						err = r.Close(b.Context(), 0)
					}
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					bucket.Close()
					os.RemoveAll(dir)
					b.StartTimer()
				}
			})
		}
		b.Run(fmt.Sprintf("plain/%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(total)
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				b.StartTimer()
				if err := plainly(dir, p, total, chunk); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				os.RemoveAll(dir)
				b.StartTimer()
			}
		})
	}
}

// worker is one goroutine that does tasks until the benchmark is over.
func worker(b *testing.B) func(func()) {
	tasks := make(chan func())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for task := range tasks {
			task()
		}
	}()
	b.Cleanup(func() { close(tasks); <-done })
	return func(task func()) { tasks <- task }
}

// plainly writes total bytes to files of chunk bytes, in pieces of len(p).
func plainly(dir string, p []byte, total, chunk int) error {
	var f *os.File
	left := 0
	for n := 0; n < total; {
		if left == 0 {
			var err error
			if f, err = os.Create(filepath.Join(dir, fmt.Sprint(n))); err != nil {
				return err
			}
			left = chunk
		}
		k, err := f.Write(p[:min(len(p), left, total-n)])
		if err != nil {
			return err
		}
		n, left = n+k, left-k
		if left == 0 || n == total {
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// BenchmarkRecorderWrite is one piece of 64 KiB into an open chunk, memory
// counted: nothing is allocated but for what a chunk needs when it begins.
func BenchmarkRecorderWrite(b *testing.B) {
	bucket := openFiles(b, files.Config{})
	s := open(b, bucket, sink.DefaultLayout, "wav")
	r, err := s.Record(b.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 1 << 29})
	if err != nil {
		b.Fatal(err)
	}
	p := ramp(0, 32<<10, s16)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := r.Write(b.Context(), p); err != nil {
			b.Fatal(err)
		}
		if n++; n == 10000 { // one chunk holds no more
			b.StopTimer()
			if err := r.Hole(b.Context(), 1, audio.Muted); err != nil {
				b.Fatal(err)
			}
			n = 0
			b.StartTimer()
		}
	}
}
