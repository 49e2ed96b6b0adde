package system

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A step is one command of the README, with what it says that is printed.
type step struct{ command, printed string }

// steps are the commands in the README's console blocks, in order.
func steps(t *testing.T) (all []step) {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		for line := range strings.Lines(m[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, step{command: strings.TrimSpace(command)})
			} else if len(all) > 0 {
				all[len(all)-1].printed += line
			}
		}
	}
	return all
}

// alike is text with what differs from run to run made equal: sessions, the
// place of the hole, and how long something took.
func alike(text string) string {
	text = regexp.MustCompile(`\b1\d{12}\b`).ReplaceAllString(text, "SESSION")
	text = regexp.MustCompile(`\([\d.]+m?s\)`).ReplaceAllString(text, "(TIME)")
	text = regexp.MustCompile(`"from":\d+,"frames":\d+,"cause"`).ReplaceAllString(text, `"from":N,"frames":N,"cause"`)
	return strings.TrimSpace(text)
}

// TestTheREADMEIsTrue runs every command of the README in a copy of what they
// need, and compares what they print with what the README says.
func TestTheREADMEIsTrue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"testdata", "Makefile"} {
		from, err := filepath.Abs("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(from, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(ingestd, filepath.Join(dir, "bin/ingestd")); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range steps(t) {
		seen[s.command] = true
		t.Run(s.command, func(t *testing.T) {
			switch s.command {
			case "make test": // this is it
			case "make demo":
				demo(t, dir)
			case "bin/ingestd devices":
				needMicrophones(t)
				s.run(t, dir)
			default:
				s.run(t, dir)
			}
		})
	}
	if !seen["make demo"] || !seen["make test"] || len(seen) < 6 {
		t.Errorf("the README shows only %v", seen)
	}
}

// run runs the command in dir and compares what it prints.
func (s step) run(t *testing.T, dir string) {
	t.Helper()
	// What a user's umask lets others write is refused: the steps must not depend on it.
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "umask 002; "+s.command)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("$ %s\n%v\n%s", s.command, err, out.String())
	} else if s.printed != "" && alike(out.String()) != alike(s.printed) {
		t.Errorf("$ %s\nprints\n%s\nthe README says\n%s", s.command, out.String(), s.printed)
	}
}

// demo runs what `make demo` runs until the hole is behind it, and ends it as
// Ctrl-C does.
func demo(t *testing.T, dir string) {
	t.Helper()
	recipe, err := os.ReadFile(filepath.Join(dir, "Makefile"))
	if err != nil || !bytes.Contains(recipe, []byte("\nbin/ingestd demo\n")) && !bytes.Contains(recipe, []byte("@bin/ingestd demo\n")) {
		t.Fatalf("make demo does not run `bin/ingestd demo`: %v", err)
	}
	cmd := exec.Command("bin/ingestd", "demo")
	cmd.Dir = dir
	dieWithTest(cmd)
	out := newLines()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, ok := out.wait(ctx, regexp.MustCompile(`mic1 .*unplugged`)); !ok {
		t.Errorf("the demo never unplugged mic1:\n%s", out.String())
	}
	if _, ok := out.wait(ctx, regexp.MustCompile(`mic1 .*back, after a hole`)); !ok {
		t.Errorf("mic1 never came back:\n%s", out.String())
	}
	<-time.After(1500 * time.Millisecond) // so that a chunk follows the hole
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v:\n%s", err, out.String())
	}
}
