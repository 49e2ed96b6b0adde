//go:build linux

package portaudio

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// confess is the exit of a capture process that tells how it lives.
func confess(int) {
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	fmt.Printf("dumpable %d, %v, collects at %d, memory %d\n", dumpable, err, debug.SetGCPercent(100), debug.SetMemoryLimit(-1))
	os.Exit(0)
}

// confession is what a capture process says of itself. Its control pipe ends
// before an order came.
func confession(t *testing.T) string {
	t.Helper()
	data, sound, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	defer sound.Close()
	var out, errs bytes.Buffer
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{titlePrefix + captureChild + " mic0"}, Stdout: &out, Stderr: &errs, ExtraFiles: []*os.File{sound},
		Env: append(os.Environ(), childVariable+"="+captureChild, standInVariable+"=confess"),
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return out.String()
}

// TestSecurity_S5: nothing of the same user looks into a capture process, and
// it leaves no core.
func TestSecurity_S5(t *testing.T) {
	t.Parallel()
	if said := confession(t); !strings.HasPrefix(said, "dumpable 0, <nil>, ") {
		t.Errorf("a capture process says %q", said)
	}
}

// Garbage is not collected on the way of the sound, and if there ever were
// much of it, it would be before the memory of the machine is used up.
func TestCaptureProcessCollectsNoGarbage(t *testing.T) {
	t.Parallel()
	if said := confession(t); !strings.HasSuffix(said, ", collects at -1, memory 67108864\n") {
		t.Errorf("a capture process says %q", said)
	}
}

// A Ctrl-C goes to the group of the terminal; the daemon ends its children
// itself, and in order.
func TestSignalsOfATerminalDoNotReachTheChild(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), pretend("silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	group, err := syscall.Getpgid(s.info.PID)
	if err != nil || group != s.info.PID || group == syscall.Getpgrp() {
		t.Errorf("the child %d is in the group %d, %v; its parent is in %d", s.info.PID, group, err, syscall.Getpgrp())
	}
}

// What the daemon itself inherited is open to whatever it starts, unless it
// says otherwise.
func TestChildGetsNothingThatItsParentInherited(t *testing.T) {
	// Not parallel: while it runs, any child would get it.
	name := filepath.Join(t.TempDir(), "inherited")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inherited, err := unix.Dup(int(f.Fd())) // without close-on-exec, as what systemd hands over
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited)
	s, err := open(t.Context(), pretend("silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fds, err := filepath.Glob("/proc/" + strconv.Itoa(s.info.PID) + "/fd/*")
	if err != nil || len(fds) < 4 {
		t.Fatalf("the child has open %q, %v", fds, err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && to == name {
			t.Errorf("%s is %s", fd, to)
		}
	}
}

// The pipe bridges a daemon that is busy for a moment, if the system gives as
// much.
func TestDataPipeIsWide(t *testing.T) {
	t.Parallel()
	const want = 256 << 10
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := unix.FcntlInt(r.Fd(), unix.F_SETPIPE_SZ, want); err != nil {
		t.Skipf("left out: this user gets no pipe of %d bytes: %v", want, err)
	}
	s, err := open(t.Context(), pretend("silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	raw, err := s.proc.data.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	width := 0
	if err := raw.Control(func(fd uintptr) { width, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0) }); err != nil {
		t.Fatal(err)
	}
	if err != nil || width < want {
		t.Errorf("the data pipe holds %d bytes, %v, want %d", width, err, want)
	}
}
