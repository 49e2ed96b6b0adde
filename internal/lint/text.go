package lint

import (
	"path"
	"regexp"
	"strings"
)

var (
	lineNumber  = regexp.MustCompile(`\.go:[0-9]+`)
	machinePath = regexp.MustCompile(`(?:^|[^A-Za-z0-9_.}/-])/(?:home|root|work|Users)/`)
	registry    = regexp.MustCompile(`proxy\.golang\.org|sum\.golang\.org|registry\.npmjs|deb\.debian\.org|//pypi\.org`)
	required    = regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v\S+( // indirect)?$`)
	namesModule = regexp.MustCompile("(?m)^\\| `([^`]+)`")
)

func textRules() []Rule {
	return []Rule{{
		Name:  "line numbers",
		Why:   "a line number in a document is wrong within months; name the function",
		Check: lineNumbers,
	}, {
		Name:  "machines",
		Why:   "what is written here is true on every machine, not on the one where it was written",
		Check: machines,
	}, {
		Name:  "dependencies",
		Why:   "a dependency is a promise to follow somebody else's changes; who reads docs/dependencies.md learns what each is for and what it costs",
		Check: dependencies,
	}}
}

func lineNumbers(t *Tree, say func(string, ...any)) {
	for name, text := range t.Texts {
		if path.Ext(name) == ".md" {
			for _, cite := range lineNumber.FindAllString(text, -1) {
				say("%s cites a line number: %s", name, cite)
			}
		}
	}
}

func machines(t *Tree, say func(string, ...any)) {
	for name, text := range t.Texts {
		if name == "internal/lint/text.go" || strings.HasPrefix(name, "internal/lint/testdata/") {
			continue // they say what is looked for
		}
		for _, m := range machinePath.FindAllString(text, -1) {
			say("%s names a path of one machine: %s", name, m[strings.Index(m, "/"):])
		}
		for _, m := range registry.FindAllString(text, -1) {
			say("%s names a package registry: %s", name, m)
		}
	}
}

// dependencies compares go.mod with the table of docs/dependencies.md. A
// requirement is direct if go.mod says so, or if a file imports it.
func dependencies(t *Tree, say func(string, ...any)) {
	imported := map[string]bool{}
	for _, f := range t.Go {
		for _, p := range f.imports() {
			imported[p] = true
		}
	}
	required := map[string]bool{} // module: direct
	for _, m := range requiredModules(t.Texts["go.mod"]) {
		direct := !m.indirect
		for p := range imported {
			direct = direct || p == m.path || strings.HasPrefix(p, m.path+"/")
		}
		required[m.path] = direct
	}
	told := map[string]bool{}
	for _, m := range namesModule.FindAllStringSubmatch(t.Texts["docs/dependencies.md"], -1) {
		told[m[1]] = true
		if _, ok := required[m[1]]; !ok {
			say("docs/dependencies.md tells of %s, which go.mod does not require", m[1])
		}
	}
	for m, direct := range required {
		if direct && !told[m] {
			say("docs/dependencies.md has no line for %s", m)
		}
	}
}

type requirement struct {
	path     string
	indirect bool
}

func requiredModules(gomod string) []requirement {
	var all []requirement
	for _, m := range required.FindAllStringSubmatch(gomod, -1) {
		all = append(all, requirement{m[1], m[2] != ""})
	}
	return all
}
