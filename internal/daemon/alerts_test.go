package daemon

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A seriesSet is what labels, with which values, the series of each metric have.
type seriesSet map[string]map[string]map[string]bool

// setOf reads the series of an answer of /metrics, and adds what Prometheus
// itself knows of who it asks.
func setOf(t *testing.T, text string) seriesSet {
	t.Helper()
	all := seriesSet{"up": {"job": {"ingestd": true}}}
	sample := regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? \S+$`)
	label := regexp.MustCompile(`(\w+)="([^"]*)"`)
	for _, m := range sample.FindAllStringSubmatch(text, -1) {
		if all[m[1]] == nil {
			all[m[1]] = map[string]map[string]bool{}
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			if all[m[1]][l[1]] == nil {
				all[m[1]][l[1]] = map[string]bool{}
			}
			all[m[1]][l[1]][l[2]] = true
		}
	}
	for _, labels := range all {
		labels["instance"] = nil
	}
	return all
}

// faults says what an expression of PromQL names that set does not have:
// metrics, labels, values of labels. used are the labels of its metrics.
func (set seriesSet) faults(expr string) (faults []string, used map[string]bool) {
	used = map[string]bool{}
	token := regexp.MustCompile(`^(?:([a-zA-Z_:][\w:]*)|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[0-9][\w.]*|\s+|.)`)
	lists := regexp.MustCompile(`^(?:on|ignoring|by|without|group_left|group_right)$`)
	operators := regexp.MustCompile(`^(?:and|or|unless|bool|offset|group_left|group_right)$`)
	called := regexp.MustCompile(`^(?:\(|(?:by|without)\b)`)
	var listed []string
	for expr != "" {
		m := token.FindStringSubmatch(expr)
		word, rest := m[1], strings.TrimLeft(expr[len(m[0]):], " \n")
		expr = expr[len(m[0]):]
		switch {
		case lists.MatchString(word) && strings.HasPrefix(rest, "("):
			list, behind, _ := strings.Cut(rest[1:], ")")
			listed = append(listed, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })...)
			expr = behind
		case word == "" || operators.MatchString(word) || called.MatchString(rest):
		case set[word] == nil:
			faults = append(faults, "no metric "+word)
		default:
			for label := range set[word] {
				used[label] = true
			}
			if matchers, behind, ok := strings.Cut(rest, "}"); ok && rest[0] == '{' {
				faults = append(faults, set.mismatched(word, matchers[1:])...)
				expr = behind
			}
		}
	}
	for _, label := range listed {
		if !used[label] {
			faults = append(faults, "no label "+label)
		}
	}
	return faults, used
}

// mismatched says which of the matchers of a metric match no series of it.
func (set seriesSet) mismatched(metric, matchers string) (faults []string) {
	matcher := regexp.MustCompile(`^\s*(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*,?`)
	for strings.TrimSpace(matchers) != "" {
		m := matcher.FindStringSubmatch(matchers)
		if m == nil {
			return append(faults, "not understood: "+matchers)
		}
		matchers = matchers[len(m[0]):]
		values, known := set[metric][m[1]]
		if !known {
			faults = append(faults, metric+" has no label "+m[1])
			continue
		}
		wanted := []string{regexp.QuoteMeta(m[3])}
		if strings.HasSuffix(m[2], "~") {
			wanted = strings.Split(m[3], "|") // each alternative must be one
		}
		for _, want := range wanted {
			full := regexp.MustCompile("^(?:" + want + ")$")
			if !slices.ContainsFunc(slices.Collect(maps.Keys(values)), full.MatchString) {
				faults = append(faults, metric+" is never of "+m[1]+" "+want)
			}
		}
	}
	return faults
}

func TestExpressionsAreLookedThrough(t *testing.T) {
	set := setOf(t, "# HELP a_total is\na_total{cause=\"xrun\",sensor=\"mic\"} 0\na_total{cause=\"source\",sensor=\"mic\"} 0\nb 1\n")
	for expr, want := range map[string]string{
		`increase(a_total{cause=~"xrun|source"}[10m]) > 0 or b < 3600 * 1.5`:   "",
		`up{job="ingestd"} == 0 or absent(up{job="ingestd"})`:                  "",
		`sum by (cause) (a_total) / on (instance, sensor) group_left a_total`:  "",
		`a_total{cause="xrun", sensor!="mic"} unless ignoring (cause) a_total`: "",
		`c_total > 0`: "no metric c_total",
		`increase(a_total[5m]) > 0 and increase(a_totals[5m]) > 0`: "no metric a_totals",
		`a_total{reason="xrun"}`:                                   "a_total has no label reason",
		`a_total{cause="xruns"}`:                                   "a_total is never of cause xruns",
		`a_total{cause=~"xrun|sourc"}`:                             "a_total is never of cause sourc",
		`a_total{sensor="mic", cause!="x.un"}`:                     `a_total is never of cause x\.un`,
		`b{cause="xrun"}`:                                          "b has no label cause",
		`b / on (cause) b`:                                         "no label cause",
		`a_total{cause=xrun}`:                                      "not understood: cause=xrun",
	} {
		if faults, _ := set.faults(expr); strings.Join(faults, ", ") != want {
			t.Errorf("%s: %q, want %q", expr, faults, want)
		}
	}
}

// TestAlertsNameMetricsThatExist looks through the rules that are shipped: what
// they name must be there before the first frame.
func TestAlertsNameMetricsThatExist(t *testing.T) {
	data, err := os.ReadFile("../../deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	set := setOf(t, atStart(t))
	rule := regexp.MustCompile(`(?ms)^ +- alert: (\w+)\n +expr:(?: >-)?(.*?)\n +(?:for|labels):(.*?)(?:\n\n|\z)`)
	rules := rule.FindAllStringSubmatch(string(data), -1)
	if n := strings.Count(string(data), "alert:"); len(rules) != n || n < 5 {
		t.Fatalf("%d of %d rules were found", len(rules), n)
	}
	for _, m := range rules {
		faults, used := set.faults(m[2])
		for _, l := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(m[3], -1) {
			if !used[l[1]] {
				faults = append(faults, "its text names the label "+l[1])
			}
		}
		if len(faults) > 0 || len(used) == 0 {
			t.Errorf("%s: %q in %s", m[1], faults, m[2])
		}
	}
}
