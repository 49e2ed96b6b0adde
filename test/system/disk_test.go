package system

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// TestAFullDiskCostsNothingUntilTheRingIsOver fills a disk while one sensor is
// recorded, and makes room again.
func TestAFullDiskCostsNothingUntilTheRingIsOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options string
		fill          func(*volume) string
		ring          string
		outage        time.Duration
		hole          bool
	}{
		{"bytes, shorter than the ring", "size=6m", (*volume).fill, "20s", 2 * time.Second, false},
		{"bytes, longer than the ring", "size=6m", (*volume).fill, "2s", 6 * time.Second, true},
		{"names, shorter than the ring", "size=6m,nr_inodes=100", (*volume).fillNames, "20s", 2 * time.Second, false},
		{"names, longer than the ring", "size=6m,nr_inodes=100", (*volume).fillNames, "2s", 6 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := mountVolume(t, c.options)
			root := filepath.Join(v.dir, "store")
			config := freePort + fmt.Sprintf("[defaults.sensor]\nring = %q\n", c.ring) + ramps(48000, "a") + disk(root, "700ms", "1s")
			p := start(t, config)
			until(t, "something is stored", func() bool { return p.number(`ingestd_sink_chunks_total{sensor="a",sink="disk"}`) > 0 })

			ballast := c.fill(v)
			until(t, "the disk is full", func() bool { return p.number(`ingestd_sink_errors_total{reason="full",sink="disk"}`) > 0 })
			until(t, "it says so", func() bool { code, _ := p.get("/readyz"); return code == 503 })
			begun := p.number(`ingestd_source_frames_total{sensor="a"}`)
			p.isRed(t, "no space left on device")
			<-time.After(c.outage)
			if now := p.number(`ingestd_source_frames_total{sensor="a"}`); now < begun+48000*(c.outage-time.Second).Seconds() {
				t.Errorf("%v frames were captured when the disk was full, %v after %v", begun, now, c.outage)
			}
			p.isRed(t, "no space left on device")

			if err := os.RemoveAll(ballast); err != nil {
				t.Fatal(err)
			}
			room := time.Now()
			until(t, "it stores again", func() bool { code, _ := p.get("/readyz"); return code == 200 })
			if took := time.Since(room); took > 10*time.Second {
				t.Errorf("it stored again after %v", took)
			}
			p.caughtUp(t)
			p.stop()
			p.judgeOutage(t, root, c.hole)
		})
	}
}

// isRed wants a daemon that captures, does not store for the reason given, and
// says so.
func (p *process) isRed(t *testing.T, reason string) {
	t.Helper()
	code, body := p.get("/readyz?verbose")
	if code != 503 || !strings.Contains(body, "[-] disk: archive does not store a: ") || !strings.Contains(body, reason) {
		t.Errorf("/readyz is %d:\n%s", code, body)
	}
	if up := p.value(`ingestd_source_up{sensor="a"}`); up != "1" {
		t.Errorf("source_up is %s", up)
	}
}

// caughtUp waits until what is durable is younger than now.
func (p *process) caughtUp(t *testing.T) {
	t.Helper()
	now := p.number(`ingestd_captured_position_frames{sensor="a"}`)
	until(t, "everything is durable", func() bool {
		return p.number(`ingestd_durable_position_frames{sensor="a",sink="disk"}`) > now
	})
}

// judgeOutage reckons up what a daemon stored that could not store for a while.
func (p *process) judgeOutage(t *testing.T, root string, hole bool) {
	t.Helper()
	log := p.log.String()
	for _, text := range []string{"STORING of a STOPPED", "storing of a goes on"} {
		if n := strings.Count(log, text); n != 1 {
			t.Errorf("the log says %q %d times", text, n)
		}
	}
	all := sessions(t, root)
	if len(all) != 1 {
		t.Fatalf("sessions %v", all)
	}
	frames, holes, end := left(t, root, all[0], "a").whole(t, "a")
	t.Logf("%d frames stored, holes %+v, %d captured", frames, holes, end)
	if !hole && len(holes) > 0 {
		t.Errorf("the ring had everything, and there are holes %+v", holes)
	}
	if hole && (len(holes) != 1 || holes[0].Cause != audio.Disk) {
		t.Errorf("holes %+v, want one of cause disk", holes)
	}
}

// TestADiskThatFailsCostsNothingUntilTheRingIsOver has a system call fail for a
// while, as it does when the kernel makes a damaged file system read-only or a
// disk does not answer.
func TestADiskThatFailsCostsNothingUntilTheRingIsOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ call, errno, reason, says string }{
		{"pwrite64", "EROFS", "readonly", "read-only file system"},
		{"pwrite64", "EIO", "io", "input/output error"},
		{"renameat2", "EIO", "io", "input/output error"},
		{"syncfs", "EIO", "io", "input/output error"},
	} {
		t.Run(c.call+" "+c.errno, func(t *testing.T) {
			t.Parallel()
			strace := tool(t, "strace")
			root := filepath.Join(t.TempDir(), "store")
			p := start(t, freePort+ramps(48000, "a")+disk(root, "700ms", "1s"))
			until(t, "something is stored", func() bool { return p.number(`ingestd_sink_chunks_total{sensor="a",sink="disk"}`) > 0 })
			repair := p.inject(t, strace, c.call, c.errno)
			series := fmt.Sprintf("ingestd_sink_errors_total{reason=%q,sink=\"disk\"}", c.reason)
			until(t, "the disk fails", func() bool { return p.number(series) > 0 })
			until(t, "it says so", func() bool { code, _ := p.get("/readyz"); return code == 503 })
			p.isRed(t, c.says)
			<-time.After(2 * time.Second)
			p.isRed(t, c.says)
			repair()
			repaired := time.Now()
			until(t, "it stores again", func() bool { code, _ := p.get("/readyz"); return code == 200 })
			if took := time.Since(repaired); took > 10*time.Second {
				t.Errorf("it stored again after %v", took)
			}
			p.caughtUp(t)
			p.stop()
			p.judgeOutage(t, root, false)
		})
	}
}

// inject makes every call of that name fail until the function it returns is
// called.
func (p *process) inject(t *testing.T, strace, call, errno string) (repair func()) {
	t.Helper()
	cmd := exec.Command(strace, "-f", "-p", fmt.Sprint(p.cmd.Process.Pid), "-e", "trace="+call, "-e", "inject="+call+":error="+errno)
	dieWithTest(cmd)
	said := newLines()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = cmd.Wait()
		said.close()
	}()
	repair = func() {
		_ = cmd.Process.Signal(os.Interrupt) // it lets go of the daemon
		<-over
	}
	t.Cleanup(repair)
	if _, ok := said.wait(t.Context(), regexp.MustCompile(`attached`)); !ok {
		t.Skipf("left out: strace may not look into another process here: %s", said.String())
	}
	return repair
}
