package system

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a daemon that runs.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *lines
	done chan struct{}
	err  error
	url  string // of its HTTP; "" if it has none
}

// start runs `ingestd run` with a configuration.
func start(t *testing.T, config string, env ...string) *process {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ingestd.toml")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return startCommand(t, env, "run", "--config", name, "--log-format", "json")
}

func startCommand(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(ingestd, args...)
	dieWithTest(cmd)
	cmd.Env = append(os.Environ(), env...)
	p, err := startProcess(t, cmd)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// startProcess starts cmd, whose output becomes the log.
func startProcess(t *testing.T, cmd *exec.Cmd) (*process, error) {
	p := &process{t: t, cmd: cmd, log: newLines(), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	// A signal that is handled here is not ignored there, whoever started us.
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	err := cmd.Start()
	signal.Stop(hangUp)
	if err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		p.log.close()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("the log:\n%s", p.log.String())
		}
	})
	return p, nil
}

// see waits until the log has a line that matches.
func (p *process) see(pattern string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	line, ok := p.log.wait(ctx, regexp.MustCompile(pattern))
	if !ok {
		p.t.Fatalf("the log never said %q:\n%s", pattern, p.log.String())
	}
	return line
}

// stop ends the daemon as systemd does, and wants it to end with 0.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("it did not end:\n%s", p.log.String())
	}
	if p.err != nil {
		p.t.Fatalf("it ended with %v:\n%s", p.err, p.log.String())
	}
}

// get asks the daemon over HTTP.
func (p *process) get(path string) (status int, body string) {
	p.t.Helper()
	if p.url == "" {
		m := regexp.MustCompile(`"listen":"([^"]+)"`).FindStringSubmatch(p.see(`"listen":`))
		p.url = "http://" + m[1]
	}
	r, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// value is the value of one series of /metrics.
func (p *process) value(series string) string {
	p.t.Helper()
	_, body := p.get("/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	p.t.Errorf("no series %s", series)
	return ""
}

// number is the value of one series of /metrics, as a number.
func (p *process) number(series string) float64 {
	p.t.Helper()
	v, err := strconv.ParseFloat(p.value(series), 64)
	if err != nil {
		p.t.Errorf("%s: %v", series, err)
	}
	return v
}

// until asks again and again until ok, for up to a minute.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// lines collects what a process says.
type lines struct {
	mu     sync.Mutex // guards the rest
	all    bytes.Buffer
	more   chan struct{} // closed and made anew at each write
	closed bool
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.all.Write(p)
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.more)
	l.more = make(chan struct{})
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (l *lines) wait(ctx context.Context, pattern *regexp.Regexp) (string, bool) {
	for {
		l.mu.Lock()
		text, more, closed := l.all.String(), l.more, l.closed
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			if pattern.MatchString(line) {
				return line, true
			}
		}
		if closed {
			return "", false
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", false
		}
	}
}

// freePort is a configuration line for a port that the system chooses.
const freePort = "[http]\nlisten = \"127.0.0.1:0\"\n"

// tripleReaders is three readers that differ in keys and chunks, each with a
// sink of its own below root.
func tripleReaders(root string) string {
	var b strings.Builder
	for _, r := range []struct{ name, key, chunk string }{{"bytes", "bytes", "0.5s"}, {"frames", "frames", "2s"}, {"ms", "ms", "10s"}} {
		fmt.Fprintf(&b, "[[reader]]\nname = %q\nkey = %q\nchunk = %q\nsink = %q\n", r.name, r.key, r.chunk, r.name)
		fmt.Fprintf(&b, "[sink.%s]\ndriver = \"files\"\nroot = %q\n", r.name, filepath.Join(root, r.name))
	}
	return b.String()
}
