package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/ingestd/ingestd/sink"
)

// Put implements sink.Bucket.
func (b *Bucket) Put(ctx context.Context, name string, body []byte, o sink.PutOptions) (sink.Info, error) {
	err := b.checkWrite(ctx, name)
	if err == nil {
		err = b.put(name, body, o.Replace)
	}
	if err != nil {
		return sink.Info{}, wrap("put", name, err)
	}
	return sink.Info{Name: name, Size: int64(len(body))}, nil
}

func (b *Bucket) put(name string, body []byte, replace bool) error {
	d, err := b.create(name, replace)
	if err != nil {
		return err
	}
	if _, err := d.file.WriteAt(body, 0); err != nil {
		d.end(false)
		return err
	}
	err = d.publish(fileMode, replace, b.sync)
	named := err == nil || errors.Is(err, sink.ErrNamed)
	if err2 := d.end(named); err == nil {
		err = err2
	}
	return err
}

// Delete implements sink.Bucket.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	err := b.checkWrite(ctx, name)
	if err == nil {
		_, err = b.stat(name)
	}
	if err == nil {
		err = missing(b.fs.Remove(name))
	}
	if err == nil && b.sync {
		err = b.syncFolder(path.Dir(name))
	}
	return wrap("delete", name, err)
}

// Append implements sink.Creator.
func (b *Bucket) Append(ctx context.Context, name string, lines []byte) error {
	err := b.checkWrite(ctx, name)
	if err == nil {
		err = sink.CheckLines(lines)
	}
	if err == nil {
		err = b.append(name, lines)
	}
	return wrap("append to", name, err)
}

func (b *Bucket) append(name string, lines []byte) error {
	sync := b.sync && b.whole == nil
	f, err := b.openLog(name)
	if err != nil {
		return err
	}
	err = b.grow(f, name, lines)
	if err == nil && sync {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil || !sync {
		return err
	}
	return b.syncParents(name)
}

// openLog opens a log to read and write, and makes it if it is missing.
func (b *Bucket) openLog(name string) (File, error) {
	info, err := b.fs.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	if err == nil {
		return b.fs.Open(name, os.O_RDWR, 0)
	}
	if err := b.makeFolders(path.Dir(name)); err != nil {
		return nil, err
	}
	f, err := b.fs.Open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrExist) { // another goroutine was faster
		return b.fs.Open(name, os.O_RDWR, 0)
	}
	b.forget(name)
	return f, err
}

// grow writes lines behind what the log holds. If that does not end in a
// newline, a write was cut off there: they begin on a line of their own.
func (b *Bucket) grow(f File, name string, lines []byte) error {
	b.logs.Lock()
	defer b.logs.Unlock()
	info, err := b.fs.Stat(name)
	if err != nil {
		return err
	}
	end := info.Size()
	if end > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			lines = append([]byte{'\n'}, lines...)
		}
	}
	_, err = f.WriteAt(lines, end)
	return err
}

// makeFolders makes a folder and those above it.
func (b *Bucket) makeFolders(dir string) error {
	if dir == "." {
		return nil
	}
	info, err := b.fs.Stat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := b.makeFolders(path.Dir(dir)); err != nil {
		return err
	}
	err = b.fs.Mkdir(dir, folderMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	b.forget(dir)
	return err
}

func (b *Bucket) syncFolder(dir string) error {
	f, err := b.fs.Open(dir, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// maxKnown bounds what is remembered; a session has few folders.
const maxKnown = 4096

// syncParents makes durable that a folder or a log, and the folders above it,
// exist. Each is synced once in the life of the Bucket: an earlier call may have
// made it and failed before its sync, or an earlier process.
func (b *Bucket) syncParents(name string) error {
	if name == "." {
		return nil
	}
	b.mu.Lock()
	known := b.known[name]
	b.mu.Unlock()
	if known {
		return nil
	}
	if err := b.syncParents(path.Dir(name)); err != nil {
		return err
	}
	if err := b.syncFolder(path.Dir(name)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.known) >= maxKnown {
		clear(b.known)
	}
	b.known[name] = true
	return nil
}

// forget notes that a folder or a log was made: whatever was known under its
// name was another, and somebody removed it.
func (b *Bucket) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, name)
}
