//go:build bench

package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What recording in real time is measured with.
const (
	channels = 8
	rate     = 48000 // s16, mono
	period   = 20 * time.Millisecond
	settle   = 3 * time.Second
	tries    = 3 // on a machine that others use as well

	scrapeEvery = 15 * time.Second
)

// short says whether the figures may be rough: a short run beside other work
// only shows what got much worse.
func short() bool { return os.Getenv("INGESTD_BENCH") == "short" }

// slack is what a bound is stretched by.
func slack() float64 {
	if short() {
		return 2
	}
	return 1
}

func measured() time.Duration {
	if short() {
		return 8 * time.Second
	}
	return 30 * time.Second
}

// maxMemory is the resident memory that 8 sensors with 3 readers each may take.
const maxMemory = 40 << 20

// overSox is how much more than one sox process for each channel, with no
// reader, ingestd may take: 5 CPU-seconds a channel-hour where sox takes 3.3.
const overSox = 5 / 3.3

func TestRecordingInRealTimeCostsAboutAsMuchAsSox(t *testing.T) {
	if _, err := exec.LookPath("sox"); err != nil {
		t.Skip("left out: sox is not installed")
	}
	for try := 1; ; try++ {
		over, memory := compare(t)
		if memory > maxMemory {
			t.Fatalf("ingestd takes %d bytes of memory, more than %d", memory, maxMemory)
		}
		if over <= overSox*slack() {
			return
		}
		if try == tries {
			t.Fatalf("ingestd takes %.2f x what sox takes, more than %.2f", over, overSox*slack())
		}
	}
}

// compare measures all three in turn. It returns how many times more than sox
// ingestd takes, and its resident memory in bytes.
func compare(t *testing.T) (over float64, memory int64) {
	t.Helper()
	cat := cost(t, "cat", func(i int, fifo, root string) *exec.Cmd {
		return exec.Command("sh", "-c", fmt.Sprintf("exec cat %s >%s/%d.raw", fifo, root, i))
	})
	sox := cost(t, "sox", func(i int, fifo, root string) *exec.Cmd {
		return exec.Command("sox", strings.Fields(fmt.Sprintf("-q -t raw -r %d -e signed -b 16 -c 1 %s %s/%d.wav trim 0 10 : newfile : restart", rate, fifo, root, i))...)
	})
	own := cost(t, "ingestd", nil, "10s", "10s", "10s")
	mixed := cost(t, "ingestd", nil, "0.5s", "2s", "10s")
	t.Logf("CPU-seconds a channel-hour: cat %.2f, sox %.2f, ingestd with 3 readers %.2f (%.2f x sox), with chunks of 0.5, 2 and 10 s %.2f (%.2f x sox); ingestd resident %.1f MiB",
		cat.seconds, sox.seconds, own.seconds, own.seconds/sox.seconds, mixed.seconds, mixed.seconds/sox.seconds, float64(max(own.memory, mixed.memory))/(1<<20))
	return max(own.seconds, mixed.seconds) / sox.seconds, max(own.memory, mixed.memory)
}

type spent struct {
	seconds float64 // CPU-seconds a channel-hour
	memory  int64   // bytes resident at most, of one process
}

// cost feeds FIFOs in real time and measures the processes that read them: one
// a channel, or with nil ingestd for all, with a reader for each of chunks.
func cost(t *testing.T, name string, command func(i int, fifo, root string) *exec.Cmd, chunks ...string) spent {
	t.Helper()
	dir := t.TempDir()
	var fifos []string
	for i := range channels {
		fifo := filepath.Join(dir, fmt.Sprintf("in%d", i))
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		fifos = append(fifos, fifo)
	}
	stop := feed(t, fifos)
	defer stop()
	var cmds []*exec.Cmd
	url := ""
	if command == nil {
		address := freeAddress(t)
		url = "http://" + address + "/metrics"
		cmds = append(cmds, daemon(t, dir, address, fifos, chunks))
	} else {
		for i, fifo := range fifos {
			cmds = append(cmds, command(i, fifo, dir))
		}
	}
	for _, cmd := range cmds {
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}()
	}
	<-time.After(settle)
	before, begun := cpu(t, cmds), time.Now()
	for time.Since(begun) < measured() {
		if url != "" {
			scrape(t, url)
		}
		<-time.After(min(scrapeEvery, measured()-time.Since(begun)))
	}
	used, took := cpu(t, cmds)-before, time.Since(begun)
	return spent{used.Seconds() * 3600 / took.Seconds() / channels, resident(t, cmds[0].Process.Pid)}
}

// feed writes silence with a counter to each FIFO every period, as a driver
// would, and never waits for a reader.
func feed(t *testing.T, fifos []string) (stop func()) {
	t.Helper()
	var fds []int
	for _, name := range fifos {
		fd, err := syscall.Open(name, syscall.O_RDWR|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
	}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(period)
		defer tick.Stop()
		piece := make([]byte, rate*2*int(period)/int(time.Second))
		for n := byte(0); ; n++ {
			select {
			case <-tick.C:
			case <-done:
				for _, fd := range fds {
					syscall.Close(fd)
				}
				return
			}
			for i := range piece {
				piece[i] = n + byte(i)
			}
			for _, fd := range fds {
				_, _ = syscall.Write(fd, piece) // a full FIFO refuses: a card that overruns
			}
		}
	}()
	return func() { close(done); <-over }
}

// scrape reads the metrics, as Prometheus does.
func scrape(t *testing.T, url string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if n, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK || n == 0 {
		t.Fatalf("%s: %s, %d bytes, %v", url, r.Status, n, err)
	}
}

// freeAddress is a port of the loopback that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// daemon is ingestd for all FIFOs, with three readers each, whose chunks have
// these lengths.
func daemon(t *testing.T, dir, address string, fifos, chunks []string) *exec.Cmd {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "[http]\nlisten = %q\n[log]\nlevel = \"warn\"\n", address)
	for i, fifo := range fifos {
		fmt.Fprintf(&b, "[[sensor]]\nid = \"c%d\"\nsource = \"pipe\"\npath = %q\nrate = %d\n", i, fifo, rate)
	}
	for i, key := range []string{"bytes", "frames", "ms"} {
		fmt.Fprintf(&b, "[[reader]]\nname = %q\nkey = %q\nchunk = %q\nsink = %q\n[sink.%s]\ndriver = \"files\"\nroot = %q\n",
			key, key, chunks[i], key, key, filepath.Join(dir, key))
	}
	config := filepath.Join(dir, "ingestd.toml")
	if err := os.WriteFile(config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command(program(t), "run", "--config", config)
}

// cpu is the time that the processes have used, threads that ended included:
// the kernel's own clock of each process.
func cpu(t *testing.T, cmds []*exec.Cmd) time.Duration {
	t.Helper()
	var sum time.Duration
	for _, cmd := range cmds {
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^cmd.Process.Pid<<3|2), &ts); err != nil {
			t.Fatalf("the process clock of %d: %v", cmd.Process.Pid, err)
		}
		sum += time.Duration(ts.Nano())
	}
	return sum
}

// resident is VmHWM of a process, in bytes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kb int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); err == nil {
			return kb << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
