//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ingestd/ingestd/source/portaudio"
	"github.com/ingestd/ingestd/test/alsa"
)

// TestMain makes the test binary the program for the scripts, and a capture
// process for the program.
func TestMain(m *testing.M) {
	if portaudio.Child(os.Args, os.Exit) {
		return
	}
	testscript.Main(m, map[string]func(){"ingestd": main})
}

// The scripts show what users read: the words, where they are printed and the
// exit code. They know these commands beside the usual ones:
//
//	ends CODE COMMAND...       runs to the end, and ends with exactly that
//	start NAME COMMAND...      runs in the background
//	see NAME REGEXP            waits until it has printed a line like that
//	signal NAME INT|TERM       sends one
//	over NAME CODE             waits for its end, with exactly that
//	ask NAME STATUS METHOD PATH [HOST]   asks its HTTP; the answer is stdout
//	url NAME VARIABLE          sets it to the address of its HTTP
//	appears GLOB               waits for a file
//	wav FILE RATE CHANNELS FRAMES   makes one, 16 bits, each sample its number
//
// Whatever ingestd prints in them must be for people: see tidy.
func TestMessagesAndExitCodes(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/script", nil)
}

// The same with microphones, which are those of the ALSA test plug-in: $RIG is
// the folder in which their faults are switched.
func TestMessagesAboutMicrophones(t *testing.T) {
	t.Parallel()
	if !microphones() {
		alsa.LeaveOut(t, "microphones: built without PortAudio")
	}
	rig := alsa.Build(t, alsa.Mic{Name: "mic0"}, alsa.Mic{Name: "mic1", Rate: 16000, Channels: 2}, alsa.Mic{Name: "busy", Errno: 16}, alsa.Mic{Name: "mic2"}, alsa.Mic{Name: "mic3"})
	runScripts(t, "testdata/microphones", []string{"ALSA_CONFIG_PATH=" + rig.Config, "RIG=" + filepath.Dir(rig.Config)})
}

func runScripts(t *testing.T, dir string, env []string) {
	wavs, err := filepath.Abs("../../testdata/wavs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, "WAVS="+wavs)
			e.Vars = append(e.Vars, env...)
			all := processes{}
			e.Values[processKey{}] = all
			e.Defer(all.kill)
			return nil
		},
		Condition: condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ends": ends, "start": start, "see": see, "signal": signalTo, "insist": insist, "over": over, "ask": ask, "url": setURL, "appears": appears, "wav": makeWAV,
		},
	})
}

// microphones says whether this program has PortAudio: only then it looks at
// the context.
func microphones() bool {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := portaudio.List(ctx, portaudio.ListConfig{})
	return errors.Is(err, context.Canceled)
}

func condition(cond string) (bool, error) {
	switch cond {
	case "microphones":
		return microphones(), nil
	case "cards":
		_, err := os.Stat("/dev/snd")
		return !errors.Is(err, fs.ErrNotExist), nil
	case "mounts": // a user may mount a file system for himself
		return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", os.TempDir()).Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ends CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	ts.Check(tidy(ts.ReadFile("stdout") + ts.ReadFile("stderr")))
}

// tidy returns an error for text that a programmer wrote for himself, and for
// what makes a mess of a file: moving cursors and colours.
func tidy(text string) error {
	for _, bad := range []string{
		`%!`, `\r`, `\x1b`, `\x00`, `panic:`, `goroutine \d`, `<nil>`, `\(nil\)`, `0xc0[0-9a-f]{6}`, `\bmap\[`, `&\{`,
		`\b(main|strconv|fs|os|net|syscall|daemon|sink|source|files|wav|wavfile|json|toml)\.[A-Z]\w+`, `\bstrconv\.`, `invalid syntax`,
		`[^.]\.\.( |$)`, `failed to`, ` \n`, ` $`,
	} {
		if at := regexp.MustCompile(`(?m)` + bad).FindStringIndex(text); at != nil {
			return fmt.Errorf("not for people: %q in %q", text[at[0]:at[1]], text)
		}
	}
	return nil
}

func TestTidyFindsWhatIsNotForPeople(t *testing.T) {
	for _, bad := range []string{
		"%!d(string=x)", "50%\r60%", "\x1b[31mno", "panic: no", "goroutine 1 [running]", "error: <nil>", "*fs.PathError", "main.Sensor.Rate",
		`strconv.ParseFloat: parsing "x"`, "map[a:1]", "Using 1 s.. Strict", "failed to open", "no sensor. \n", "no sensor. ",
	} {
		if tidy("a\n"+bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
	if err := tidy("mic0: no input.\n    Seen now:  \"a\"\n"); err != nil {
		t.Error(err)
	}
}

// TestEveryExampleRuns runs each line of each command's examples, in a folder
// that has what they name. What would run for ever is told to stop.
func TestEveryExampleRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exampleFolder(t, dir)
	for command, lines := range examples() {
		if len(lines) == 0 {
			t.Errorf("%s has no example", command)
		}
		for _, line := range lines {
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				c := exec.Command("sh", "-c", "exec "+exampleHere(line))
				c.Dir = dir
				p, err := startProcess(c)
				if err != nil {
					t.Fatal(err)
				}
				defer p.kill()
				want := 0
				if strings.HasPrefix(line, "ingestd run") || strings.HasPrefix(line, "ingestd demo") && !strings.Contains(line, "--for") {
					if err := p.wait(t.Context(), regexp.MustCompile(`(?m)recording("|\t|$)`)); err != nil {
						t.Fatal(err)
					}
					p.signal("INT")
				}
				if strings.HasPrefix(line, "ingestd devices") && !microphones() {
					want = exitFailed
				}
				if code := p.code(t.Context()); code != want {
					t.Errorf("exit %d, want %d:\n%s", code, want, p.text())
				}
				if err := tidy(p.text()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
