package daemon

import (
	"context"
	"sync/atomic"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// A hooked bucket asks before it does something, which it is told as "create",
// "write", "sync" or "commit": an error is what becomes of it. Nothing may take
// time in a commit, since a bubble knows of nobody who waits for a mutex.
type hooked struct {
	*mem.Bucket
	do func(what string) error
}

func (b *hooked) Create(ctx context.Context, name string) (sink.Draft, error) {
	if err := b.do("create"); err != nil {
		return nil, err
	}
	d, err := b.Bucket.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	return &hookedDraft{d, b.do}, nil
}

type hookedDraft struct {
	sink.Draft
	do func(what string) error
}

func (d *hookedDraft) Write(p []byte) (int, error) {
	if err := d.do("write"); err != nil {
		return 0, err
	}
	return d.Draft.Write(p)
}

func (d *hookedDraft) Sync() error {
	if err := d.do("sync"); err != nil {
		return err
	}
	return d.Draft.Sync()
}

func (d *hookedDraft) Commit() error {
	if err := d.do("commit"); err != nil {
		return err
	}
	return d.Draft.Commit()
}

// batched is a hooked bucket that syncs all at once: "sync all".
type batched struct {
	hooked
	failures atomic.Int64
}

func (b *batched) Batched() bool   { return true }
func (b *batched) Failures() int64 { return b.failures.Load() }

func (b *batched) SyncAll(context.Context) error {
	err := b.do("sync all")
	if err != nil {
		b.failures.Add(1)
	}
	return err
}

// hook returns a bucket that asks do, and syncs all at once or each draft.
func hook(all bool, do func(what string) error) sink.Bucket {
	if all {
		return &batched{hooked: hooked{mem.New(), do}}
	}
	return &hooked{mem.New(), do}
}
