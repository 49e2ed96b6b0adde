package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
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
	mute bool   // SyncFS would not tell its errors
	seen int

	unsynced map[string]bool // what a power cut may take: names, a slash behind those whose bytes are meant
}

// changed notes that a name, or what it holds, is not durable.
func (f *faulty) changed(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unsynced == nil {
		f.unsynced = map[string]bool{}
	}
	f.unsynced[name] = true
}

// moved notes that what has a name got another, or none. What was durable under
// the old name is found after a power cut under one of the two.
func (f *faulty) moved(from, to string) {
	f.mu.Lock()
	name, bytes := from == "" || f.unsynced[from], f.unsynced[from+"/"]
	delete(f.unsynced, from)
	delete(f.unsynced, from+"/")
	f.mu.Unlock()
	if to != "" && name {
		f.changed(to)
	}
	if to != "" && bytes {
		f.changed(to + "/")
	}
}

// synced notes that a file's bytes, or the names in a folder, are durable.
func (f *faulty) synced(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.unsynced, name+"/")
	for u := range f.unsynced {
		if !strings.HasSuffix(u, "/") && path.Dir(u) == name {
			delete(f.unsynced, u)
		}
	}
}

// mayBeLost is what a power cut may take of what is no draft.
func (f *faulty) mayBeLost() (names []string) {
	for u := range f.unsynced {
		if !strings.HasSuffix(strings.TrimSuffix(u, "/"), ".part") {
			names = append(names, u)
		}
	}
	return names
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

// did notes what became of a name.
func (f *faulty) did(err error, from, to string) error {
	if err == nil {
		f.moved(from, to)
	}
	return err
}

func (f *faulty) Open(name string, flag int, perm fs.FileMode) (file files.File, err error) {
	op := "open"
	if flag&os.O_CREATE != 0 {
		op = "create"
	}
	open := func() (err error) {
		if file, err = f.FS.Open(name, flag, perm); err == nil && op == "create" {
			f.changed(name)
		}
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
	return f.act("mkdir", name, func() error { return f.did(f.FS.Mkdir(name, perm), "", name) })
}

func (f *faulty) Rename(from, to string, replace bool) error {
	return f.act("rename", to, func() error { return f.did(f.FS.Rename(from, to, replace), from, to) })
}

func (f *faulty) Remove(name string) error {
	return f.act("remove", name, func() error { return f.did(f.FS.Remove(name), name, "") })
}

func (f *faulty) Stat(name string) (fs.FileInfo, error) {
	if err := f.step("stat %s", name); err != nil {
		return nil, err
	}
	return f.FS.Stat(name)
}

// SyncFS counts as one operation; the disk is left in peace.
func (f *faulty) SyncFS() error {
	err := f.step("syncfs")
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		clear(f.unsynced)
	}
	return err
}

func (f *faulty) TellsErrors() bool { return !f.mute }

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
	f.f.changed(f.name + "/")
	n, err2 := f.File.WriteAt(p, off)
	return n, errors.Join(err, err2)
}

func (f *faultyFile) Sync() error {
	err := f.f.step("sync %s", f.name) // and the disk is left in peace
	if err == nil {
		f.f.synced(f.name)
	}
	return err
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
