//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPathsAtWhichNothingUsefulIsAreWarnedOf: each case is a sensor or a root,
// and the warning about it; none for what is as it should be.
func TestPathsAtWhichNothingUsefulIsAreWarnedOf(t *testing.T) {
	dir := filepath.Dir(folder(t, "x.wav", "", "full/Y.WAV", "", "full/z.txt", "", "empty/.hidden.wav", "", "a[b/c.txt", "", "card/day1/x.wav", ""))
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ sensor, root, want string }{
		"a file":                  {sensor: `source = "wav"` + "\nfiles = [\"x.wav\", \"full\", \"f*/?.WAV\"]"},
		"no file":                 {`source = "wav"` + "\nfiles = [\"x.wav\", \"y.wav\"]", "", `ingestd.toml:4:9: files of m: "DIR/y.wav": there is no such file or folder now.`},
		"a folder without":        {`source = "wav"` + "\nfiles = [\"empty\"]", "", `files of m: the folder "DIR/empty" has no file *.wav now.`},
		"folders below":           {`source = "wav"` + "\nfiles = [\"card\"]", "", `files of m: the folder "DIR/card" has no file *.wav now. Folders in it are not looked into: name "DIR/card/day1".`},
		"a folder like a glob":    {`source = "wav"` + "\nfiles = [\"a[b\"]", "", `files of m: the folder "DIR/a[b" has no file *.wav now.`},
		"a glob":                  {`source = "wav"` + "\nfiles = [\"*.WAV\"]", "", `files of m: no file is called like "DIR/*.WAV" now.`},
		"a glob with a fault":     {`source = "wav"` + "\nfiles = [\"[x.wav\"]", "", `files of m: this glob has a fault: "DIR/[x.wav". Close its brackets.`},
		"a FIFO":                  {sensor: `source = "pipe"` + "\npath = \"fifo\""},
		"standard input":          {sensor: `source = "pipe"` + "\npath = \"-\""},
		"no FIFO":                 {`source = "pipe"` + "\npath = \"none\"", "", `ingestd.toml:4:8: path of m: "DIR/none": there is no such file now. Make a FIFO: mkfifo "DIR/none"`},
		"a folder for a pipe":     {`source = "pipe"` + "\npath = \"full\"", "", `path of m: "DIR/full" is a folder. Name a FIFO.`},
		"a file for a pipe":       {`source = "pipe"` + "\npath = \"x.wav\"", "", `path of m: "DIR/x.wav" is a regular file: its bytes are taken as raw samples, a WAV header too. For WAV files, write source = "wav".`},
		"a file on the way":       {`source = "pipe"` + "\npath = \"x.wav/y\"", "", `path of m: "DIR/x.wav/y": not a directory.`},
		"a root that is":          {root: "full"},
		"a root that may be made": {root: "none/yet"},
		"a file for a root":       {"", "x.wav", `ingestd.toml:9:8: root of sink disk: "DIR/x.wav" is no folder: nothing can be stored there.`},
		"what is switched off":    {sensor: `source = "pipe"` + "\nenabled = false\npath = \"none\"\n[[sensor]]\nid = \"n\"\nsource = \"tone\""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.sensor == "" {
				c.sensor = `source = "tone"` + "\n"
			}
			if c.root == "" {
				c.root = "full"
			}
			text := "[[sensor]]\nid = \"m\"\n" + c.sensor + "\n[[reader]]\nname = \"r\"\nsink = \"disk\"\n[sink.disk]\nroot = \"" + c.root + "\"\ndriver = \"files\"\n"
			path := filepath.Join(dir, "ingestd.toml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := loadConfig(path, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(strings.Join(cfg.warnings, "\n"), dir, "DIR")
			if c.want == "" && got != "" || !strings.HasSuffix(got, c.want) || strings.Count(got, "\n") > 0 {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestTwoSensorsOnOnePipeAreRefused, by whatever names they call it.
func TestTwoSensorsOnOnePipeAreRefused(t *testing.T) {
	dir := filepath.Dir(folder(t, "raw", "", "sub/x", ""))
	fifo := filepath.Join(dir, "fifo")
	for _, err := range []error{
		syscall.Mkfifo(fifo, 0o600), syscall.Mkfifo(filepath.Join(dir, "other"), 0o600),
		os.Symlink(fifo, filepath.Join(dir, "link")), os.Link(fifo, filepath.Join(dir, "hard")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for paths, want := range map[[2]string]string{
		{"fifo", "other"}: "", {"raw", "./sub/../raw2"}: "", {"-", "fifo"}: "",
		{"fifo", "./fifo"}:             `ingestd.toml:8:8: path of b is "DIR/fifo", which a reads already: each would get a part of the sound. Make a FIFO for each, or give one sensor two readers.`,
		{"none", dir + "/sub/../none"}: `path of b is "DIR/sub/../none", which a reads already: `,
		{"fifo", "link"}:               `path of b is "DIR/link", which a (as "DIR/fifo") reads already: each would get a part of the sound. Make a FIFO for each, or give one sensor two readers.`,
		{"hard", "fifo"}:               `path of b is "DIR/fifo", which a (as "DIR/hard") reads already: `,
		{"-", "-"}:                     `path of b is standard input, which a reads already. Use a FIFO.`,
		{"-", "/dev/stdin"}:            `path of b is "/dev/stdin", which a `,
	} {
		text := fmt.Sprintf("[[sensor]]\nid = \"a\"\nsource = \"pipe\"\npath = %q\n[[sensor]]\nid = \"b\"\nsource = \"pipe\"\npath = %q\n", paths[0], paths[1]) +
			"[[reader]]\nname = \"r\"\nsink = \"disk\"\n[sink.disk]\nroot = \"root\"\ndriver = \"files\"\n"
		path := filepath.Join(dir, "ingestd.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(path, nil, nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, "DIR"), want)) {
			t.Errorf("%q: got\n%v\nwant\n%s", paths, err, want)
		}
		text = strings.Replace(text, "id = \"a\"", "id = \"a\"\nenabled = false", 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadConfig(path, nil, nil); err != nil {
			t.Errorf("%q, the first switched off: %v", paths, err)
		}
	}
}

// TestRootThatCannotBeWrittenIsWarnedOf: by whom does not depend on who runs
// the test.
func TestRootThatCannotBeWrittenIsWarnedOf(t *testing.T) {
	is, err := os.Stat(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	view := pathView{
		stat: func(string) (fs.FileInfo, error) { return is, nil },
		mayWrite: func(name string) error {
			if name == "/a" {
				return syscall.EROFS
			}
			return nil
		},
	}
	for root, want := range map[string]string{
		"/a": `FILE:17:8: root of sink disk: "/a" cannot be written by the user who runs this: read-only file system. Give it to the user of ingestd, or set another root.`,
		"/b": "",
	} {
		text := strings.Replace(twoSensors, `"/a"`, fmt.Sprintf("%q", root), 1)
		c, err := layers{docs: []*document{{name: "FILE", data: []byte(text)}}, host: host{cwd: "/w", paths: &view}}.load()
		if err != nil || strings.Join(c.warnings, "\n") != want {
			t.Errorf("%s: %v, got\n%v\nwant\n%s", root, err, c.warnings, want)
		}
	}
	if err := mayWrite(t.TempDir()); err != nil {
		t.Errorf("a new folder: %v", err)
	}
}
