package system

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/sink/sinktest"
)

var (
	pathCall = regexp.MustCompile(`(?m)^\d+ +(\w+)\((?:AT_FDCWD, |\d+, )?"((?:[^"\\]|\\.)*)"`)
	number   = regexp.MustCompile(`\d+`)
)

// touched runs ingestd and returns every path that it or a process of it gave
// to the kernel. Numbers, as those of processes, are all alike.
func touched(t *testing.T, strace string, args ...string) map[string]bool {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	r := doProgram(t, strace, append([]string{"-f", "-qq", "-s", "8192", "-e", "trace=%file", "-o", trace, ingestd}, args...)...)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Skipf("left out: strace may not look into a process here: %v: %s", err, r.stderr)
	}
	paths := map[string]bool{}
	for _, m := range pathCall.FindAllStringSubmatch(string(text), -1) {
		paths[number.ReplaceAllString(m[2], "0")] = true
	}
	return paths
}

// TestSecurity_P4 watches which paths reach the kernel: with a hostile name none
// does that does not with an honest one, but below the root.
func TestSecurity_P4(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	dir := t.TempDir()
	root, sound, config := filepath.Join(dir, "R"), filepath.Join(dir, "a.wav"), filepath.Join(dir, "ingestd.toml")
	writeWAV(t, sound, mono, make([]byte, 2000))
	alike := func(path string) string { return number.ReplaceAllString(path, "0") }
	configured := func(id string) {
		t.Helper()
		text := fmt.Sprintf("[http]\nlisten = \"off\"\n[[sensor]]\nid = %s\nsource = \"wav\"\nfiles = [%q]\nspeed = 0\n", id, sound) + disk(root, "1s", "1s")
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replay := []string{"replay", sound, "--root", root, "--speed", "0", "--sensor"}
	checked := []string{"config", "check", "--config", config}
	configured(`"mic0"`)
	honest := touched(t, strace, append(replay, "mic0")...)
	if !honest[alike(sound)] || !honest["store.json"] || len(honest) < 10 {
		t.Fatalf("an honest replay touches %v", slices.Sorted(maps.Keys(honest)))
	}
	maps.Copy(honest, touched(t, strace, checked...))
	judge := func(what string, paths map[string]bool) {
		t.Helper()
		if len(paths) < 5 {
			t.Errorf("%s: touches %v only", what, slices.Sorted(maps.Keys(paths)))
		}
		for path := range paths {
			// The program opens what is below the root by the root's descriptor.
			inside := !filepath.IsAbs(path) && !slices.Contains(strings.Split(path, "/"), "..")
			if !honest[path] && !inside && path != alike(root) && !strings.HasPrefix(path, alike(root)+"/") {
				t.Errorf("%s: it touches %s", what, path)
			}
		}
	}
	names := slices.Concat(sinktest.HostileNames(), sinktest.OddNames())
	for i := 0; i < len(names); i += 41 { // each costs a process
		if name := names[i]; !strings.Contains(name, "\x00") {
			judge(fmt.Sprintf("--sensor %q", name), touched(t, strace, append(replay, name)...))
			judge(fmt.Sprintf("--layout %q", name), touched(t, strace, append(replay, "mic0", "--layout", name+"/{session}/{block}.wav")...))
		}
	}
	for _, id := range []string{`"../../../../x"`, `"/etc/passwd"`, `"%2e%2e%2fx"`, `"..\\x"`, `"mic0\u0000"`} {
		configured(id)
		judge("config check of id = "+id, touched(t, strace, checked...))
		if os.Getuid() == 0 { // else what is concealed cannot be watched
			judge("run with id = "+id, touched(t, strace, "run", "--config", config))
		}
	}
}
