//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// command runs a command line, and returns its exit code and what it printed.
func command(args ...string) (code int, said string) {
	return commandReading(nil, args...)
}

// commandReading runs one with something at its standard input.
func commandReading(stdin *os.File, args ...string) (code int, said string) {
	var out, errs bytes.Buffer // the log is written beside what is printed
	code = run(append([]string{"ingestd"}, args...), nil, stdin, &out, &errs)
	return code, errs.String() + out.String()
}

// oldWAV is sound, mono, 16 bits, 44.1 kHz, behind the header of 44 bytes.
func oldWAV(sound []byte) []byte {
	return append(plainWAV(44100, 1, len(sound)/2)[:44], sound...)
}

// noise is bytes that do not repeat.
func noise(n int) []byte {
	b := make([]byte, n)
	for i, x := 0, uint32(n); i < n; i++ {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// The sounds of the first demonstration, by their bytes: chunks of 86,016 bytes,
// as many full ones as it kept, and the tail that it dropped.
func TestSeed_Fixtures(t *testing.T) {
	const chunk = 86016
	for _, c := range []struct{ sound, full, tail int }{
		{131_072, 1, 45_056}, {262_144, 3, 4_096}, {677_376, 7, 75_264}, {301_180, 3, 43_132}, {283_258, 3, 25_210},
		{2 * chunk, 2, 0}, {2, 0, 2}, {chunk + 2, 1, 2}, {chunk - 2, 0, chunk - 2},
	} {
		for _, length := range []string{"86016B", "43008f"} {
			t.Run(fmt.Sprintf("%d/%s", c.sound, length), func(t *testing.T) {
				dir := t.TempDir()
				in, root := filepath.Join(dir, "in.wav"), filepath.Join(dir, "root")
				sound := noise(c.sound)
				if err := os.WriteFile(in, oldWAV(sound), 0o600); err != nil {
					t.Fatal(err)
				}
				if code, said := command("replay", in, "--sensor", "mic0", "--root", root, "--speed", "0", "--chunk", length, "--sync", "none"); code != 0 {
					t.Fatalf("exit %d: %s", code, said)
				}
				chunks := stored(t, root)
				var got []byte
				for i, w := range chunks {
					tail := i == c.full
					if want := fmt.Sprintf("%014d.wav", i*chunk); w.name != want || !tail && len(w.sound) != chunk || tail && len(w.sound) != c.tail {
						t.Errorf("chunk %d is %s, want %s, with %d bytes", i, w.name, want, len(w.sound))
					}
					got = append(got, w.sound...)
				}
				want := c.full
				if c.tail > 0 {
					want++
				}
				if len(chunks) != want || !bytes.Equal(got, sound) {
					t.Errorf("%d chunks of %d, %d bytes of %d, the same ones: %v", len(chunks), want, len(got), c.sound, bytes.Equal(got, sound))
				}
			})
		}
	}
}

type storedChunk struct {
	name  string
	sound []byte
}

// stored is the chunks of mic0 in the one session of a root, as any reader of
// WAV files sees them.
func stored(t *testing.T, root string) (all []storedChunk) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "*/data/mic0/data/*.wav"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w, err := wav.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil || !w.Exact() || w.Format() != (audio.Format{Rate: 44100, Channels: 1, Encoding: audio.S16}) {
			t.Fatalf("%s: %v", name, err)
		}
		sound := b[w.Header():][:w.Frames()*2]
		all = append(all, storedChunk{filepath.Base(name), sound})
	}
	return all
}

