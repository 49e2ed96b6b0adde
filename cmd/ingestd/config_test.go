package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// parsed loads one file named FILE as on a machine with 1 GiB, in folder /w, at
// the time of exampleSession.
func parsed(toml string) (*config, error) {
	return layers{docs: []*document{{name: "FILE", data: []byte(toml)}}, host: host{cwd: "/w", user: 1, memory: 1 << 30, now: time.UnixMilli(int64(exampleSession))}}.load()
}

// told is what a user is told about a configuration: warnings, faults, or the
// check's answer.
func told(t *testing.T, c *config, err error) string {
	t.Helper()
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	if err := configCheck(&b, c); err != nil {
		t.Error(err)
	}
	return b.String()
}

// TestConfigurationFilesAreJudgedAsWritten runs over testdata/config: what a
// file NAME.good.toml or NAME.bad.toml makes ingestd say is in NAME.*.txt.
func TestConfigurationFilesAreJudgedAsWritten(t *testing.T) {
	names, err := filepath.Glob("testdata/config/*.toml")
	if err != nil || len(names) == 0 {
		t.Fatal(err, "no files")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := parsed(string(data))
			if bad := strings.HasSuffix(name, ".bad.toml"); bad != (err != nil) {
				t.Errorf("bad: %v, error: %v", bad, err)
			}
			golden(t, strings.TrimSuffix(name, ".toml")+".txt", told(t, c, err))
		})
	}
}

// golden compares got with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
	for _, leak := range []string{"main.", "%!", "goroutine", "toml:", "strconv"} {
		if strings.Contains(got, leak) {
			t.Errorf("%s: %q in\n%s", name, leak, got)
		}
	}
}

// FuzzConfig: whatever the file says, it is judged, and the message is short.
func FuzzConfig(f *testing.F) {
	names, err := filepath.Glob("testdata/config/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, data string) {
		c, err := parsed(data)
		if err != nil {
			if text := err.Error(); len(text) > 1<<20 || strings.ContainsAny(text, "\x1b\x00") {
				t.Errorf("%d bytes: %q", len(text), text[:min(len(text), 1000)])
			}
			return
		}
		if err := configCheck(io.Discard, c); err != nil {
			t.Error(err)
		}
		if err := configShow(io.Discard, c, true); err != nil {
			t.Error(err)
		}
	})
}
