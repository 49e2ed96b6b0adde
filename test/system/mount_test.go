package system

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A volume is a small file system of its own. It is mounted where only a shell
// of the test sees it, so that nothing stays behind whatever becomes of the
// test: with the shell, which ends when its input does, the mount is gone.
type volume struct {
	t   *testing.T
	dir string // where everybody finds it
	in  io.WriteCloser
	out *bufio.Scanner
}

// mountVolume mounts a tmpfs with the options given, or leaves the test out.
func mountVolume(t *testing.T, options string) *volume {
	t.Helper()
	flag := "-m"
	if os.Geteuid() != 0 {
		flag = "-rm"
	}
	cmd := exec.Command(tool(t, "unshare"), flag, "sh")
	dieWithTest(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	point := t.TempDir()
	v := &volume{t: t, dir: fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, point), in: in, out: bufio.NewScanner(out)}
	if said, err := v.run(fmt.Sprintf("mount -t tmpfs -o %s tmpfs '%s'", options, point)); err != nil {
		t.Skipf("left out: no file system can be mounted here (root can): %v: %s", err, said)
	}
	if _, err := os.Stat(v.dir); err != nil {
		t.Skipf("left out: a file system that was mounted cannot be seen: %v", err)
	}
	return v
}

// run runs a command in the shell.
func (v *volume) run(command string) (said string, err error) {
	if _, err := fmt.Fprintf(v.in, "%s\necho \"exit $?\"\n", command); err != nil {
		return "", err
	}
	for v.out.Scan() {
		code, over := strings.CutPrefix(v.out.Text(), "exit ")
		switch {
		case over && code == "0":
			return said, nil
		case over:
			return said, errors.New("exit code " + code)
		}
		said += v.out.Text() + "\n"
	}
	return said, fmt.Errorf("the shell is gone: %w", v.out.Err())
}

// fill writes ballast until there is no room, and returns its name.
func (v *volume) fill() (ballast string) {
	v.t.Helper()
	ballast = filepath.Join(v.dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		v.t.Fatal(err)
	}
	defer f.Close()
	for page := make([]byte, 4096); err == nil; {
		_, err = f.Write(page)
	}
	return ballast
}

// fillNames makes files until there can be no more, and returns their folder.
func (v *volume) fillNames() (ballast string) {
	v.t.Helper()
	ballast = filepath.Join(v.dir, "ballast")
	err := os.Mkdir(ballast, 0o750)
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(ballast, fmt.Sprint(i)), nil, 0o640)
	}
	return ballast
}
