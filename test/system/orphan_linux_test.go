package system

import (
	"os/exec"
	"syscall"
)

// dieWithTest has the kernel end cmd if the test ends without its cleanups, as
// it does at its time limit.
func dieWithTest(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
