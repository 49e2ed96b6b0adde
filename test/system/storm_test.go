package system

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// restarts is how often sources broke, all together.
func (p *process) restarts() (sum float64) {
	_, body := p.get("/metrics")
	for _, m := range regexp.MustCompile(`(?m)^ingestd_source_restarts_total\{.*\} (.*)$`).FindAllStringSubmatch(body, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			p.t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// descriptors is how many files a process has open, as it says itself: others
// of the same user may not look.
func (p *process) descriptors() int { return int(p.number("process_open_fds")) }

// flap makes a file short and whole again, until the test is over.
func flap(t *testing.T, path string, every time.Duration) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for short := true; ; short = !short {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if short {
				_ = os.Truncate(path, 0)
			} else {
				_ = os.WriteFile(path, body, 0o640)
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-over
	})
}

// TestAStormOfFaultsLeavesNothingBehind has sources that cannot be opened,
// that break when they are read, and that come and go.
func TestAStormOfFaultsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	const faults = 500
	dir := t.TempDir()
	flapping := filepath.Join(dir, "flapping.wav")
	writeWAV(t, flapping, mono, make([]byte, 60*mono.Rate*2))
	config, sensors := freePort+ramps(mono.Rate, "good"), 1
	add := func(id, rest string) {
		config += fmt.Sprintf("[[sensor]]\nid = %q\n%s\n", id, rest)
		sensors++
	}
	unreadable, err := filepath.Glob("/proc/self/task/*/mem") // they open, and cannot be read
	if err != nil || len(unreadable) == 0 {
		t.Fatalf("no thread of this test is to be seen: %v", err)
	}
	for i := range 8 {
		add(fmt.Sprintf("missing%d", i), fmt.Sprintf("source = \"pipe\"\npath = %q", filepath.Join(dir, fmt.Sprint("nothing", i))))
		if i < len(unreadable) {
			mem := strings.Replace(unreadable[i], "self", fmt.Sprint(os.Getpid()), 1)
			add(fmt.Sprintf("broken%d", i), fmt.Sprintf("source = \"pipe\"\npath = %q", mem))
		}
		add(fmt.Sprintf("flapping%d", i), fmt.Sprintf("source = \"wav\"\nfiles = [%q]\nloop = true", flapping))
	}
	p := start(t, config+disk(t.TempDir(), "10s", "1s"))
	until(t, "the sound is there", func() bool { return p.number(`ingestd_source_frames_total{sensor="flapping0"}`) > 0 })
	flap(t, flapping, 200*time.Millisecond)
	until(t, "a storm", func() bool { return p.restarts() >= 100 })
	goroutines, descriptors, begun := p.number("go_goroutines"), p.descriptors(), p.restarts()
	until(t, "more of it", func() bool { return p.restarts()-begun >= faults })

	// What a flapping sensor has open comes and goes; what is lost stays.
	until(t, "its goroutines are as few as before", func() bool { return p.number("go_goroutines") <= goroutines+16 })
	until(t, "its descriptors are as few as before", func() bool { return p.descriptors() <= descriptors+32 })
	suppressed := p.number("ingestd_log_suppressed_total")
	lines := strings.Count(p.log.String(), "\n")
	t.Logf("%v faults of %d sensors: %d lines of log, %v left out, %v goroutines before, %d descriptors before and %d after", p.restarts(), sensors, lines, suppressed, goroutines, descriptors, p.descriptors())
	if lines > 8*sensors {
		t.Errorf("%d lines of log for %d sensors", lines, sensors)
	}
	if suppressed == 0 {
		t.Error("log_suppressed_total is 0")
	}
	p.stop()
}
