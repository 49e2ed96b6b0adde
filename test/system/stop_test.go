package system

import (
	"errors"
	"fmt"
	"os"
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
	for _, id := range []string{"a", "b"} {
		l := left(t, root, session, id)
		l.check(t, id)
		if _, _, end := l.sum(); len(l.chunks) != 0 || len(l.parts) == 0 || end != -1 {
			t.Errorf("%s: %d chunks, %d .part, end %d", id, len(l.chunks), len(l.parts), end)
		}
	}
	if got := left(t, root, session, "a").reaches(); float64(got) < durable {
		t.Errorf("%v frames were durable, %d are there", durable, got)
	}
}

// TestTwoSIGTERMsTogetherLeaveNothingHalfWritten ends daemons as impatient
// people do: whatever has its name is whole, and all sound is there.
func TestTwoSIGTERMsTogetherLeaveNothingHalfWritten(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		root := t.TempDir()
		p := start(t, freePort+ramps(48000, eight()...)+disk(root, "200ms", "1s"))
		series := []string{`ingestd_captured_position_frames{sensor="s7"}`, `ingestd_written_position_frames{sensor="s7",sink="disk"}`}[round%2]
		until(t, "there is sound", func() bool { return p.number(series) > 0 })
		code, _ := p.signalled(t, 2)
		all := sessions(t, root)
		if len(all) == 0 && code == 1 {
			continue // it was stopped at once, before a reader had taken anything
		}
		if len(all) != 1 {
			t.Fatalf("round %d, exit code %d: sessions %v", round, code, all)
		}
		session := all[0]
		for _, id := range eight() {
			l := left(t, root, session, id)
			what := fmt.Sprintf("round %d, exit code %d, %s", round, code, id)
			l.check(t, what)
			_, _, end := l.sum()
			if code == 0 && (len(l.parts) > 0 || end < 0) || code != 0 && code != 1 {
				t.Errorf("%s: %d .part, end %d", what, len(l.parts), end)
			}
		}
	}
}
