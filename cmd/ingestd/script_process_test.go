//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

// A process runs in the background of a script.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr *printed
	done           chan struct{} // closed when it has ended
}

// printed is what a process has printed so far.
type printed struct {
	mu   sync.Mutex
	all  bytes.Buffer
	more chan struct{} // capacity 1: there is more than at the last look
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
	return p.all.Write(b)
}

func (p *printed) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

func startProcess(c *exec.Cmd) (*process, error) {
	more := make(chan struct{}, 1)
	p := &process{cmd: c, stdout: &printed{more: more}, stderr: &printed{more: more}, done: make(chan struct{})}
	c.Stdout, c.Stderr = p.stdout, p.stderr
	// A signal that is handled here is not ignored there, whoever started us.
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	err := c.Start()
	signal.Stop(hangUp)
	if err != nil {
		return nil, err
	}
	go func() {
		_ = c.Wait() // its state says how it ended
		close(p.done)
	}()
	return p, nil
}

func (p *process) text() string { return p.stdout.text() + p.stderr.text() }

// wait waits until what was printed matches.
func (p *process) wait(ctx context.Context, pattern *regexp.Regexp) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var over bool
		select {
		case <-p.done:
			over = true
		default:
		}
		if pattern.MatchString(p.text()) {
			return nil
		}
		if over || ctx.Err() != nil {
			return fmt.Errorf("never printed %v (ended: %v):\n%s", pattern, over, p.text())
		}
		select {
		case <-p.stdout.more:
		case <-p.done:
		case <-ctx.Done():
		}
	}
}

func (p *process) signal(name string) {
	_ = p.cmd.Process.Signal(map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[name]) // its end is seen by code
}

// code waits for the end and returns the exit code; -1: it did not end.
func (p *process) code(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		return -1
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// processes are those of one script, by name.
type processes map[string]*process

type processKey struct{}

func (all processes) kill() {
	for _, p := range all {
		p.kill()
	}
}

func processOf(ts *testscript.TestScript, name string) *process {
	p := ts.Value(processKey{}).(processes)[name]
	if p == nil {
		ts.Fatalf("no process %s", name)
	}
	return p
}

func start(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND...")
	}
	c := exec.Command(args[1], args[2:]...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "ALSA_CONFIG_PATH"} {
		if v := ts.Getenv(name); v != "" {
			c.Env = append(c.Env, name+"="+v)
		}
	}
	p, err := startProcess(c)
	ts.Check(err)
	ts.Value(processKey{}).(processes)[args[0]] = p
}

func see(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	ts.Check(processOf(ts, args[0]).wait(context.Background(), pattern))
}

func signalTo(ts *testscript.TestScript, _ bool, args []string) {
	processOf(ts, args[0]).signal(args[1])
}

// insist sends a signal again and again until the process has ended.
func insist(ts *testscript.TestScript, _ bool, args []string) {
	p := processOf(ts, args[0])
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(patience); ; {
		select {
		case <-p.done:
			return
		case <-tick.C:
			p.signal(args[1])
		case <-limit:
			ts.Fatalf("%s did not end", args[0])
		}
	}
}

func over(ts *testscript.TestScript, _ bool, args []string) {
	p := processOf(ts, args[0])
	code := p.code(context.Background())
	io.WriteString(ts.Stdout(), p.stdout.text())
	io.WriteString(ts.Stderr(), p.stderr.text())
	if strconv.Itoa(code) != args[1] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[1], p.text())
	}
	ts.Check(tidy(p.text()))
}

// address is where the HTTP of a process listens.
func address(ts *testscript.TestScript, name string) string {
	listen := regexp.MustCompile(`"listen": ?"([^"]+)"`)
	p := processOf(ts, name)
	ts.Check(p.wait(context.Background(), listen))
	return listen.FindStringSubmatch(p.text())[1]
}

func setURL(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[1], address(ts, args[0]))
}

func ask(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: ask NAME STATUS METHOD PATH [HOST]")
	}
	r, err := http.NewRequest(args[2], "http://"+address(ts, args[0])+args[3], nil)
	ts.Check(err)
	if len(args) > 4 {
		r.Host = args[4]
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	ts.Check(err)
	ts.Stdout().Write(body)
	for _, name := range []string{"Allow", "Content-Type"} {
		fmt.Fprintf(ts.Stderr(), "%s: %s\n", name, answer.Header.Get(name))
	}
	if strconv.Itoa(answer.StatusCode) != args[1] {
		ts.Fatalf("status %d, want %s:\n%s", answer.StatusCode, args[1], body)
	}
}

func appears(ts *testscript.TestScript, _ bool, args []string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range patience / (20 * time.Millisecond) {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(found) > 0 {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%s: no such file appeared", args[0])
}

func makeWAV(ts *testscript.TestScript, _ bool, args []string) {
	var n [3]int
	for i := range n {
		v, err := strconv.Atoi(args[i+1])
		ts.Check(err)
		n[i] = v
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), plainWAV(n[0], n[1], n[2]), 0o600))
}

// plainWAV is a file of 16 bits in which each sample is its number.
func plainWAV(rate, channels, frames int) []byte {
	le := binary.LittleEndian
	size := frames * channels * 2
	b := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+size))...)
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), uint16(channels))
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(rate*channels*2))
	b = le.AppendUint16(le.AppendUint16(b, uint16(channels*2)), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(size))
	for i := range frames * channels {
		b = le.AppendUint16(b, uint16(i))
	}
	return b
}
