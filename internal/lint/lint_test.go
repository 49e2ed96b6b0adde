package lint

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// excused is what this tree may do.
func excused() Excused {
	return Excused{
		Time: map[string]string{
			"source/portaudio/deadline.go: deadline": "the deadline of a pipe is in package time's own time",
		},
	}
}

func TestTreeKeepsTheHouseRules(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Go) < 10 {
		t.Fatalf("found %d Go files: this is not the whole tree", len(tree.Go))
	}
	why := map[string]string{}
	for _, f := range Check(tree, excused()) {
		t.Errorf("%s: %s", f.Rule, f.Message)
		why[f.Rule] = f.Why
	}
	for rule, reason := range why {
		t.Logf("%s, because: %s", rule, reason)
	}
}

// Each archive in testdata is a tree that breaks one rule, named by its first
// line. Its file "want" holds what the lint must say, no more and no less.
func TestEachRuleFailsOnItsBadTree(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rule, _, _ := strings.Cut(string(a.Comment), "\n")
			seen[rule] = true
			if got, want := findings(t, a, rule); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
	for _, r := range Rules(Excused{}) {
		if !seen[r.Name] {
			t.Errorf("rule %q has no bad tree in testdata", r.Name)
		}
		if r.Why == "" {
			t.Errorf("rule %q has no reason", r.Name)
		}
	}
}

// findings returns what rule says of the tree in a, and what it should.
func findings(t *testing.T, a *txtar.Archive, rule string) (got, want string) {
	t.Helper()
	root := fstest.MapFS{}
	for _, f := range a.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		// A line of ">" stands for a hundred lines.
		data := strings.ReplaceAll(string(f.Data), ">\n", strings.Repeat("_ = 0\n", 100))
		root[f.Name] = &fstest.MapFile{Data: []byte(data)}
	}
	tree, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range Check(tree, Excused{}) {
		if f.Rule == rule {
			lines = append(lines, f.Message+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, ""), want
}

func TestListsOfExceptionsOnlyShrink(t *testing.T) {
	tree, err := Load(fstest.MapFS{
		"audio/long.go":        {Data: []byte("package audio" + strings.Repeat("\n", maxFile+1))},
		"audio/short.go":       {Data: []byte("package audio\n")},
		"internal/daemon/a.go": {Data: []byte("package daemon\nimport \"time\"\nfunc f() { _ = time.Now() }\nfunc g() { _ = time.Since }\nvar _ = time.Until\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := Excused{
		Long: map[string]string{"audio/long.go": "a table", "audio/short.go": "was long"},
		Time: map[string]string{"internal/daemon/a.go: f": "why not", "audio/short.go: f": "did once"},
	}
	var got []string
	for _, f := range Check(tree, e) {
		if f.Rule == "length" || f.Rule == "time" {
			got = append(got, f.Message)
		}
	}
	want := []string{
		"audio/short.go is excused for being long, and need not be: strike it from the list of internal/lint",
		"audio/short.go: f is excused for reading the time, and need not be: strike it from the list of internal/lint",
		"internal/daemon/a.go uses time.Since: take a clock.Clock",
		"internal/daemon/a.go uses time.Until: take a clock.Clock",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSecurity_C1: nothing but the capture process is ever started, so no
// setting and no name runs a program.
func TestSecurity_C1(t *testing.T) {
	if who := only["os/exec"]; who != "source/portaudio tests" {
		t.Errorf("programs may be started by %s", who)
	}
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Check(tree, excused()) {
		if f.Rule == "programs" || f.Rule == "libraries" {
			t.Error(f.Message)
		}
	}
}

// TestSeed_O11: three layers that know only what is below them: buckets know
// names and bytes, stores know keys and chunks, and what asks of several stores
// is above both. The rule "arrows" keeps the tree to the table.
func TestSeed_O11(t *testing.T) {
	if got := may["sink/*"]; got != "audio audio/* sink" {
		t.Errorf("a bucket may know %q", got)
	}
	if got := may["sink"]; within("sink/files", got) || within("reader", got) || within("clock", got) {
		t.Errorf("a store may know %q", got)
	}
}

// TestSecurity_L3: there is no way to believe every certificate. The rest of
// what was asked of TLS comes with it.
func TestSecurity_L3(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Check(tree, excused()) {
		if f.Rule == "certificates" {
			t.Error(f.Message)
		}
	}
}

// TestSecurity_I3: every parser of what comes from outside has a fuzz target.
// One that is added is added here.
func TestSecurity_I3(t *testing.T) {
	parsers := map[string]string{
		"audio/wav: FuzzRead": "WAV files", "audio/wav: FuzzHeader": "headers that we write", "audio/wav: FuzzGuano": "their notes",
		"cmd/ingestd: FuzzConfig": "configuration", "source/portaudio: FuzzRecord": "records of a capture process", "source/portaudio: FuzzWire": "many of them",
		"source/portaudio: FuzzSelector": "names of devices", "sink: FuzzLayout": "templates and names", "sink: FuzzLine": "lines of blocks.jsonl", "clock/clockfile: FuzzLoad": "clock.jsonl", "sink: FuzzManifest": "store.json",
		"test/ring: FuzzRingAgreesWithAtomicWords": "nothing from outside: programs for the ring",
	}
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tree.Go {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.Test && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				name := f.Dir + ": " + fn.Name.Name
				if parsers[name] == "" {
					t.Errorf("%s: of what?", name)
				}
				delete(parsers, name)
			}
		}
	}
	for name, what := range parsers {
		t.Errorf("%s, of %s, is gone", name, what)
	}
}
