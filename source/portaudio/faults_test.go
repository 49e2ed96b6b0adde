//go:build linux

package portaudio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/sourcetest"
)

// pretend is a capture by a stand-in.
func pretend(part string) Config {
	return Config{
		Device: "name:mic0", Format: standInFormat(), Sensor: "mic0",
		extra: []string{standInVariable + "=" + part},
	}
}

// drain reads until the source breaks.
func drain(ctx context.Context, s source.Source) (frames int, err error) {
	p := make([]byte, 1<<16)
	for {
		k, err := s.Read(ctx, p)
		if frames += k.Frames; err != nil {
			return frames, err
		}
	}
}

func TestChildThatMisbehavesIsEndedAndNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part    string
		reason  source.Reason
		at, by  time.Duration // when it is to be noticed
		message string
	}{
		{"mute", source.Timeout, time.Second, 2 * time.Second, "mic0: its driver did not answer for 1s while PortAudio started; the capture process was ended."},
		{"hello", source.Timeout, time.Second, 2 * time.Second, "mic0: its driver did not answer for 1s while PortAudio started; the capture process was ended."},
		{"initialized", source.Timeout, 500 * time.Millisecond, 1500 * time.Millisecond, "mic0: its driver did not answer for 500ms while it was opened; the capture process was ended."},
		{"opened", source.Timeout, 500 * time.Millisecond, 1500 * time.Millisecond, "mic0: its driver did not answer for 500ms while it was started; the capture process was ended."},
		{"deaf", source.Timeout, 500 * time.Millisecond, 1500 * time.Millisecond, "mic0: its driver did not answer for 500ms while it was started; the capture process was ended."},
		{"silent", source.Stall, 500 * time.Millisecond, 1500 * time.Millisecond, "mic0 has delivered nothing for 0."},
		{"stall", source.Stall, 600 * time.Millisecond, 1700 * time.Millisecond, " s; its capture process was ended."},
		{"still", source.Hang, 800 * time.Millisecond, 1800 * time.Millisecond, "mic0: its capture process has not answered for 800ms and was ended."},
		{"stopped", source.Hang, 800 * time.Millisecond, 1800 * time.Millisecond, "mic0: its capture process has not answered for 800ms and was ended."},
		{"fast", source.Rate, 0, time.Second, " frames/s instead of 8000: not a sound card. Its capture process was ended."},
		{"flood", source.Flood, 0, time.Second, "mic0: its driver wrote messages without end (unplugged?); the capture process was ended. Its last words: ALSA lib pcm.c: No such device"},
		{"garbage", source.Failed, 0, time.Second, "mic0: the capture process is out of step: no record where one begins; it was ended."},
		{"early", source.Failed, 0, time.Second, "mic0: the capture process is out of step; it was ended."},
		{"nameless", source.Failed, 0, time.Second, "mic0: the capture process is out of step; it was ended."},
		{"skips", source.Failed, 0, time.Second, "mic0: the capture process is out of step; it was ended."},
		{"version", source.Failed, 0, time.Second, "mic0: its capture process is of another build of ingestd, "},
		{"build", source.Failed, 0, time.Second, "mic0: its capture process is of another build of ingestd, v0.9 go1.99 123456789abc, than this one, " + thisBuild() +
			"; it was ended. Restart ingestd: its program was replaced while it ran."},
		{"exit", source.Exit, 0, time.Second, "mic0: its capture process ended: exit status 7. Its last words: out of luck[31m"},
		{"abort", source.Abort, 0, time.Second, "mic0: its capture process ended: signal: killed."},
	} {
		t.Run(c.part, func(t *testing.T) {
			t.Parallel()
			begun := clock.System{}.Monotonic()
			config := pretend(c.part)
			config.limits = quick()
			s, err := open(t.Context(), config)
			if err == nil {
				defer s.Close()
				_, err = drain(t.Context(), s)
			}
			took := time.Duration(clock.System{}.Monotonic() - begun)
			var f *source.Fault
			if !errors.As(err, &f) || f.Reason != c.reason || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want %s: %s", err, c.reason, c.message)
			}
			// The latest is for a machine that is busy with other tests.
			if took < c.at || took > c.by+3*time.Second {
				t.Errorf("noticed after %v, want %v to %v", took, c.at, c.by)
			}
			if s == nil {
				return
			}
			if !s.proc.ended(0) {
				t.Error("the child lives on")
			}
			if _, again := s.Read(t.Context(), make([]byte, 2)); again != err {
				t.Errorf("the next read says %v", again)
			}
		})
	}
}

// The second that is missing shortly before the end is not in the times of what
// comes behind it: the hole that is made of them begins before it.
func TestGapBeforeTheEndIsLeftToTheHoleBehind(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), pretend("unplug"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := make([]byte, 2*300) // no whole record
	var begun, end, frames int64
	for {
		k, err := s.Read(t.Context(), p)
		if err != nil {
			var f *source.Fault
			if !errors.As(err, &f) || f.Reason != source.Exit {
				t.Errorf("got %v", err)
			}
			break
		}
		if k.At < end || k.Lost > 0 {
			t.Errorf("behind %d frames: %+v, behind %d", frames, k, end)
		}
		if k.First {
			begun = k.At - nanoseconds(int64(k.Frames), 8000)
		}
		frames, end = frames+int64(k.Frames), k.At
	}
	if frames != 12*400 || end-begun != nanoseconds(frames, 8000) {
		t.Errorf("%d frames in %v", frames, time.Duration(end-begun))
	}
}

