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

func BenchmarkBucket(b *testing.B) {
	sinktest.Benchmark(b, func(b *testing.B) sink.Bucket { return open(b, files.Config{}) })
}
