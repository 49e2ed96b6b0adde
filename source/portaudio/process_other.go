//go:build !linux

package portaudio

import (
	"os"
	"syscall"
)

func executable() (string, error) { return os.Executable() }

func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) { _ = p.Kill() }

func keep() {}

func widen(*os.File) {}

func readable(string) error { return nil }

func dieOfAbort() {}

func conceal() {}
