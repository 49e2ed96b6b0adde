package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// FS is every operation on the tree below a root. It is the one place where
// tests put faults and crashes between the driver and the disk. Names are
// relative to the root, with slashes; "." is the root. Errors hold the errno.
type FS interface {
	// Open opens a file, or a folder to read only. What it creates has exactly
	// the bits of perm, whatever the umask.
	Open(name string, flag int, perm fs.FileMode) (File, error)

	// Mkdir makes a folder with exactly the bits of perm.
	Mkdir(name string, perm fs.FileMode) error

	// Rename moves a file within its folder. If to is taken, it is replaced,
	// or, if replace is false, left alone: fs.ErrExist.
	Rename(from, to string, replace bool) error

	// Remove removes a file.
	Remove(name string) error

	// Stat describes a name itself: links are not followed.
	Stat(name string) (fs.FileInfo, error)
}

// File is an open file or folder. An open folder also has ReadDir, as os.File
// does.
type File interface {
	io.ReaderAt
	io.WriterAt
	// Sync makes durable what was written and, for a folder, what is in it. It
	// may run at the same time as any other method but Close.
	Sync() error
	Chmod(perm fs.FileMode) error
	io.Closer
}

// folder is what Open returns of a folder, beside File.
type folder interface {
	ReadDir(n int) ([]fs.DirEntry, error)
}

// rooted is the FS of a real folder. Nothing reaches out of it, by whatever
// name or link.
type rooted struct{ root *os.Root }

func (r rooted) Open(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := r.root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 {
		if err := f.Chmod(perm); err != nil { // the umask took bits away
			return nil, errors.Join(err, f.Close())
		}
	}
	return diskFile{f, flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

func (r rooted) Mkdir(name string, perm fs.FileMode) error {
	if err := r.root.Mkdir(name, perm); err != nil {
		return err
	}
	return r.root.Chmod(name, perm)
}

func (r rooted) Rename(from, to string, replace bool) error {
	if replace {
		return r.root.Rename(from, to)
	}
	dir, err := r.root.Open(path.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	err = renameNew(dir, path.Base(from), path.Base(to))
	if errors.Is(err, errors.ErrUnsupported) {
		return r.link(from, to)
	}
	return err
}

// link is Rename without replacing where the system has no call for it.
func (r rooted) link(from, to string) error {
	if err := r.root.Link(from, to); err != nil {
		return err
	}
	return r.root.Remove(from)
}

func (r rooted) Remove(name string) error { return r.root.Remove(name) }

func (r rooted) Stat(name string) (fs.FileInfo, error) { return r.root.Lstat(name) }
