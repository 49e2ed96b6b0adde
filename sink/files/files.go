// Package files is a bucket in a folder of the local disk. What has a name
// there is whole: it grew beside its place as NAME.part and was renamed when
// it was complete. Nothing that has a name is ever truncated, and replaced
// only when Put is told to.
//
// With Config.Sync, what a call made is durable when the call returns: data is
// synced before the rename, the folder after it, and so is each parent folder
// that may be new. With Config.Batch too, drafts and logs wait for SyncAll,
// which syncs the whole file system once: for more than a few files that is
// less work than one by one. Where such a sync may hide an error (an old Linux, a
// file system that is not known to tell them, another one mounted below the
// root), Batch changes nothing.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ingestd/ingestd/sink"
)

// The bits of what is made, whatever the umask.
const (
	fileMode   fs.FileMode = 0o640
	folderMode fs.FileMode = 0o750
	chunkMode  fs.FileMode = 0o440 // a draft that was committed
)

// lockName is the file whose lock the one writer of a root holds, and which
// holds its process id.
const lockName = "store.lock"

// Config says which folder a Bucket is.
type Config struct {
	Root     string // made if it is missing; parents too
	Sync     bool   // what a call made is durable when it returns; without it, nothing ever is said to be: sync = "none"
	Batch    bool   // with Sync: what drafts and logs made is durable with the next SyncAll only, where that tells every error
	ReadOnly bool   // changes nothing and takes no lock

	// Wrap, if not nil, is put between the driver and the disk. For tests.
	Wrap func(FS) FS
}

// Bucket is a folder. It implements sink.Creator.
type Bucket struct {
	path     string
	fs       FS
	root     *os.Root
	folders  *folders
	top      *os.File // the root itself
	lock     *os.File // nil if read only
	sync     bool
	whole    wholeSyncer // nil: each call syncs for itself
	syncing  sync.Mutex  // held in SyncAll
	failures atomic.Int64
	readOnly bool

	logs sync.Mutex // held while a log is looked at and grown

	mu    sync.Mutex
	known map[string]bool // folders and logs whose name, and those above, are durable
}

var (
	_ sink.Creator = (*Bucket)(nil)
	_ sink.Relaxed = (*Bucket)(nil)
	_ sink.Batcher = (*Bucket)(nil)
)

// A LockedError says that another process, or another Bucket of this one,
// writes the root.
type LockedError struct{ PID string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("in use by pid %s on this machine. Two writers would mix sessions. Read commands work without the lock.", e.PID)
}

// Open opens a folder. Unless it is read only, it is made if it is missing,
// and taken for this Bucket alone until Close.
func Open(ctx context.Context, c Config) (*Bucket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := open(c)
	if err != nil {
		err = bare(err)
		return nil, fmt.Errorf("open %s: %w%s", c.Root, err, cure(err))
	}
	return b, nil
}

// cure is what to do about a folder that cannot be opened.
func cure(err error) string {
	switch {
	case errors.Is(err, errNoFolder):
		return ". Name another."
	case errors.Is(err, fs.ErrPermission):
		return ". Let the user of ingestd write there, or name another folder."
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EIO):
		return ". dmesg may tell why."
	case errors.Is(err, syscall.ENOSPC):
		return ". Free space."
	}
	return ""
}

var errNoFolder = errors.New("it is not a folder")

func open(c Config) (*Bucket, error) {
	full, err := filepath.Abs(c.Root)
	if err != nil {
		return nil, err
	}
	if c.Root == "" {
		return nil, errors.New("no folder is named")
	}
	if !c.ReadOnly {
		if err := makeRoot(full); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(full)
	if err != nil {
		return nil, err
	}
	top, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	b := &Bucket{path: full, root: root, folders: newFolders(root), top: top, sync: c.Sync, readOnly: c.ReadOnly, known: map[string]bool{}}
	b.fs = rooted{b.folders, top, full}
	if c.Wrap != nil {
		b.fs = c.Wrap(b.fs)
	}
	if whole, ok := b.fs.(wholeSyncer); ok && c.Sync && c.Batch && whole.TellsErrors() {
		b.whole = whole
	}
	if !c.ReadOnly {
		if b.lock, err = takeLock(root); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

// makeRoot makes a folder and those above it, durably: they are made once.
func makeRoot(full string) error {
	if info, err := os.Stat(full); err == nil {
		if !info.IsDir() {
			return errNoFolder
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(full)
	if err := makeRoot(parent); err != nil {
		return err
	}
	if err := os.Mkdir(full, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Chmod(full, folderMode); err != nil {
		return err
	}
	dir, err := os.Open(parent)
	if err != nil {
		return nil // a parent that may be passed but not read
	}
	defer dir.Close()
	return dir.Sync()
}

func takeLock(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	pid := make([]byte, 20)
	mine, err := lock(f)
	if err == nil && !mine {
		n, _ := f.ReadAt(pid, 0)
		err = &LockedError{string(firstWord(pid[:n]))}
	}
	if err == nil {
		err = f.Chmod(fileMode)
	}
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%-19d\n", os.Getpid()), 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// firstWord is the digits that text begins with, or a question mark.
func firstWord(text []byte) []byte {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	if n == 0 {
		return []byte("?")
	}
	return text[:n]
}

// Close gives up the lock. Drafts must be over.
func (b *Bucket) Close() error {
	var err error
	if b.lock != nil {
		err = b.lock.Close()
	}
	b.folders.close()
	return errors.Join(err, b.top.Close(), b.root.Close())
}

// String is the absolute path of the folder.
func (b *Bucket) String() string { return b.path }

// Batched implements sink.Batcher.
func (b *Bucket) Batched() bool { return b.whole != nil }

// SyncAll implements sink.Batcher.
func (b *Bucket) SyncAll(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.whole == nil {
		return sink.ErrUnsupported
	}
	b.syncing.Lock()
	defer b.syncing.Unlock()
	err := wrap("sync", b.path, b.whole.SyncFS())
	if err != nil {
		b.failures.Add(1) // before anybody else can be told that all is well
	}
	return err
}

// Failures implements sink.Batcher.
func (b *Bucket) Failures() int64 { return b.failures.Load() }

// Relaxed implements sink.Relaxed.
func (b *Bucket) Relaxed() bool { return !b.sync }