// O6: the root and the folders above it are made on the first run, and found on
// the next; a check makes nothing.
func TestSeed_O6(t *testing.T) {
	dir := t.TempDir()
	in, root := filepath.Join(dir, "in.wav"), filepath.Join(dir, "not", "there", "yet")
	if err := os.WriteFile(in, oldWAV(noise(2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "ingestd.toml")
	text := "[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n[[reader]]\nname = \"archive\"\nsink = \"disk\"\n[sink.disk]\ndriver = \"files\"\nroot = \"" + filepath.ToSlash(root) + "\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := command("config", "check", "--config", config); code != 0 {
		t.Errorf("check: exit %d: %s", code, said)
	}
	if _, err := os.Stat(filepath.Join(dir, "not")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the check made the root, or part of it: %v", err)
	}
	for run := range 2 {
		if code, said := command("replay", in, "--root", root, "--speed", "0"); code != 0 {
			t.Errorf("run %d: exit %d: %s", run, code, said)
		}
		b, err := files.Open(t.Context(), files.Config{Root: root, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := sink.OpenExisting(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		chunks := 0
		for _, err := range s.Keys(t.Context(), sink.Filter{}) {
			if chunks++; err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Close(); err != nil || chunks != run+1 {
			t.Errorf("behind run %d there are %d chunks, %v", run, chunks, err)
		}
	}
	if code, said := command("replay", in, "--root", in, "--speed", "0"); code == 0 || !strings.Contains(said, in) {
		t.Errorf("a file was taken for a root: exit %d: %s", code, said)
	}
}

// O12: what is told to a part is closed: a key that no part knows is a fault
// with its place and the word that may have been meant, in every table.
func TestSeed_O12(t *testing.T) {
	for table, open := range map[string]string{
		"": "", "[log]": "[log]\n", "[http]": "[http]\n", "[session]": "[session]\n", "[defaults.sensor]": "[defaults.sensor]\n", "[defaults]": "[defaults]\n",
		"[[sensor]]": "[[sensor]]\nid = \"a\"\nsource = \"tone\"\n", "[[reader]]": "[[reader]]\nname = \"r\"\nsensors = [\"*\"]\nsink = \"d\"\n",
		"[sink.d]": "[sink.d]\ndriver = \"mem\"\n",
	} {
		_, err := parsed(open + "surely_not_a_key = 1\n")
		at := fmt.Sprintf("FILE:%d:1: unknown key", strings.Count(open, "\n")+1)
		var code interface{ ExitCode() int }
		if err == nil || !strings.Contains(err.Error(), at) || !errors.As(err, &code) || code.ExitCode() != exitConfig {
			t.Errorf("%s: %v, want %s", table, err, at)
		}
	}
	if _, err := parsed("[log]\nlevle = \"info\"\n"); err == nil || !strings.Contains(err.Error(), `Did you mean "level"?`) {
		t.Errorf("no word is offered: %v", err)
	}
	// Only labels are free, and only text.
	free := map[string]bool{}
	loose(reflect.TypeFor[config](), "", free)
	if !reflect.DeepEqual(free, map[string]bool{".Sensors.Labels": true, ".Sinks": true}) {
		t.Errorf("anything may be said in %v", free)
	}
}

// loose finds the fields below a type that take any name or any kind of value.
func loose(typ reflect.Type, path string, found map[string]bool) {
	switch typ.Kind() {
	case reflect.Interface:
		found[path] = true
	case reflect.Map:
		found[path] = true
		loose(typ.Elem(), path, found)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		loose(typ.Elem(), path, found)
	case reflect.Struct:
		for f := range typ.Fields() {
			if f.Tag.Get("toml") != "" || f.Anonymous {
				loose(f.Type, path+"."+f.Name, found)
			}
		}
	}
}

// A6: layers: the packaged values, the file, those beside it, the local one,
// the environment and the flags. Tables merge key by key, lists and scalars are
// replaced, a scalar against a table is a fault that names both places, and no
// file at all is one too.
func TestSeed_A6(t *testing.T) {
	path := folder(t, "ingestd.toml", twoSensors,
		"conf.d/50.toml", "station = \"site\"\n[[reader]]\nname = \"archive\"\nsensors = [\"mic1\"]\n", "ingestd.local.toml", "station = \"here\"\n[sink.disk]\nsync = \"none\"\n[log]\nlevel = \"warn\"\n")
	c, err := loadConfig(path, []string{"INGESTD_LOG_LEVEL=error"}, map[string]string{"http.listen": "off"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range c.settings() {
		got[s.path] = s.value
	}
	for path, want := range map[string]string{
		"station": `"here"`, "log.level": `"error"`, "http.listen": `"off"`, "reader.archive.sensors": `["mic1"]`, // replaced
		"sink.disk.sync": `"none"`, "sink.disk.root": `"/a"`, "sensor.mic0.rate": "8000", "sensor.mic0.labels": `{ floor = "1", side = "inlet" }`, // merged
	} {
		if got[path] != want {
			t.Errorf("%s is %s, want %s", path, got[path], want)
		}
	}
	_, err = loadConfig(folder(t, "ingestd.toml", twoSensors, "ingestd.local.toml", "[sink]\ndisk = 5\n"), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "ingestd.local.toml:2:1: ") || !strings.Contains(err.Error(), "ingestd.toml:15:") {
		t.Errorf("a scalar against a table: %v", err)
	}
	if _, err := loadConfig(filepath.Join(t.TempDir(), "none.toml"), nil, nil); err == nil {
		t.Error("no file was no fault")
	}
}

// D13: the codec is that of the configuration and must agree with the ending in
// the layout, before anything is stored.
func TestSeed_D13(t *testing.T) {
	for _, c := range []struct {
		layout, codec string
		good          bool
	}{
		{"{session}/d/{sensor}/{block}.pcm", "pcm", true}, {"{session}/d/{sensor}/{block}.wav", "wav", true}, {"{session}/d/{sensor}/{block}", "pcm", true},
		{"{session}/d/{sensor}/{block}.pcm", "wav", false}, {"{session}/d/{sensor}/{block}.wav", "pcm", false}, {"{session}/d/{sensor}/{block}.flac", "wav", false},
	} {
		text := strings.Replace(twoSensors, `root = "/a"`, fmt.Sprintf("root = \"/a\"\nlayout = %q\ncodec = %q", c.layout, c.codec), 1)
		_, err := parsed(text)
		if (err == nil) != c.good || err != nil && !strings.Contains(err.Error(), c.codec) {
			t.Errorf("%s with codec %s: %v", c.layout, c.codec, err)
		}
	}
	dir := t.TempDir()
	in, root := filepath.Join(dir, "in.wav"), filepath.Join(dir, "root")
	if err := os.WriteFile(in, oldWAV(noise(2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := command("replay", in, "--root", root, "--speed", "0", "--layout", "{session}/{block}.pcm", "--codec", "wav"); code != exitUsage {
		t.Errorf("exit %d: %s", code, said)
	}
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was stored: %v", err)
	}
	if code, said := command("replay", in, "--root", root, "--speed", "0", "--layout", "{session}/d/{block}.pcm"); code != 0 {
		t.Errorf("exit %d: %s", code, said)
	}
	names, err := filepath.Glob(filepath.Join(root, "*/d/00000000000000.pcm"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if b, err := os.ReadFile(names[0]); err != nil || !bytes.Equal(b, noise(2000)) {
		t.Errorf("%s is not the sound: %d bytes, %v", names[0], len(b), err)
	}
}
