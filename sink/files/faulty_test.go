package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/ingestd/ingestd/sink/files"
)

// faulty is a disk that logs what changes it, and on which one operation
// fails. A write that fails has written half.
type faulty struct {
	files.FS
	mu   sync.Mutex
	log  []string
	at   int // which operation fails, counted from 1; 0: none
	with error
	only string // if not empty, count operations that contain it
	late bool   // the operation that fails is done all the same
	seen int
}

func (f *faulty) step(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	op := fmt.Sprintf(format, args...)
	f.log = append(f.log, op)
	if f.only != "" && !strings.Contains(op, f.only) {
		return nil
	}
	if f.seen++; f.seen == f.at {
		f.log = append(f.log, "FAILS")
		return f.with
	}
	return nil
}

// act does an operation, unless it is the one that fails.
func (f *faulty) act(op, name string, do func() error) error {
	err := f.step("%s %s", op, name)
	if err == nil || f.late {
		err = errors.Join(err, do())
	}
	return err
}

func (f *faulty) Open(name string, flag int, perm fs.FileMode) (file files.File, err error) {
	op := "open"
	if flag&os.O_CREATE != 0 {
		op = "create"
	}
	open := func() (err error) {
		file, err = f.FS.Open(name, flag, perm)
		return err
	}
	if err := f.step("%s %s", op, name); err != nil {
		if f.late && open() == nil {
			file.Close()
		}
		return nil, &fs.PathError{Op: "openat", Path: name, Err: err}
	}
	if err := open(); err != nil {
		return nil, err
	}
	return &faultyFile{file, f, name}, nil
}

func (f *faulty) Mkdir(name string, perm fs.FileMode) error {
	return f.act("mkdir", name, func() error { return f.FS.Mkdir(name, perm) })
}

func (f *faulty) Rename(from, to string, replace bool) error {
	return f.act("rename", to, func() error { return f.FS.Rename(from, to, replace) })
}

func (f *faulty) Remove(name string) error {
	return f.act("remove", name, func() error { return f.FS.Remove(name) })
}

func (f *faulty) Stat(name string) (fs.FileInfo, error) {
	if err := f.step("stat %s", name); err != nil {
		return nil, err
	}
	return f.FS.Stat(name)
}

// SyncFS counts as one operation; the disk is left in peace.
func (f *faulty) SyncFS() error { return f.step("syncfs") }

type faultyFile struct {
	files.File
	f    *faulty
	name string
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.f.step("write %s", f.name)
	if err != nil && !f.f.late {
		p = p[:len(p)/2]
	}
	n, err2 := f.File.WriteAt(p, off)
	return n, errors.Join(err, err2)
}

func (f *faultyFile) Sync() error {
	return f.f.step("sync %s", f.name) // and the disk is left in peace
}

func (f *faultyFile) Chmod(perm fs.FileMode) error {
	return f.f.act("chmod", f.name, func() error { return f.File.Chmod(perm) })
}

func (f *faultyFile) Close() error {
	err := f.f.step("close %s", f.name)
	return errors.Join(err, f.File.Close())
}

func (f *faultyFile) Truncate(size int64) error {
	return f.f.act("truncate", f.name, func() error { return f.File.(interface{ Truncate(int64) error }).Truncate(size) })
}

func (f *faultyFile) ReadDir(n int) ([]fs.DirEntry, error) {
	return f.File.(fs.ReadDirFile).ReadDir(n)
}
