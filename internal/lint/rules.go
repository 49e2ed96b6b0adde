package lint

import (
	"fmt"
	"slices"
)

// A Rule is one house rule.
type Rule struct {
	Name  string
	Why   string
	Check func(t *Tree, say func(format string, args ...any))
}

// Excused lists what may break a rule, each with its reason. The lists may
// only shrink: what is excused and need not be breaks the rule too.
type Excused struct {
	Long map[string]string // files, and functions as "path: name"
	Time map[string]string // functions, as "path: name", that read the machine's clock themselves
}

// Rules returns all of them.
func Rules(e Excused) []Rule {
	return slices.Concat(importRules(), shapeRules(e), useRules(e), textRules())
}

// A Finding is one place that breaks a rule.
type Finding struct{ Rule, Why, Message string }

// Check runs every rule over t, and returns what it finds, by rule.
func Check(t *Tree, e Excused) []Finding {
	var all []Finding
	for _, r := range Rules(e) {
		var found []string
		r.Check(t, func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) })
		slices.Sort(found)
		for _, m := range slices.Compact(found) {
			all = append(all, Finding{r.Name, r.Why, m})
		}
	}
	return all
}
