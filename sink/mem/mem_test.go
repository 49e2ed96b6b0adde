package mem_test

import (
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/sink/sinktest"
)

func TestBucket(t *testing.T) {
	sinktest.Test(t, func(*testing.T) sink.Bucket { return mem.New() })
}

func BenchmarkBucket(b *testing.B) {
	sinktest.Benchmark(b, func(*testing.B) sink.Bucket { return mem.New() })
}
