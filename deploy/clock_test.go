package deploy

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The calls that ask whether the clock is synchronised, and those that set it.
const (
	readsClock = "adjtimex clock_adjtime"
	setsClock  = "clock_settime clock_settime64 settimeofday"
)

// values are those of a key of the unit, in their order.
func values(text, key string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// calls are the system calls of a set such as @clock, those of the sets in it
// too, or the call itself.
func calls(t *testing.T, name string) []string {
	if !strings.HasPrefix(name, "@") {
		return []string{name}
	}
	out, err := exec.Command(tool(t, "systemd-analyze"), "syscall-filter", "--no-pager", name).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^ +(@?\w[\w-]*)$`).FindAllStringSubmatch(string(out), -1) {
		all = append(all, calls(t, m[1])...)
	}
	if len(all) == 0 {
		t.Fatalf("nothing is in %s: %s", name, out)
	}
	return all
}

// permitted are the system calls that a unit lets pass, of the kind that begins
// with a list of what is allowed: a later line adds, or takes away with ~, and
// ProtectClock=yes takes away behind them all.
func permitted(t *testing.T, text string) map[string]bool {
	lines := values(text, "SystemCallFilter")
	if len(lines) == 0 || strings.HasPrefix(lines[0], "~") {
		t.Fatalf("all is allowed that is not named: %q", lines)
	}
	if slices.Contains(values(text, "ProtectClock"), "yes") {
		lines = append(lines, "~@clock")
	}
	all := map[string]bool{}
	for _, line := range append([]string{"@default"}, lines...) {
		names, refused := strings.CutPrefix(line, "~")
		for name := range strings.FieldsSeq(names) {
			for _, call := range calls(t, name) {
				all[call] = !refused
			}
		}
	}
	return all
}

// clockFaults says what a unit forbids that the daemon needs of the clock, and
// what it allows that nobody needs.
func clockFaults(t *testing.T, text string) (faults []string) {
	may := permitted(t, text)
	for call := range strings.FieldsSeq(readsClock) {
		if !may[call] {
			faults = append(faults, "refuses "+call)
		}
	}
	for call := range strings.FieldsSeq(setsClock) {
		if may[call] {
			faults = append(faults, "permits "+call)
		}
	}
	for _, key := range []string{"CapabilityBoundingSet", "AmbientCapabilities"} {
		if got := values(text, key); len(got) != 1 || got[0] != "" {
			faults = append(faults, key+" is not empty")
		}
	}
	return faults
}

// TestUnitReadsTheClockAndCannotSetIt asks systemd what is in its sets.
func TestUnitReadsTheClockAndCannotSetIt(t *testing.T) {
	tool(t, "systemd-analyze")
	text := read(t, "ingestd.service")
	const last = "SystemCallFilter=adjtimex clock_adjtime\n"
	for _, c := range []struct{ from, to, want string }{
		{"", "", ""},
		{"ProtectClock=no", "ProtectClock=yes", "refuses adjtimex, refuses clock_adjtime"},
		{last, "", "refuses adjtimex, refuses clock_adjtime"},
		{last, "SystemCallFilter=adjtimex\n", "refuses clock_adjtime"},
		{last, last + "SystemCallFilter=~@clock\n", "refuses adjtimex, refuses clock_adjtime"},
		{last, "SystemCallFilter=@clock\n", "permits clock_settime, permits clock_settime64, permits settimeofday"},
		{"CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_SYS_TIME", "CapabilityBoundingSet is not empty"},
		{"CapabilityBoundingSet=\n", "", "CapabilityBoundingSet is not empty"},
		{"AmbientCapabilities=", "AmbientCapabilities=CAP_SYS_TIME", "AmbientCapabilities is not empty"},
	} {
		changed := strings.Replace(text, c.from, c.to, 1)
		if c.from != "" && changed == text {
			t.Errorf("%q is not in the unit", c.from)
		}
		if got := strings.Join(clockFaults(t, changed), ", "); got != c.want {
			t.Errorf("%q for %q: it %q, want %q", c.to, c.from, got, c.want)
		}
	}
}
