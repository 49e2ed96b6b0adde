package portaudio

import (
	"math"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable names the inode that runs, also after its file was replaced.
func executable() (string, error) { return "/proc/self/exe", nil }

// ownGroup keeps the signals of a terminal away from the child.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) {
	// Both may find nobody, which is what is wanted.
	_ = p.Kill()
	_ = unix.Kill(-p.Pid, unix.SIGKILL)
}

// keep keeps what this process itself inherited, a socket from systemd
// perhaps, from its children. What Go opens is not inherited anyway.
func keep() { _ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) }

// widen asks for a wider pipe. A user may have too many already: what time
// there is to be bridged is in the child's own ring.
func widen(pipe *os.File) {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 256<<10)
	})
}

// readable returns an error unless the file may be read.
func readable(path string) error { return unix.Access(path, unix.R_OK) }

// dieOfAbort lets an abort of a C library end the process by its signal, and
// not in a crash report of the Go runtime: abort restores the default for a
// signal that is ignored.
func dieOfAbort() { signal.Ignore(unix.SIGABRT) }

// conceal keeps sound out of core dumps, and other processes of the same user
// from looking into this one.
func conceal() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
