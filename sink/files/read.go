package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/sink"
)

// stat describes a name that is a regular file: nothing else has a name.
func (b *Bucket) stat(name string) (fs.FileInfo, error) {
	info, err := b.fs.Stat(name)
	if err != nil {
		return nil, missing(err)
	}
	if !info.Mode().IsRegular() {
		return nil, sink.ErrNotFound
	}
	return info, nil
}

// Stat implements sink.Bucket.
func (b *Bucket) Stat(ctx context.Context, name string) (sink.Info, error) {
	err := b.check(ctx, name)
	if err != nil {
		return sink.Info{}, wrap("stat", name, err)
	}
	info, err := b.stat(name)
	if err != nil {
		return sink.Info{}, wrap("stat", name, err)
	}
	return sink.Info{Name: name, Size: info.Size()}, nil
}

// Get implements sink.Bucket.
func (b *Bucket) Get(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, err := b.get(ctx, name, off)
	if err != nil {
		return nil, wrap("get", name, err)
	}
	if n < 0 || n > math.MaxInt64-off {
		n = math.MaxInt64 - off
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, off, n), f}, nil
}

func (b *Bucket) get(ctx context.Context, name string, off int64) (File, error) {
	if err := b.check(ctx, name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fmt.Errorf("offset %d", off)
	}
	if _, err := b.stat(name); err != nil {
		return nil, err
	}
	f, err := b.fs.Open(name, os.O_RDONLY, 0)
	return f, missing(err)
}

// List implements sink.Bucket. It reads no folder all of whose names sort
// before after, or lie outside prefix.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[sink.Info, error] {
	return func(yield func(sink.Info, error) bool) {
		w := walk{ctx: ctx, fs: b.fs, prefix: prefix, after: after, yield: yield}
		if err := w.start(); err != nil && !w.stopped {
			yield(sink.Info{}, wrap("list", prefix, err))
		}
	}
}

// walk goes through a tree in the order of its names.
type walk struct {
	ctx           context.Context
	fs            FS
	prefix, after string
	yield         func(sink.Info, error) bool
	stopped       bool
}

var errStopped = errors.New("stopped")

// start begins in the deepest folder that prefix names.
func (w *walk) start() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	top := w.prefix[:strings.LastIndexByte(w.prefix, '/')+1]
	if top != "" && sink.CheckName(strings.TrimSuffix(top, "/")) != nil {
		return nil // nothing can have such a name
	}
	return w.folder(top)
}

// folder yields what is in a folder, whose path is "" or ends in a slash.
func (w *walk) folder(dir string) error {
	entries, done, err := entries(w.fs, dir)
	if err != nil {
		return err
	}
	defer done()
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		name := dir + e.name
		if e.isDir {
			below := strings.HasPrefix(name, w.prefix) || strings.HasPrefix(w.prefix, name)
			if past := name < w.after && !strings.HasPrefix(w.after, name); !below || past {
				continue
			}
			if err := w.folder(name); err != nil {
				return err
			}
			continue
		}
		if name <= w.after || !strings.HasPrefix(name, w.prefix) || dir == "" && name == lockName {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since
		}
		if err != nil {
			return err
		}
		if !w.yield(sink.Info{Name: name, Size: info.Size()}, nil) {
			w.stopped = true
			return errStopped
		}
	}
	return nil
}

// entry is what a folder holds: a file, or a folder, whose name ends in a
// slash so that it sorts as the names below it do.
type entry struct {
	fs.DirEntry
	name  string
	isDir bool
}

// entries are those of a folder that have a name or hold names, in order. They
// can be looked at until done is called. A folder that is not there is empty.
func entries(f FS, dir string) (all []entry, done func(), err error) {
	d, err := f.Open(path.Clean("./"+dir), os.O_RDONLY, 0)
	if err != nil {
		if missing(err) != err {
			err = nil
		}
		return nil, func() {}, err
	}
	reads, ok := d.(folder)
	if !ok {
		return nil, nil, errors.Join(errors.New("not a folder"), d.Close())
	}
	found, err := reads.ReadDir(-1)
	if err != nil {
		d.Close()
		if missing(err) != err {
			return nil, func() {}, nil // a file
		}
		return nil, nil, err
	}
	for _, e := range found {
		name := e.Name()
		if sink.CheckName(name) != nil || !e.IsDir() && !e.Type().IsRegular() {
			continue
		}
		if e.IsDir() {
			name += "/"
		}
		all = append(all, entry{e, name, e.IsDir()})
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return all, func() { d.Close() }, nil
}

// Groups implements sink.Grouper.
func (b *Bucket) Groups(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := ctx.Err(); err != nil {
			yield("", wrap("list", prefix, err))
			return
		}
		dir := prefix[:strings.LastIndexByte(prefix, '/')+1]
		if dir != "" && sink.CheckName(strings.TrimSuffix(dir, "/")) != nil {
			return
		}
		all, done, err := entries(b.fs, dir)
		if err != nil {
			yield("", wrap("list", prefix, err))
			return
		}
		defer done()
		for _, e := range all {
			name := dir + e.name
			if strings.HasPrefix(name, prefix) && name != lockName && !yield(name, nil) {
				return
			}
		}
	}
}
