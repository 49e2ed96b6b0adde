package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
	return control(f.File, "fdatasync", unix.Fdatasync)
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

// tellsErrors says whether syncWhole of the folder at path, which is open,
// covers all that lies below it, and tells its errors.
func tellsErrors(dir *os.File, path string) bool {
	var system unix.Utsname
	volume, err := statfs(dir)
	if err != nil || unix.Uname(&system) != nil || !syncTells(unix.ByteSliceToString(system.Release[:]), uint32(volume.Type)) {
		return false
	}
	full, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	return err == nil && !mountedBelow(string(mounts), full)
}

// mountedBelow says whether another file system is mounted somewhere below a
// folder, by the table of all that are. A sync of the folder's own leaves it out.
func mountedBelow(mounts, folder string) bool {
	escape := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)
	prefix := escape.Replace(strings.TrimSuffix(folder, "/")) + "/"
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], prefix) && f[4] != prefix {
			return true
		}
	}
	return false
}

// syncTells says whether syncfs tells every error on that release of Linux and
// kind of file system. Since 5.8 it tells those of write-back, since 5.17 those
// of the file system's own part, as of its journal. It was seen to tell both on
// ext4, XFS and btrfs, and on tmpfs there are none. Others say that all is well
// without asking who keeps the data (FUSE, some over networks), or do not pass
// on what they are told (overlayfs), or are not known.
func syncTells(release string, kind uint32) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n < 2 || major < 5 || major == 5 && minor < 17 {
		return false
	}
	switch kind {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// statfs describes the file system of an open folder.
func statfs(dir *os.File) (volume unix.Statfs_t, err error) {
	err = control(dir, "fstatfs", func(fd int) error { return unix.Fstatfs(fd, &volume) })
	return volume, err
}

// syncWhole syncs the file system of an open folder. On one that is read only
// the system does nothing, and says that all is well: it may have become so by
// an error, with what was written before still in memory.
func syncWhole(dir *os.File) error {
	if err := control(dir, "syncfs", unix.Syncfs); err != nil {
		return err
	}
	volume, err := statfs(dir)
	if err == nil && volume.Flags&unix.MS_RDONLY != 0 { // ST_RDONLY is the same bit
		err = wrapErrno("syncfs", unix.EROFS)
	}
	return err
}

// control makes a system call on an open file, again if it was interrupted.
func control(f *os.File, call string, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var said error
	err = raw.Control(func(fd uintptr) {
		for said = unix.EINTR; said == unix.EINTR; {
			said = do(int(fd))
		}
	})
	return errors.Join(err, wrapErrno(call, said))
}
