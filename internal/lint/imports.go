package lint

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// may says what of ours each package may import, tests aside. The arrows run
// with the audio, from the source to the disk, and down to the words.
var may = map[string]string{
	"audio":           "",
	"audio/*":         "audio",
	"clock":           "audio",
	"clock/*":         "audio audio/* clock",
	"source":          "audio audio/* clock",
	"source/*":        "audio audio/* clock source",
	"buffer":          "audio",
	"reader":          "audio buffer clock",
	"reader/*":        "audio reader",
	"sink":            "audio audio/*",
	"sink/*":          "audio audio/* sink",
	"configs":         "",
	"deploy":          "",
	"internal/lint":   "",
	"internal/daemon": "*",
	"cmd/*":           "*",
	"test/*":          "*",
}

// only says who alone may import a library, by the beginning of its import
// path. Packages whose name ends in "test" and _test.go files count as tests.
var only = map[string]string{
	"C":                                "source/portaudio", // so that all else builds without a C compiler
	"github.com/gordonklaus/portaudio": "source/portaudio",
	"github.com/go-audio":              "audio/wav",
	"go.uber.org/zap":                  "internal/daemon cmd/ingestd",
	"github.com/prometheus":            "internal/daemon cmd/ingestd",
	"github.com/coreos/go-systemd":     "internal/daemon",
	"github.com/pelletier/go-toml":     "cmd/ingestd",
	"github.com/spf13/cobra":           "cmd/ingestd",
	"github.com/spf13/pflag":           "cmd/ingestd",
	"github.com/schollz/progressbar":   "cmd/ingestd",
	"github.com/dustin/go-humanize":    "cmd/ingestd",
	"golang.org/x/net":                 "internal/daemon",
	"golang.org/x/term":                "cmd/ingestd",
	"golang.org/x/sys":                 "clock buffer sink/files source/* internal/daemon cmd/ingestd",
	"pgregory.net/rapid":               "tests",
	"github.com/rogpeppe/go-internal":  "tests",
	"golang.org/x/sync":                "", // sync.WaitGroup is enough
	"github.com/stretchr/testify":      "", // an if is enough
	"text/template":                    "",
	"html/template":                    "",
	"os/exec":                          "source/portaudio tests",
	"log":                              "cmd/*",
	"log/slog":                         "cmd/*",
	"flag":                             "cmd/* tests",
	"testing":                          "tests",
}

func importRules() []Rule {
	return []Rule{{
		Name:  "arrows",
		Why:   "audio runs from the source to the sink, and imports point that way or down; then each stage can be read, tested and replaced alone",
		Check: arrows,
	}, {
		Name: "libraries",
		Why: "a library that one package alone knows can be replaced in one package; the templates switch off the linker's dead-code elimination, " +
			"and a library that logs, parses flags or starts programs decides what is its caller's to decide",
		Check: libraries,
	}, {
		Name:  "suites",
		Why:   "what every driver promises is written once, as a suite; a driver that does not run it is nearly right",
		Check: suites,
	}}
}

func arrows(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		if f.Test || f.Dir == "." {
			continue
		}
		allowed, known := lookup(may, f.Dir)
		if !known {
			say("%s: nobody has said what %s may import; add it to the table of internal/lint", f.Path, f.Dir)
			continue
		}
		for _, spec := range f.AST.Imports {
			p := strings.Trim(spec.Path.Value, `"`)
			ours, ok := strings.CutPrefix(p, Module+"/")
			if ok && ours != f.Dir && !within(ours, allowed) {
				say("%s imports %s", f.Path, ours)
			}
		}
	}
}

// lookup finds the entry of the table that stands for dir. An exact name wins
// over a wildcard.
func lookup(table map[string]string, dir string) (string, bool) {
	if v, ok := table[dir]; ok {
		return v, true
	}
	for _, k := range slices.Sorted(maps.Keys(table)) {
		if strings.HasSuffix(k, "/*") && within(dir, k) {
			return table[k], true
		}
	}
	return "", false
}

func libraries(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		for _, spec := range f.AST.Imports {
			p := strings.Trim(spec.Path.Value, `"`)
			if p == Module || strings.HasPrefix(p, Module+"/") {
				continue
			}
			who, known := home(p)
			switch {
			case !known && strings.Contains(strings.Split(p, "/")[0], "."):
				say("%s imports %s, of which nobody has said who may; add it to the table of internal/lint and to docs/dependencies.md", f.Path, p)
			case known && who == "":
				say("%s imports %s, which nobody may", f.Path, p)
			case known && !mayUse(f, who):
				say("%s imports %s, which only %s may", f.Path, p, who)
			}
		}
	}
}

// home finds who may import the library or standard package p.
func home(p string) (string, bool) {
	for lib, who := range only {
		if p == lib || strings.HasPrefix(p, lib+"/") && strings.Contains(lib, ".") {
			return who, true
		}
	}
	return "", false
}

func mayUse(f *File, who string) bool {
	isTest := f.Test || strings.HasSuffix(f.Dir, "test")
	return within(f.Dir, who) || within(f.Dir, "test/*") || isTest && within("tests", who)
}

// suites asks of each driver, a folder of Go files directly below source or
// sink, for a test that calls the suite of its kind.
func suites(t *Tree, say func(string, ...any)) {
	tested := map[string]bool{}
	for _, f := range t.Go {
		parent := path.Dir(f.Dir)
		if parent != "source" && parent != "sink" || path.Base(f.Dir) == parent+"test" {
			continue
		}
		suite := path.Join(parent, parent+"test")
		tested[f.Dir] = tested[f.Dir] || f.Test && slices.Contains(f.imports(), suite)
	}
	for dir, ok := range tested {
		if !ok {
			parent := path.Dir(dir)
			say("%s has no test that calls %s/%stest", dir, parent, parent)
		}
	}
}
