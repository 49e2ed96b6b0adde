//go:build mutants

package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A layer is one way of testing one package. A mutant meets them in this order,
// and is caught by the first that fails.
type layer struct {
	name string
	args []string
}

// ofRing are the ways to test the ring and its readers.
func ofRing() []layer {
	// The models of the protocols do not know the code, and costs are no fault.
	const rest = "Protocols|RulesAre|ModelThat|Explorer|Cost"
	return []layer{
		{"tests of buffer", []string{"-skip", rest, "./buffer"}},
		{"tests of reader", []string{"-skip", "EveryMillisecond", "./reader", "-rapid.nofailfile"}},
		{"injection", []string{"-tags", "chaos", "-run", "Between|WriterGoesOn|Waiting|Asleep|Misses|Ends", "./reader", "-rapid.nofailfile"}},
		{"race", []string{"-race", "-run", "Tile|NoWakeUp|FlatOut", "./reader", "-rapid.nofailfile"}},
	}
}

// ofClock are the ways to test the ledger of time.
func ofClock() []layer {
	return []layer{
		{"tests of clock", []string{"-short", "-skip", "CostsTheSame", "./clock", "-rapid.nofailfile"}},
		{"race of clock", []string{"-short", "-race", "-run", "Beside|Awaited", "./clock", "-rapid.nofailfile"}},
		{"tests of reader", []string{"-skip", "EveryMillisecond", "./reader", "-rapid.nofailfile"}},
	}
}

// run is what go test says of the packages with layer l and an overlay, or "" if
// all is well.
func (l layer) run(t *testing.T, overlay string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := append([]string{"test", "-count=1", "-failfast", "-vet=off", "-timeout=60s", "-overlay=" + overlay}, l.args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		if bytes.Contains(out, []byte("no tests to run")) {
			t.Fatalf("%s: no tests are run", l.name)
		}
		return ""
	case !errors.As(err, &failed):
		t.Fatal(err)
	case failure.Find(out) == nil:
		t.Fatalf("it fails, and no test does:\n%s", out)
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		t.Fatalf("it does not build:\n%s", out)
	}
	return string(out)
}

const root = "../.."

// seed writes the mutant and returns the overlay that puts it in place.
func (m mutant) seed(t *testing.T) (overlay string) {
	path, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.what); n != 1 {
		t.Fatalf("%s holds %q %d times: the mutant must be written anew", m.file, m.what, n)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), m.what, m.with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)|^(panic: .*|fatal error: .*|WARNING: DATA RACE)`)

// Every mutant of the ring and its readers is caught, some by injection alone.
// What the race detector sees, scripts/naive shows.
func TestEveryMutantIsCaught(t *testing.T) {
	caught, all := catch(t, table(), ofRing()), 0
	for _, n := range caught {
		all += n
	}
	if all == len(table()) && caught["injection"] == 0 {
		t.Error("injection caught nothing: is it run?")
	}
}

func TestEveryMutantOfTheLedgerOfTimeIsCaught(t *testing.T) { catch(t, telling(), ofClock()) }

// catch fails for each mutant that no layer catches, and if one fails without a
// mutant. It returns how many each layer has caught.
func catch(t *testing.T, mutants []mutant, layers []layer) (caught map[string]int) {
	none := filepath.Join(t.TempDir(), "none.json")
	if err := os.WriteFile(none, []byte(`{"Replace": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		if out := l.run(t, none); out != "" {
			t.Fatalf("%s fail without a mutant:\n%s", l.name, out)
		}
	}
	caught = map[string]int{}
	names := map[string]bool{}
	for i, m := range mutants {
		if names[m.name] {
			t.Errorf("two mutants are called %q", m.name)
		}
		names[m.name] = true
		if os.Getenv("INGESTD_MUTANTS") == "short" && i%3 != 0 {
			continue
		}
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			overlay := m.seed(t)
			for _, l := range layers {
				if out := l.run(t, overlay); out != "" {
					t.Logf("caught by %s: %s", l.name, strings.TrimSpace(failure.FindString(out)))
					caught[l.name]++
					return
				}
			}
			t.Errorf("%s: %s: nothing caught it", m.file, m.name)
		})
	}
	t.Logf("%d mutants, caught by: %v", len(mutants), caught)
	return caught
}
