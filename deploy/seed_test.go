package deploy

import (
	"regexp"
	"strings"
	"testing"
)

// A13: the default folders are those that systemd makes for the unit: the store
// lies in its StateDirectory, the configuration in its ConfigurationDirectory,
// and the user needs no other.
func TestSeed_A13(t *testing.T) {
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(read(t, "ingestd.service"), -1) {
		values[m[1]] = m[2]
	}
	if values["StateDirectory"] == "" || values["ConfigurationDirectory"] == "" || values["RuntimeDirectory"] == "" {
		t.Fatalf("the unit makes no folders: %v", values)
	}
	if values["ProtectSystem"] != "strict" || values["ReadWritePaths"] != "" {
		t.Errorf("ProtectSystem=%s, ReadWritePaths=%s: it may write elsewhere", values["ProtectSystem"], values["ReadWritePaths"])
	}
	roots := regexp.MustCompile(`(?m)^\s*(?:# )?root\s*=\s*"([^"]*)"`).FindAllStringSubmatch(read(t, "ingestd.toml"), -1)
	if len(roots) == 0 {
		t.Error("ingestd.toml names no root")
	}
	for _, m := range roots {
		if state := "/var/lib/" + values["StateDirectory"]; m[1] != state && !strings.HasPrefix(m[1], state+"/") {
			t.Errorf("the root %s is not in %s, which systemd makes", m[1], state)
		}
	}
	if config := "/etc/" + values["ConfigurationDirectory"] + "/"; !strings.Contains(values["ExecStart"], " --config "+config) {
		t.Errorf("ExecStart=%s reads no configuration in %s", values["ExecStart"], config)
	}
}
