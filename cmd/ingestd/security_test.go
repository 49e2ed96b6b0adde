package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink/sinktest"
)

// TestSecurity_L1: without being told it listens on loopback, and what would
// let others in is a fault of the configuration.
func TestSecurity_L1(t *testing.T) {
	c, err := parsed("")
	if err != nil {
		t.Fatal(err)
	}
	if host, _, err := net.SplitHostPort(c.HTTP.Listen); err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("it listens on %s", c.HTTP.Listen)
	}
	for _, address := range []string{"0.0.0.0:8080", "[::]:8080", ":8080", "192.168.1.5:8080", "example.org:8080", "[fe80::1]:8080", "0:8080", "[::ffff:10.0.0.1]:8080"} {
		if _, err := parsed("[http]\nlisten = " + tomlText(address)); err == nil {
			t.Errorf("a configuration with listen = %q is good", address)
		}
	}
}

// TestSecurity_L2: the address that was bound is judged, whatever was written.
// A name that somebody remapped is such a case: its text is innocent.
func TestSecurity_L2(t *testing.T) {
	free, err := listen(httpConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	addresses := []string{fmt.Sprintf("0.0.0.0:%d", port), fmt.Sprintf("[::]:%d", port), fmt.Sprintf(":%d", port)}
	if name, err := os.Hostname(); err == nil && !loopback(name) {
		addresses = append(addresses, fmt.Sprintf("%s:%d", name, port))
	}
	for _, address := range addresses {
		for range 2 { // the second time it must be free again
			l, err := listen(httpConfig{Listen: address})
			if l != nil {
				l.Close()
				t.Errorf("%s: it listens on %v", address, l.Addr())
			}
			if err == nil || !strings.Contains(err.Error(), "would let the network hear the microphones") {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	for _, address := range []string{"127.0.0.1:0", "127.9.9.9:0"} {
		l, err := listen(httpConfig{Listen: address})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		l.Close()
	}
}

// loopback says whether all that a name stands for is this machine, or nothing.
func loopback(name string) bool {
	ips, err := net.LookupIP(name)
	return err != nil || !slices.ContainsFunc(ips, func(ip net.IP) bool { return !ip.IsLoopback() })
}

// tomlText is s as TOML has it, each rune by its number. What is not UTF-8 has
// no such text.
func tomlText(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\U%08X`, r)
	}
	return `"` + b.String() + `"`
}

// TestSecurity_P1: a sensor's id is checked wherever one enters.
func TestSecurity_P1(t *testing.T) {
	for _, id := range []string{"", "-a", "_a", "A", "a.b", "a/b", "a b", "a\n", "\na", "é", "a\x00", strings.Repeat("a", 64), "a*", "*"} {
		sensorRefused(t, id)
	}
	for _, id := range []string{"a", "0", "mic0", "a-_", strings.Repeat("a", 63)} {
		if _, err := parsed("[[sensor]]\nid = " + tomlText(id) + "\nsource = \"tone\"\n"); err != nil || sensorFlagError(id) != nil {
			t.Errorf("%q was refused: %v", id, err)
		}
	}
}

// TestSecurity_P4: no hostile name becomes that of a sensor, a reader or a
// sink.
func TestSecurity_P4(t *testing.T) {
	for _, name := range slices.Concat(sinktest.HostileNames(), sinktest.OddNames()) {
		sensorRefused(t, name)
		for what, toml := range map[string]string{
			"reader": "[[reader]]\nname = %s\nsink = \"disk\"\nsensors = [\"*\"]\n", "sink of a reader": "[[reader]]\nname = \"r\"\nsink = %s\nsensors = [\"*\"]\n",
			"sensor of a reader": "[[reader]]\nname = \"r\"\nsink = \"disk\"\nsensors = [%s]\n", "sink": "[sink.%s]\ndriver = \"mem\"\n",
		} {
			if what == "sensor of a reader" && name == "*" {
				continue // all
			}
			if _, err := parsed("[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n[sink.disk]\ndriver = \"mem\"\n" + fmt.Sprintf(toml, tomlText(name))); err == nil {
				t.Errorf("%q names a %s", name, what)
			}
		}
	}
}

// sensorRefused tries id everywhere that an id of a sensor comes in.
func sensorRefused(t *testing.T, id string) {
	t.Helper()
	if audio.CheckSensor(id) == nil {
		t.Errorf("%q is an id", id)
	}
	if _, err := parsed("[[sensor]]\nid = " + tomlText(id) + "\nsource = \"tone\"\n"); err == nil {
		t.Errorf("%q is an id in a configuration", id)
	}
	if _, err := (replayFlags{sensor: id, root: "R", start: "now", chunk: "1s", key: keyBytes, sync: "chunk", rotate: never, speed: 1}).config([]string{"a.wav"}, time.Unix(1, 0)); err == nil || !strings.Contains(err.Error(), "--sensor") {
		t.Errorf("--sensor %q: %v", id, err)
	}
}

// A sensor to record is one of the configuration, whatever its name looks like.
func TestHostileSensorIsNotRecorded(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ingestd.toml")
	if err := os.WriteFile(name, []byte("[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Concat(sinktest.HostileNames(), sinktest.OddNames()) {
		var out, errs bytes.Buffer
		p := &program{stdout: &out, stderr: &errs, clock: clock.System{}, config: name, flags: map[string]string{}}
		if err := p.record(t.Context(), t.Context(), id, 0); err == nil || !strings.HasPrefix(err.Error(), "no sensor ") {
			t.Errorf("record %q: %v", id, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("there are %v, %v", left, err)
	}
}
