package sinktest_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/sink/sinktest"
)

// counting counts what is written, listed and read.
type counting struct {
	sink.Bucket
	written, listed, read *atomic.Int64
}

func (c counting) Put(ctx context.Context, name string, body []byte, o sink.PutOptions) (sink.Info, error) {
	c.written.Add(1)
	return c.Bucket.Put(ctx, name, body, o)
}

func (c counting) Get(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	c.read.Add(1)
	return c.Bucket.Get(ctx, name, off, n)
}

func (c counting) List(ctx context.Context, prefix, after string) iter.Seq2[sink.Info, error] {
	c.listed.Add(1)
	return c.Bucket.List(ctx, prefix, after)
}

// R15: storage is measured in three columns, write, list and read of 849
// bodies, and every driver has them.
func TestSeed_R15(t *testing.T) {
	benchtime := flag.Lookup("test.benchtime").Value
	before := benchtime.String()
	defer func() {
		if err := benchtime.Set(before); err != nil {
			t.Error(err)
		}
	}()
	if err := benchtime.Set("1x"); err != nil {
		t.Fatal(err)
	}
	drivers := map[string]func(b *testing.B) sink.Bucket{
		"mem": func(*testing.B) sink.Bucket { return mem.New() },
		"files": func(b *testing.B) sink.Bucket {
			bucket, err := files.Open(b.Context(), files.Config{Root: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { bucket.Close() })
			return bucket
		},
	}
	for name, open := range drivers {
		var written, listed, read atomic.Int64
		ran := testing.Benchmark(func(b *testing.B) {
			sinktest.Benchmark(b, func(b *testing.B) sink.Bucket { return counting{open(b), &written, &listed, &read} })
		})
		// Each column fills a bucket of its own; the last one reads it.
		if written.Load() < 3*849 || written.Load()%849 != 0 || listed.Load() == 0 || read.Load() < 849 || read.Load()%849 != 0 || ran.N == 0 || ran.T <= 0 {
			t.Errorf("%s: %d written, %d lists, %d read, %v", name, written.Load(), listed.Load(), read.Load(), ran)
		}
	}
	if err := everyDriver(drivers); err != nil {
		t.Error(err)
	}
}

// everyDriver says which folder beside this one has a suite and no benchmark,
// or is not in the list.
func everyDriver(known map[string]func(*testing.B) sink.Bucket) (err error) {
	folders, err := os.ReadDir("..")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		tests, err2 := filepath.Glob(filepath.Join("..", folder.Name(), "*_test.go"))
		err = errors.Join(err, err2)
		var text strings.Builder
		for _, test := range tests {
			b, err2 := os.ReadFile(test)
			err = errors.Join(err, err2)
			text.Write(b)
		}
		if folder.Name() == "sinktest" || !strings.Contains(text.String(), "sinktest.Test(") {
			continue
		}
		if known[folder.Name()] == nil || !strings.Contains(text.String(), "func BenchmarkBucket(") {
			err = errors.Join(err, errors.New(folder.Name()+" is not measured"))
		}
	}
	return err
}
