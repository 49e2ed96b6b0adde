//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// examples are the example lines of each command.
func examples() map[string][]string {
	all := map[string][]string{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		all[c.CommandPath()] = nil
		for line := range strings.Lines(c.Example) {
			// Behind two spaces stands what it does.
			line, _, _ = strings.Cut(strings.TrimSpace(line), "  ")
			all[c.CommandPath()] = append(all[c.CommandPath()], line)
		}
		for _, sub := range c.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk((&program{}).command())
	return all
}

// exampleHere is an example with its paths and lengths changed to what a test
// has: each has a store of its own, and none takes minutes.
func exampleHere(line string) string {
	for _, c := range [][2]string{
		{`/etc/ingestd/ingestd\.toml`, "./ingestd.toml"}, {`--root (\./store|DIR)`, "--root $$(mktemp -d ./store.XXXX)"},
		{`--for \S+`, "--for 500ms"}, {`/tmp/demo`, "$$(mktemp -d ./demo.XXXX)"},
		{`> ingestd\.toml`, "> new.toml"}, {`^(ingestd config show.*)`, "$1 --config ./ingestd.toml"},
		{`^ingestd demo$`, "ingestd demo --root $$(mktemp -d ./demo.XXXX)"}, {`^(ingestd run.*)`, "$1 --log-level info"},
		{`\*\.wav`, "day1/*.wav"},
	} {
		line = regexp.MustCompile(c[0]).ReplaceAllString(line, c[1])
	}
	if strings.HasPrefix(line, "ingestd r") && strings.Contains(line, "--config") { // each its own root and port
		line = "env INGESTD_SINK_DISK_ROOT=$(mktemp -d $PWD/root.XXXX) INGESTD_HTTP_LISTEN=127.0.0.1:0 " + line
	}
	return line
}

// exampleFolder makes the files that the examples name.
func exampleFolder(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "day1"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pump.wav", "x.wav", "day1/mic0_20240131_060000.wav", "day1/mic0_20240131_060100.wav"} {
		if err := os.WriteFile(filepath.Join(dir, name), plainWAV(48000, 1, 4800), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := "[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n[[reader]]\nname = \"archive\"\nchunk = \"1s\"\nsink = \"disk\"\n" +
		"[sink.disk]\ndriver = \"files\"\nroot = \"" + filepath.Join(dir, "root") + "\"\n"
	if err := os.WriteFile(filepath.Join(dir, "ingestd.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}
