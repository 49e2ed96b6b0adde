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

// truncater is what Open returns of a file, beside File.
type truncater interface {
	Truncate(size int64) error
}

// folder is what Open returns of a folder, beside File.
type folder interface {
	ReadDir(n int) ([]fs.DirEntry, error)
}

// wholeSyncer is an FS that can make all of it durable at once.
type wholeSyncer interface {
	// SyncFS makes durable whatever was written, renamed and removed before the
	// call. An error of an earlier write-back is told too.
	SyncFS() error

	// TellsErrors says whether SyncFS keeps that promise for all below the root.
	// Where it does not, an error may be taken for success, and each file must be
	// synced.
	TellsErrors() bool
}

// rooted is the FS of a real folder. Nothing reaches out of it, by whatever
// name or link.
type rooted struct {
	*folders
	top  *os.File // the folder, open from before the first write: errors of write-back reach it
	path string
}

func (r rooted) SyncFS() error { return syncWhole(r.top) }

func (r rooted) TellsErrors() bool { return tellsErrors(r.top, r.path) }

func (r rooted) Open(name string, flag int, perm fs.FileMode) (File, error) {
	var f *os.File
	err := r.in(name, func(h *handle, base string) (err error) {
		f, err = h.root.OpenFile(base, flag, perm)
		return err
	})
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
	return r.in(name, func(h *handle, base string) error {
		if err := h.root.Mkdir(base, perm); err != nil {
			return err
		}
		return h.root.Chmod(base, perm)
	})
}

func (r rooted) Rename(from, to string, replace bool) error {
	return r.in(to, func(h *handle, base string) error {
		if replace {
			return h.root.Rename(path.Base(from), base)
		}
		err := renameNew(h.dir, path.Base(from), base)
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		return relink(h.root, path.Base(from), base) // the system has no call that does not replace
	})
}

// relink renames in a folder by a second name for the same file, never
// replacing. Once that is there the file is renamed: an old name that cannot be
// removed is a draft that stays behind, and no reason to store the sound again.
// Such a draft is the chunk itself: nobody may change a draft that has a second
// name.
func relink(folder linker, from, to string) error {
	if err := folder.Link(from, to); err != nil {
		return err
	}
	_ = folder.Remove(from)
	return nil
}

// linker is what relink asks of a folder.
type linker interface {
	Link(from, to string) error
	Remove(name string) error
}

func (r rooted) Remove(name string) error {
	return r.in(name, func(h *handle, base string) error { return h.root.Remove(base) })
}

func (r rooted) Stat(name string) (info fs.FileInfo, err error) {
	dir, base := path.Split(name)
	h, _, err := r.take(path.Clean(dir))
	if err != nil {
		return nil, err
	}
	defer r.give(h)
	return h.root.Lstat(base) // that there is no such name is an answer: it is not asked twice
}
