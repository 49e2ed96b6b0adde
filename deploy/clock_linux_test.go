package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/ingestd/ingestd/clock"
)

// refusedVariable makes the test binary a process to which the calls that it
// names are refused.
const refusedVariable = "INGESTD_TEST_REFUSED"

func TestMain(m *testing.M) {
	if names, set := os.LookupEnv(refusedVariable); set {
		underFilter(names)
		return
	}
	os.Exit(m.Run())
}

// numbers are the calls of the clock that package syscall has numbers of.
func numbers() map[string]uint32 {
	return map[string]uint32{"adjtimex": syscall.SYS_ADJTIMEX, "clock_settime": syscall.SYS_CLOCK_SETTIME, "settimeofday": syscall.SYS_SETTIMEOFDAY}
}

// underFilter has the kernel refuse calls as systemd would, and prints what the
// clock of the daemon says then, and what comes of setting it.
func underFilter(names string) {
	runtime.LockOSThread() // a filter is that of a thread
	const (
		load, equal, give = 0x20, 0x15, 0x06 // BPF: a word, a jump, a result
		allow, refuse     = 0x7fff0000, 0x00050000 | uint32(syscall.EPERM)
		noNewPrivs        = 38
		seccomp, filter   = 22, 2
	)
	program := []syscall.SockFilter{{Code: load}}
	for name := range strings.FieldsSeq(names) {
		program = append(program, syscall.SockFilter{Code: equal, Jf: 1, K: numbers()[name]}, syscall.SockFilter{Code: give, K: refuse})
	}
	program = append(program, syscall.SockFilter{Code: give, K: allow})
	list := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		fmt.Println(err)
		return
	}
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, seccomp, filter, uintptr(unsafe.Pointer(&list))); err != 0 {
		fmt.Println(err)
		return
	}
	const nowhere = 1 // an address from which the kernel reads no time: no clock is set, whoever may
	_, _, settime := syscall.RawSyscall(syscall.SYS_CLOCK_SETTIME, 0, nowhere, 0)
	_, _, day := syscall.RawSyscall(syscall.SYS_SETTIMEOFDAY, nowhere, 0, 0)
	fmt.Printf("known %v, clock_settime %d, settimeofday %d", clock.System{}.Sync().Known, settime, day)
}

// TestUnitLetsTheDaemonsClockKnow has the kernel refuse what the unit does, and
// asks the daemon's own clock.
func TestUnitLetsTheDaemonsClockKnow(t *testing.T) {
	tool(t, "systemd-analyze")
	if !(clock.System{}).Sync().Known {
		t.Skip("left out: a sandbox around this test forbids to ask whether the clock is synchronised")
	}
	text := read(t, "ingestd.service")
	refused := fmt.Sprintf("clock_settime %d, settimeofday %d", syscall.EPERM, syscall.EPERM)
	for _, c := range []struct{ protect, want string }{{"no", "known true, " + refused}, {"yes", "known false, " + refused}} {
		may := permitted(t, strings.Replace(text, "ProtectClock=no", "ProtectClock="+c.protect, 1))
		var names []string
		for name := range numbers() {
			if !may[name] {
				names = append(names, name)
			}
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{refusedVariable + "=" + strings.Join(names, " ")}
		if out, err := cmd.Output(); err != nil || string(out) != c.want {
			t.Errorf("ProtectClock=%s: %s, %v, want %s", c.protect, out, err, c.want)
		}
	}
}
