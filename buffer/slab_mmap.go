//go:build linux && !race && !chaos

package buffer

import "golang.org/x/sys/unix"

// newSlab takes memory outside of the Go heap: there, a window of many seconds
// would make the garbage collector let the rest grow by as much again. It is
// left out of core dumps, and touched, so that the writer meets no page fault.
func newSlab(bytes int) ([]byte, error) {
	slab, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(slab, unix.MADV_DONTDUMP) // a mere hint
	touch(slab)
	return slab, nil
}

func freeSlab(slab []byte) { _ = unix.Munmap(slab) }
