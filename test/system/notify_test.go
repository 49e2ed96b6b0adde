package system

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A notifySocket is a socket such as the service manager's, and what was sent to it.
type notifySocket struct {
	t      *testing.T
	states chan state
	seen   []state
}

// A state is a message to the service manager.
type state struct {
	text string
	at   time.Time
}

// listenNotify opens a socket of that name; one that begins with @ is
// abstract.
func listenNotify(t *testing.T, name string) *notifySocket {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	m := &notifySocket{t: t, states: make(chan state, 1000)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		b := make([]byte, 4096)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			for line := range strings.Lines(string(b[:n])) {
				m.states <- state{strings.TrimSuffix(line, "\n"), time.Now()}
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-over
	})
	return m
}

// next waits for the next message that begins so.
func (m *notifySocket) next(prefix string) state {
	m.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case s := <-m.states:
			m.seen = append(m.seen, s)
			if strings.HasPrefix(s.text, prefix) {
				return s
			}
		case <-limit:
			m.t.Fatalf("no %s; there were %v", prefix, m.texts())
		}
	}
}

// texts is what was seen.
func (m *notifySocket) texts() (all []string) {
	for _, s := range m.seen {
		all = append(all, s.text)
	}
	return all
}

func TestTheServiceManagerIsToldTheTruth(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "notify") // short: the name of a socket is at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	sockets := []string{filepath.Join(dir, "notify")}
	if runtime.GOOS == "linux" {
		sockets = append(sockets, "@"+filepath.Join(dir, "abstract"))
	}
	for _, socket := range sockets {
		t.Run(filepath.Base(socket), func(t *testing.T) {
			t.Parallel()
			toldTheTruth(t, socket)
		})
	}
}

// toldTheTruth runs a sensor that sounds and one whose FIFO is missing.
func toldTheTruth(t *testing.T, socket string) {
	const watchdog = 1800 * time.Millisecond
	m := listenNotify(t, socket)
	fifo := filepath.Join(t.TempDir(), "fifo")
	config := freePort + ramps(8000, "a") + fmt.Sprintf("[[sensor]]\nid = \"away\"\nsource = \"pipe\"\npath = %q\n", fifo) + disk(t.TempDir(), "1s", "1s")
	env := []string{"NOTIFY_SOCKET=" + socket, fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds())}
	p := start(t, config, env...)

	ready := m.next("READY=1")
	if len(m.seen) != 1 {
		t.Errorf("before READY=1 there was %v", m.texts())
	}
	var begins struct{ Time time.Time }
	if err := json.Unmarshal([]byte(p.see(`"session begins"`)), &begins); err != nil {
		t.Fatal(err)
	}
	if ready.at.Before(begins.Time) {
		t.Errorf("READY=1 at %v, and the session begins at %v", ready.at, begins.Time)
	}
	if _, body := p.get("/readyz?verbose"); !strings.Contains(body, "] a ") || !strings.Contains(body, "[-] away ") {
		t.Errorf("at READY=1 the sensors are\n%s", body)
	}
	if err := m.beats(watchdog, 4); err != nil {
		t.Error(err)
	}
	if up, away := p.value(`ingestd_source_up{sensor="a"}`), p.value(`ingestd_source_up{sensor="away"}`); up != "1" || away != "0" {
		t.Errorf("the watchdog was fed while source_up is %s, and %s without a FIFO", up, away)
	}
	if status := m.status(); !strings.Contains(status, "away away for") || !strings.Contains(status, "1 of 2 sensors recording") {
		t.Errorf("the status is %q", status)
	}

	p.stop()
	m.next("STOPPING=1")
	if n := len(slices.DeleteFunc(m.texts(), func(s string) bool { return s != "READY=1" && s != "STOPPING=1" })); n != 2 {
		t.Errorf("there were %v", m.texts())
	}
}

// beats wants n messages WATCHDOG=1, none of them late.
func (m *notifySocket) beats(within time.Duration, n int) error {
	m.t.Helper()
	last := m.next("WATCHDOG=1").at
	for range n {
		now := m.next("WATCHDOG=1").at
		if d := now.Sub(last); d > within {
			return fmt.Errorf("%v between two WATCHDOG=1, and systemd waits %v", d, within)
		}
		last = now
	}
	return nil
}

// status is the last that was seen.
func (m *notifySocket) status() (last string) {
	for _, text := range m.texts() {
		if s, ok := strings.CutPrefix(text, "STATUS="); ok {
			last = s
		}
	}
	return last
}

func TestADaemonThatCannotStoreIsNeverReady(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	first := start(t, freePort+ramps(8000, "a")+disk(root, "1s", "1s"))
	first.see(`"session begins"`)
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := listenNotify(t, filepath.Join(dir, "notify"))
	second := start(t, freePort+ramps(8000, "a")+disk(root, "1s", "1s"), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))
	<-second.done
	select {
	case s := <-m.states:
		t.Errorf("it said %q and ended with\n%s", s.text, second.log.String())
	default:
	}
	first.stop()
}
