package sinktest

import (
	"fmt"
	"io"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

// Benchmark measures what a store is used for: 849 bodies of 4 KiB are
// written, listed and read. open returns an empty bucket.
func Benchmark(b *testing.B, open func(b *testing.B) sink.Bucket) {
	const count = 849
	body := make([]byte, 4096)
	fill := func(b *testing.B, bucket sink.Bucket) {
		for i := range count {
			if _, err := bucket.Put(b.Context(), fmt.Sprintf("1/data/%04d", i), body, sink.PutOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("write", func(b *testing.B) {
		b.SetBytes(count * int64(len(body)))
		for b.Loop() {
			b.StopTimer()
			bucket := open(b)
			b.StartTimer()
			fill(b, bucket)
		}
	})
	b.Run("list", func(b *testing.B) {
		bucket := open(b)
		fill(b, bucket)
		for b.Loop() {
			n := 0
			for _, err := range bucket.List(b.Context(), "", "") {
				if n++; err != nil {
					b.Fatal(err)
				}
			}
			if n != count {
				b.Fatalf("listed %d of %d names", n, count)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		bucket := open(b)
		fill(b, bucket)
		b.SetBytes(count * int64(len(body)))
		for b.Loop() {
			for i := range count {
				r, err := bucket.Get(b.Context(), fmt.Sprintf("1/data/%04d", i), 0, -1)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.ReadFull(r, body)
				if err != nil || n != len(body) || r.Close() != nil {
					b.Fatal(n, err)
				}
			}
		}
	})
}
