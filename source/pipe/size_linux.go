package pipe

import "golang.org/x/sys/unix"

// enlarge asks the kernel to hold that many bytes. It may refuse: the system
// limits a pipe, and what all pipes of a user hold.
func (in *input) enlarge(bytes int64) {
	if in.regular {
		return
	}
	for want := min(bytes, 1<<20); want > int64(in.capacity); want /= 2 {
		if got, err := unix.FcntlInt(uintptr(in.fd), unix.F_SETPIPE_SZ, int(want)); err == nil {
			in.capacity = got
			return
		}
	}
}

func capacityOf(fd int) int {
	if n, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0); err == nil && n > 0 {
		return n
	}
	return assumed
}
