package files_test

import (
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/sinktest"
)

func TestBucket(t *testing.T) {
	for _, sync := range []bool{true, false} {
		sinktest.Test(t, func(t *testing.T) sink.Bucket { return open(t, files.Config{Sync: sync}) })
	}
}

// breakable is a batched bucket whose disk fails when it is told to.
type breakable struct {
	*files.Bucket
	f *faulty
}

func (b breakable) BreakSync(err error) {
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	b.f.with, b.f.at = err, b.f.seen+1
}

func TestBatchedBucket(t *testing.T) {
	sinktest.Test(t, func(t *testing.T) sink.Bucket {
		f := &faulty{only: "syncfs"}
		return breakable{open(t, files.Config{Sync: true, Batch: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }}), f}
	})
}

func BenchmarkBucket(b *testing.B) {
	sinktest.Benchmark(b, func(b *testing.B) sink.Bucket { return open(b, files.Config{}) })
}
