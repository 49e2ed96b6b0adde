package daemon

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// folder is what a Registry asks of the disk: the place where tests put faults
// and crashes.
type folder interface {
	Read(name string) ([]byte, error)
	// Create makes a new file. One of that name is removed before: it may be
	// one whose sync failed, and would sync again without an error.
	Create(name string) (folderFile, error)
	// Rename gives a file its name, which may be taken.
	Rename(from, to string) error
	// Sync makes the names in the folder durable.
	Sync() error
}

// folderFile is a file that is written once.
type folderFile interface {
	io.WriteCloser
	Sync() error
}

// diskFolder is a folder of the disk.
type diskFolder string

func (d diskFolder) Read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), name))
}

func (d diskFolder) Create(name string) (folderFile, error) {
	const mode fs.FileMode = 0o640
	path := filepath.Join(string(d), name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(mode); err != nil { // the umask took bits away
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d diskFolder) Rename(from, to string) error {
	return os.Rename(filepath.Join(string(d), from), filepath.Join(string(d), to))
}

func (d diskFolder) Sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
