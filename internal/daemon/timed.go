package daemon

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
)

// newCommitTimes is how long it takes to give a chunk its name.
func newCommitTimes() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "ingestd_sink_commit_duration_seconds", Help: "How long it took to give a chunk its name, and with sync per chunk to make it durable.",
		Buckets:                     prometheus.ExponentialBuckets(0.0001, 4, 9), // 0.1 ms to 6.6 s
		NativeHistogramBucketFactor: 1.1,
	}, []string{"sink"})
}

// timed is the store of s with the commits of its chunks timed.
func (s *Sink) timed() *sink.Store {
	drafts, ok := s.Store.Bucket.(sink.Creator)
	if !ok || s.commits == nil {
		return s.Store
	}
	store := *s.Store
	store.Bucket = &timedBucket{Bucket: s.Store.Bucket, drafts: drafts, commits: s.commits, clock: s.clock}
	return &store
}

// A timedBucket times the commits of its drafts.
type timedBucket struct {
	sink.Bucket
	drafts  sink.Creator
	commits prometheus.Observer
	clock   clock.Clock
}

func (b *timedBucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.drafts.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	return &timedDraft{d, b}, nil
}

func (b *timedBucket) Append(ctx context.Context, name string, line []byte) error {
	return b.drafts.Append(ctx, name, line)
}

// Relaxed is what the bucket says of itself.
func (b *timedBucket) Relaxed() bool {
	r, ok := b.Bucket.(sink.Relaxed)
	return ok && r.Relaxed()
}

// Batched and SyncAll are the bucket's, if it has them.
func (b *timedBucket) Batched() bool {
	batch, ok := b.Bucket.(sink.Batcher)
	return ok && batch.Batched()
}

func (b *timedBucket) SyncAll(ctx context.Context) error {
	if batch, ok := b.Bucket.(sink.Batcher); ok {
		return batch.SyncAll(ctx)
	}
	return sink.ErrUnsupported
}

func (b *timedBucket) Failures() int64 {
	if batch, ok := b.Bucket.(sink.Batcher); ok {
		return batch.Failures()
	}
	return 0
}

type timedDraft struct {
	sink.Draft
	bucket *timedBucket
}

func (d *timedDraft) Commit() error {
	begun := d.bucket.clock.Monotonic()
	err := d.Draft.Commit()
	d.bucket.commits.Observe(float64(d.bucket.clock.Monotonic()-begun) / 1e9)
	return err
}
