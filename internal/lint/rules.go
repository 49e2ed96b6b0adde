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

// Rules returns all of them.
func Rules() []Rule {
	return slices.Concat(importRules(), shapeRules(), useRules(), textRules())
}

// A Finding is one place that breaks a rule.
type Finding struct{ Rule, Why, Message string }

// Check runs every rule over t, and returns what it finds, by rule.
func Check(t *Tree) []Finding {
	var all []Finding
	for _, r := range Rules() {
		var found []string
		r.Check(t, func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) })
		slices.Sort(found)
		for _, m := range slices.Compact(found) {
			all = append(all, Finding{r.Name, r.Why, m})
		}
	}
	return all
}
