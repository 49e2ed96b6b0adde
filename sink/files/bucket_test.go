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
