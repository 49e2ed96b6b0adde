// Package deploy holds what a host needs beside the binary. Its tests ask
// systemd and Prometheus themselves whether they understand it.
package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxExposure is what `systemd-analyze security` may say at most, 10 being
// nothing done and 0 nothing left to do.
const maxExposure = "1.6"

// tool returns the path of a program, or leaves the test out.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("left out: no %s here", name)
	}
	return path
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// unit writes the unit, changed by edit, to a folder of its own. It starts
// the test binary, since systemd asks whether the program exists.
func unit(t *testing.T, edit func(string) string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(edit(read(t, "ingestd.service")), "/usr/bin/ingestd", self, 1)
	name := filepath.Join(t.TempDir(), "ingestd.service")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func same(text string) string { return text }

func TestUnitIsUnderstoodBySystemd(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	verify := func(name string) string {
		// It exits 0 even for a key that it does not know: any word is a fault.
		out, err := exec.Command(analyze, "verify", "--man=no", name).CombinedOutput()
		if err != nil {
			out = fmt.Append(out, err)
		}
		return string(out)
	}
	if out := verify(unit(t, same)); out != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	typo := func(text string) string { return strings.Replace(text, "ProtectClock=", "ProtectClocks=", 1) }
	if out := verify(unit(t, typo)); !strings.Contains(out, "ProtectClocks") {
		t.Errorf("an unknown key was not noticed: %q", out)
	}
}

func TestUnitExposureIsLow(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	security := func(name string) (string, error) {
		threshold := "--threshold=" + strings.Replace(maxExposure, ".", "", 1)
		out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", threshold, name).CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return lines[len(lines)-1], err
	}
	said, err := security(unit(t, same))
	if err != nil {
		t.Errorf("exposure is more than %s: %s", maxExposure, said)
	}
	t.Log(said)
	open := func(text string) string { return strings.Replace(text, "SystemCallFilter=@system-service\n", "", 1) }
	if said, err := security(unit(t, open)); err == nil {
		t.Errorf("a unit without its filter of system calls passed: %s", said)
	}
}

func TestUnitDoesWhatTheDaemonCan(t *testing.T) {
	text := read(t, "ingestd.service")
	for _, line := range []string{"Type=notify", "NotifyAccess=main", "KillMode=mixed", "Restart=always", "RestartPreventExitStatus=78"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	// PrivateDevices would hide the microphones; there is no reload.
	for _, key := range []string{"PrivateDevices=", "ExecReload=", "notify-reload", "DynamicUser="} {
		if strings.Contains(text, key) {
			t.Errorf("the unit has %s", key)
		}
	}
}

func TestUserIsUnderstoodBySystemd(t *testing.T) {
	file, err := filepath.Abs("ingestd.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool(t, "systemd-sysusers"), "--dry-run", file).CombinedOutput(); err != nil {
		t.Errorf("systemd-sysusers: %v: %s", err, out)
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool := tool(t, "promtool")
	run := func(dir string, args ...string) ([]byte, error) {
		c := exec.Command(promtool, args...)
		c.Dir = dir
		return c.CombinedOutput()
	}
	if out, err := run(".", "check", "rules", "alerts.yml"); err != nil {
		t.Errorf("promtool check rules: %s", out)
	}
	if out, err := run(".", "test", "rules", "alerts.test.yml"); err != nil {
		t.Errorf("promtool test rules: %s", out)
	}
	// The tests of the rules must notice each rule that never fires.
	rules := read(t, "alerts.yml")
	dir := t.TempDir()
	silent := regexp.MustCompile(`(\n +expr:)(?s:.*?)(\n +(?:for|labels):)`).ReplaceAllString(rules, "$1 vector(1) > 2$2")
	for name, text := range map[string]string{"alerts.yml": silent, "alerts.test.yml": read(t, "alerts.test.yml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := run(dir, "test", "rules", "alerts.test.yml")
	if err == nil || strings.Count(silent, "vector(1) > 2") != len(alerts(rules)) {
		t.Fatalf("rules that never fire passed: %s", out)
	}
	for _, name := range alerts(rules) {
		if !strings.Contains(string(out), "alertname: "+name+",") {
			t.Errorf("%s may fall silent, and no test says so", name)
		}
	}
}

func alerts(rules string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestCommentedConfigIsTheOneOfConfigs(t *testing.T) {
	if read(t, "ingestd.toml") != read(t, "../configs/ingestd.toml") {
		t.Error("deploy/ingestd.toml and configs/ingestd.toml differ")
	}
}

func TestReadmeTellsOfEveryLineOfTheUnitAndEveryAlert(t *testing.T) {
	readme := read(t, "README.md")
	keys := regexp.MustCompile(`(?m)^([A-Z]\w+)=`).FindAllStringSubmatch(read(t, "ingestd.service"), -1)
	for _, m := range keys {
		if !strings.Contains(readme, "`"+m[1]) && !strings.Contains(readme, m[1]+"`") {
			t.Errorf("README.md does not say what %s= is for", m[1])
		}
	}
	for _, name := range alerts(read(t, "alerts.yml")) {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not say what to do at %s", name)
		}
	}
}
