//go:build unix

package files

import (
	"os"
	"syscall"
)

// lock takes the lock of an open file, for as long as it stays open. false:
// somebody else has it.
func lock(f *os.File) (bool, error) {
	var err error
	for err = syscall.EINTR; err == syscall.EINTR; {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == syscall.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}
