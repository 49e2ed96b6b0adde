package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// diskFile is an os.File whose Sync, if it is a file that is written, leaves
// out what is not needed to read the data back. A folder needs all of it: that
// it has a new entry may be such a thing to the file system.
type diskFile struct {
	*os.File
	data bool
}

func (f diskFile) Sync() error {
	if !f.data {
		return f.File.Sync()
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var sync error
	err = raw.Control(func(fd uintptr) {
		for sync = unix.EINTR; sync == unix.EINTR; {
			sync = unix.Fdatasync(int(fd))
		}
	})
	return errors.Join(err, wrapErrno("fdatasync", sync))
}

func wrapErrno(call string, err error) error {
	if err == nil {
		return nil
	}
	return os.NewSyscallError(call, err)
}

// renameNew renames in a folder, never replacing.
func renameNew(dir *os.File, from, to string) error {
	var err error
	for err = unix.EINTR; err == unix.EINTR; {
		fd := int(dir.Fd())
		err = unix.Renameat2(fd, from, fd, to, unix.RENAME_NOREPLACE)
	}
	if err == unix.EINVAL || err == unix.ENOSYS {
		return errors.ErrUnsupported
	}
	return wrapErrno("renameat2", err)
}

// canSyncWhole says whether syncWhole works here.
const canSyncWhole = true

// syncWhole syncs the file system of an open folder.
func syncWhole(dir *os.File) error {
	raw, err := dir.SyscallConn()
	if err != nil {
		return err
	}
	var sync error
	err = raw.Control(func(fd uintptr) {
		for sync = unix.EINTR; sync == unix.EINTR; {
			sync = unix.Syncfs(int(fd))
		}
	})
	return errors.Join(err, wrapErrno("syncfs", sync))
}
