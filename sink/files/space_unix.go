//go:build linux || darwin || freebsd

package files

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Free is how many bytes the file system of the root still takes from this
// user, and how many it has in all.
func (b *Bucket) Free() (free, size int64, err error) {
	var s unix.Statfs_t
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Statfs(b.path, &s)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("free space of %s: %w", b.path, err)
	}
	block := int64(s.Bsize)
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil
}