func TestHelloDoesNotProlongTheStart(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out := outlet{pipe: w, clock: clock.System{}}
	s := &Source{cfg: pretend(""), wire: newWire(r, 2)}
	if _, err := s.cfg.defaults(); err != nil {
		t.Fatal(err)
	}
	s.heard = s.cfg.Clock.Monotonic()
	begun := s.heard
	for _, c := range []struct {
		kind   kind
		notice notice
		later  bool
	}{
		{hello, notice{Version: protocol, Build: thisBuild()}, false},
		{state, notice{Stage: initialized}, true},
	} {
		if err := errors.Join(out.notice(c.kind, c.notice), s.step(t.Context())); err != nil || s.heard > begun != c.later {
			t.Errorf("the time to the next step runs since %v behind the start, %v", time.Duration(s.heard-begun), err)
		}
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	c := pretend("opened")
	c.Turn = NewTurn()
	if _, err := open(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := c.Turn.take(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSuiteOfASilentDevice(t *testing.T) {
	t.Parallel()
	c := pretend("silent")
	c.limits = usual()
	c.limits.first = time.Hour
	sourcetest.TestWaiting(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		s, err := open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return s, sourcetest.Want{}
	})
}

func TestListingThatHangsOrDiesIsAFault(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{
		"mute": "list devices: a driver has not answered for 1s; the process that asked was ended.",
		"exit": "list devices: the process that asked ended: exit status 7. Its last words: out of luck[31m",
	} {
		c := pretend(part)
		if _, err := c.defaults(); err != nil {
			t.Fatal(err)
		}
		c.limits.list = time.Second
		if part == "exit" {
			c.limits.list = time.Minute
		}
		if _, err := ask(t.Context(), c); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", part, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := pretend("mute")
	if _, err := c.defaults(); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A process that sits in the kernel outlives SIGKILL. Its device is left alone
// until it is gone.
func TestDeviceOfAProcessThatDoesNotEndIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := pretend("silent")
	c.Turn = NewTurn()
	s, err := open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Turn.leave(c.Device, s.proc)
	_, err = open(t.Context(), c)
	if want := fmt.Sprintf("mic0 is held by capture process %d, which does not end", s.info.PID); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	s.Close()
	again, err := open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestStartsTakeTurns(t *testing.T) {
	t.Parallel()
	c := pretend("silent")
	c.Turn = NewTurn()
	if err := c.Turn.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := open(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("started while another had the turn: %v", err)
	}
	c.Turn.pass()
	for range 2 { // the turn was passed on, although the first runs
		s, err := open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
	}
}

// TestSecurity_C4: a child inherits nothing but its pipes and a list of variables.
func TestSecurity_C4(t *testing.T) {
	t.Parallel()
	secret, err := os.Create(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	c := pretend("silent")
	c.Env = func(name string) string { return "value of " + name }
	s, err := open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	proc := fmt.Sprintf("/proc/%d/", s.info.PID)
	environ, err := os.ReadFile(proc + "environ")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for v := range strings.SplitSeq(strings.TrimRight(string(environ), "\x00"), "\x00") {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	want := "ALSA_CONFIG_DIR ALSA_CONFIG_PATH ALSA_PLUGIN_DIR DBUS_SESSION_BUS_ADDRESS GOMAXPROCS GORACE GOTRACEBACK HOME INGESTD_CHILD INGESTD_TEST_STAND_IN " +
		"JACK_DEFAULT_SERVER JACK_NO_START_SERVER JACK_SERVER LANG PATH PIPEWIRE_LATENCY PIPEWIRE_NODE PIPEWIRE_REMOTE PIPEWIRE_RUNTIME_DIR " +
		"PULSE_CLIENTCONFIG PULSE_COOKIE PULSE_RUNTIME_PATH PULSE_SERVER PULSE_SOURCE XDG_RUNTIME_DIR"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("environment of\n%s, want\n%s", got, want)
	}
	fds, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(proc + "fd/" + fd.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:[event") &&
			!strings.HasPrefix(to, "/sys/fs/cgroup/") { // the Go runtime reads its share of the processors there
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}
	title, err := os.ReadFile(proc + "cmdline")
	if err != nil || string(title) != "ingestd: capture mic0\x00" {
		t.Errorf("title %q, %v", title, err)
	}
}

func TestNothingIsLeftOfManyStarts(t *testing.T) {
	// Not parallel: it counts what the whole process has open.
	before := descriptors(t)
	for range 20 {
		s, err := open(t.Context(), pretend("silent"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(t.Context(), make([]byte, 2)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

func TestLogOfAChildIsBounded(t *testing.T) {
	t.Parallel()
	lines := 0
	c := pretend("flood")
	c.Log = func(line string) {
		if lines++; strings.Contains(line, "\x1b") {
			t.Errorf("line %q", line)
		}
	}
	s, err := open(t.Context(), c)
	if err == nil {
		defer s.Close()
		_, err = drain(t.Context(), s)
	}
	if err == nil || lines == 0 || lines > 2*talkLines {
		t.Errorf("%d lines, %v", lines, err)
	}
}
