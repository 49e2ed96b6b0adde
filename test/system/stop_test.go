package system

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// eight is the ids of eight sensors.
func eight() (ids []string) {
	for i := range 8 {
		ids = append(ids, fmt.Sprintf("s%d", i))
	}
	return ids
}

// signalled sends SIGTERM that often, and returns the exit code.
func (p *process) signalled(t *testing.T, times int) (code int, took time.Duration) {
	t.Helper()
	begun := time.Now()
	for range times {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Fatal("it did not end")
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(begun)
}

func TestSIGTERMStoresTheLastShortChunkOfEverySensor(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := start(t, freePort+ramps(48000, eight()...)+disk(root, "10s", "1s"))
	captured := map[string]float64{}
	for _, id := range eight() {
		series := fmt.Sprintf("ingestd_captured_position_frames{sensor=%q}", id)
		until(t, id+" has sound", func() bool { captured[id] = p.number(series); return captured[id] > 0 })
	}
	code, took := p.signalled(t, 1)
	if limit := 2 * time.Second; code != 0 || took > limit {
		t.Errorf("exit code %d after %v, want 0 within %v", code, took, limit)
	}
	session := sessions(t, root)[0]
	for _, id := range eight() {
		l := left(t, root, session, id)
		frames, holes, end := l.whole(t, id)
		if len(l.chunks) != 1 || len(l.parts) != 0 || len(holes) != 0 || frames != end || float64(end) < captured[id] {
			t.Errorf("%s: %d chunks, %d .part, holes %+v, %d frames of %d; %v were captured", id, len(l.chunks), len(l.parts), holes, frames, end, captured[id])
		}
		if last := l.entries[len(l.entries)-1]; last.End == nil || !last.Clean {
			t.Errorf("%s: the last line is %+v", id, last)
		}
	}
}

// TestASecondSIGTERMEndsAtOnce stops a daemon that cannot store what is left,
// because its disk is full.
func TestASecondSIGTERMEndsAtOnce(t *testing.T) {
	t.Parallel()
	v := mountVolume(t, "size=6m")
	root := filepath.Join(v.dir, "store")
	p := start(t, freePort+ramps(48000, "a", "b")+disk(root, "20s", "1s"))
	until(t, "sound is durable", func() bool {
		return p.number(`ingestd_durable_position_frames{sensor="a",sink="disk"}`) > 0 && p.number(`ingestd_durable_position_frames{sensor="b",sink="disk"}`) > 0
	})
	durable := p.number(`ingestd_durable_position_frames{sensor="a",sink="disk"}`)
	v.fill()
	until(t, "the disk is full", func() bool { return p.number(`ingestd_sink_errors_total{reason="full",sink="disk"}`) > 0 })
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.see("storing what is left")
	select {
	case <-p.done:
		t.Fatalf("it ended with %v, and there is no room:\n%s", p.err, p.log.String())
	case <-time.After(time.Second):
	}
	code, took := p.signalled(t, 1)
	if limit := 2 * time.Second; code != 1 || took > limit {
		t.Errorf("exit code %d after %v, want 1 within %v", code, took, limit)
	}
	if !strings.Contains(p.log.String(), "stopped before all was stored") {
		t.Error("the log does not say that something is left")
	}
	session := sessions(t, root)[0]
	unfinished := 0
	for _, id := range []string{"a", "b"} { // one of them may have had room for its last frames
		l := left(t, root, session, id)
		l.check(t, id)
		_, _, end := l.sum()
		if len(l.chunks)+len(l.parts) == 0 || end != -1 && len(l.parts) > 0 {
			t.Errorf("%s: %d chunks, %d .part, end %d", id, len(l.chunks), len(l.parts), end)
		}
		if end == -1 {
			unfinished++
		}
	}
	if unfinished == 0 {
		t.Error("both are whole, on a disk that is full")
	}
	if got := left(t, root, session, "a").reaches(); float64(got) < durable {
		t.Errorf("%v frames were durable, %d are there", durable, got)
	}
}

// TestTwoSIGTERMsTogetherAreOne ends daemons as a wrapper does that passes on
// the signal which the daemon got already.
func TestTwoSIGTERMsTogetherAreOne(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		root := t.TempDir()
		p := start(t, freePort+ramps(48000, eight()...)+disk(root, "200ms", "1s"))
		series := []string{`ingestd_captured_position_frames{sensor="s7"}`, `ingestd_written_position_frames{sensor="s7",sink="disk"}`}[round%2]
		captured := 0.0
		until(t, "there is sound", func() bool { captured = p.number(series); return captured > 0 })
		if code, _ := p.signalled(t, 2); code != 0 {
			t.Fatalf("round %d: exit code %d", round, code)
		}
		session := sessions(t, root)[0]
		for _, id := range eight() {
			l := left(t, root, session, id)
			frames, holes, end := l.whole(t, id)
			if len(l.parts) > 0 || len(holes) > 0 || frames != end || id == "s7" && float64(end) < captured {
				t.Errorf("round %d: %s: %d .part, holes %+v, %d frames of %d; %v were captured", round, id, len(l.parts), holes, frames, end, captured)
			}
		}
	}
}

func TestSIGHUPStoresWhatThereIs(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := start(t, freePort+ramps(48000, "mic")+disk(root, "10s", "1s"))
	until(t, "there is sound", func() bool { return p.number(`ingestd_written_position_frames{sensor="mic",sink="disk"}`) > 0 })
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Fatal("it did not end")
	}
	l := left(t, root, sessions(t, root)[0], "mic")
	if frames, _, end := l.whole(t, "mic"); p.err != nil || frames != end || end == 0 || len(l.parts) > 0 {
		t.Errorf("it ended with %v; %d frames of %d, %d .part", p.err, frames, end, len(l.parts))
	}
}

// TestALogThatNobodyReadsStopsNothing gives the daemon a pipe for its log that
// is full from the beginning.
func TestALogThatNobodyReadsStopsNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	name := filepath.Join(t.TempDir(), "ingestd.toml")
	if err := os.WriteFile(name, []byte("[log]\nlevel = \"debug\"\n[http]\nlisten = \"off\"\n"+ramps(48000, "mic")+disk(root, "1s", "1s")), 0o600); err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if err := write.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = write.Write(make([]byte, 4096))
	}
	cmd := exec.Command(ingestd, "run", "--config", name)
	dieWithTest(cmd)
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	defer cmd.Process.Kill()
	until(t, "three chunks are stored", func() bool {
		all := sessions(t, root)
		return len(all) > 0 && len(left(t, root, all[0], "mic").chunks) >= 3
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it did not end")
	}
	if frames, holes, end := left(t, root, sessions(t, root)[0], "mic").whole(t, "mic"); frames != end || len(holes) > 0 {
		t.Errorf("%d frames of %d, holes %v", frames, end, holes)
	}
}
