package system

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestMetricsAreClean(t *testing.T) {
	t.Parallel()
	sensors, _ := fourSensors()
	p := start(t, freePort+sensors+tripleReaders(t.TempDir()))
	p.see(`"recording"`)
	promtool := tool(t, "promtool")
	_, body := p.get("/metrics")
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(body)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || out.Len() > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out.String())
	}
	series := 0
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "ingestd_") && strings.Contains(line, `sensor="a"`) {
			series++
		}
	}
	// One reader and one sink bring 8 of them; here are three of each.
	if series > 60 {
		t.Errorf("%d series for one sensor", series)
	}
	p.stop()
}
