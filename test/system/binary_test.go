// Package system tests the real program: the binary is built once, started as
// a user starts it, and judged by the files, the messages and the exit codes
// that it leaves.
package system

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ingestd is the program under test.
var ingestd string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "ingestd-system-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		ingestd = filepath.Join(dir, "ingestd")
		if out, err := exec.Command("go", "build", "-o", ingestd, "../../cmd/ingestd").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build ingestd: %v\n%s", err, out)
			return 1
		}
		// Most of these tests wait for time to pass: more of them at once than
		// there are processors.
		flag.Parse()
		if n := flag.Lookup("test.parallel"); n.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
			if err := n.Value.Set(fmt.Sprint(12 * runtime.GOMAXPROCS(0))); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return m.Run()
	}())
}

// A result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
	state          *os.ProcessState
	took           time.Duration
}

// maxResident is the greatest resident memory of the process, in bytes.
func (r result) maxResident() int64 {
	return r.state.SysUsage().(*syscall.Rusage).Maxrss * 1024
}

// slots are for commands that use all of a processor. They give way to the
// daemons beside them, which record in real time.
var slots = make(chan struct{}, 2)

// do runs ingestd to its end, within a time limit that nothing here needs.
func do(t *testing.T, args ...string) result {
	t.Helper()
	return doProgram(t, ingestd, args...)
}

// doProgram runs a program to its end as do runs ingestd.
func doProgram(t *testing.T, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	dieWithTest(cmd)
	slots <- struct{}{}
	defer func() { <-slots }()
	begun := time.Now()
	err := cmd.Start()
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, 10)
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), cmd.ProcessState, time.Since(begun)}
}

// must runs ingestd and fails the test unless it ends with 0.
func must(t *testing.T, args ...string) result {
	t.Helper()
	r := do(t, args...)
	if r.code != 0 {
		t.Fatalf("ingestd %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r
}

// tool returns the path of a program of others that a test compares with, or
// leaves the test out.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("left out: %s is not installed", name)
	}
	return path
}

// output runs a program of others and returns what it prints.
func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out
}
