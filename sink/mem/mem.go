// Package mem is a bucket in memory: the smallest that keeps every promise of
// sink.Bucket and sink.Creator. Tests of other packages run on it.
package mem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/ingestd/ingestd/sink"
)

// Bucket keeps what has a name in a map. Its zero value is empty and ready.
type Bucket struct {
	mu    sync.RWMutex
	names map[string][]byte // bodies are never changed, only replaced
}

var _ sink.Creator = (*Bucket)(nil)

// New returns an empty bucket.
func New() *Bucket { return &Bucket{} }

// check is what every method does first.
func check(ctx context.Context, verb, name string) error {
	err := ctx.Err()
	if err == nil {
		err = sink.CheckName(name)
	}
	return wrap(verb, name, err)
}

func wrap(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %.120s: %w", verb, name, err)
}

// set gives body a name, unless that is taken and may not be replaced.
func (b *Bucket) set(name string, body []byte, replace bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.names[name]; taken && !replace {
		return sink.ErrExists
	}
	if b.names == nil {
		b.names = map[string][]byte{}
	}
	b.names[name] = body
	return nil
}

func (b *Bucket) get(name string) ([]byte, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	body, ok := b.names[name]
	if !ok {
		return nil, sink.ErrNotFound
	}
	return body, nil
}

// Put implements sink.Bucket.
func (b *Bucket) Put(ctx context.Context, name string, body []byte, o sink.PutOptions) (sink.Info, error) {
	err := check(ctx, "put", name)
	if err == nil {
		err = wrap("put", name, b.set(name, bytes.Clone(body), o.Replace))
	}
	if err != nil {
		return sink.Info{}, err
	}
	return sink.Info{Name: name, Size: int64(len(body))}, nil
}

// Get implements sink.Bucket.
func (b *Bucket) Get(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := check(ctx, "get", name); err != nil {
		return nil, err
	}
	body, err := b.get(name)
	if err == nil && off < 0 {
		err = fmt.Errorf("offset %d", off)
	}
	if err != nil {
		return nil, wrap("get", name, err)
	}
	body = body[min(off, int64(len(body))):]
	if n >= 0 {
		body = body[:min(n, int64(len(body)))]
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

// Stat implements sink.Bucket.
func (b *Bucket) Stat(ctx context.Context, name string) (sink.Info, error) {
	if err := check(ctx, "stat", name); err != nil {
		return sink.Info{}, err
	}
	body, err := b.get(name)
	if err != nil {
		return sink.Info{}, wrap("stat", name, err)
	}
	return sink.Info{Name: name, Size: int64(len(body))}, nil
}

// Delete implements sink.Bucket.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := check(ctx, "delete", name); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.names[name]; !ok {
		return wrap("delete", name, sink.ErrNotFound)
	}
	delete(b.names, name)
	return nil
}

// List implements sink.Bucket. What gets a name after List began may be
// missing.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[sink.Info, error] {
	return func(yield func(sink.Info, error) bool) {
		for _, info := range b.chosen(prefix, after) {
			if err := ctx.Err(); err != nil {
				yield(sink.Info{}, wrap("list", prefix, err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(sink.Info{}, wrap("list", prefix, err))
		}
	}
}

func (b *Bucket) chosen(prefix, after string) []sink.Info {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var all []sink.Info
	for name, body := range b.names {
		if strings.HasPrefix(name, prefix) && name > after {
			all = append(all, sink.Info{Name: name, Size: int64(len(body))})
		}
	}
	slices.SortFunc(all, func(a, b sink.Info) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Append implements sink.Creator.
func (b *Bucket) Append(ctx context.Context, name string, lines []byte) error {
	if err := check(ctx, "append to", name); err != nil {
		return err
	}
	if err := sink.CheckLines(lines); err != nil {
		return wrap("append to", name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names == nil {
		b.names = map[string][]byte{}
	}
	log := b.names[name]
	if len(log) > 0 && log[len(log)-1] != '\n' {
		log = append(log, '\n')
	}
	b.names[name] = append(log, lines...) // readers hold shorter slices of it
	return nil
}

// Create implements sink.Creator.
func (b *Bucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	if err := check(ctx, "create", name); err != nil {
		return nil, err
	}
	if _, err := b.get(name); err == nil {
		return nil, wrap("create", name, sink.ErrExists)
	}
	return &draft{b: b, name: name}, nil
}

var errOver = errors.New("the draft is over")

type draft struct {
	b    *Bucket
	name string

	mu   sync.Mutex
	body []byte
	over bool
}

func (d *draft) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return 0, wrap("write", d.name, errOver)
	}
	d.body = append(d.body, p...)
	return len(p), nil
}

func (d *draft) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.over:
		return 0, wrap("write", d.name, errOver)
	case off < 0 || off+int64(len(p)) > int64(len(d.body)):
		return 0, wrap("write", d.name, sink.ErrNotWritten)
	}
	return copy(d.body[off:], p), nil
}

func (d *draft) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return wrap("sync", d.name, errOver)
	}
	return nil
}

func (d *draft) Commit() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return wrap("commit", d.name, errOver)
	}
	d.over = true
	return wrap("commit", d.name, d.b.set(d.name, d.body, false))
}

func (d *draft) Abort(bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return wrap("abort", d.name, errOver)
	}
	d.over, d.body = true, nil
	return nil
}
