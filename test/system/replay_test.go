package system

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

func wavs(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("../../testdata/wavs", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s in testdata/wavs: %v", pattern, err)
	}
	return names
}

func TestReplayKeepsEveryByteOfEveryGoodWAV(t *testing.T) {
	t.Parallel()
	layouts := []struct {
		template string
		name     string // of block 0, below the session
	}{
		{"", "data/s1/data/00000000000000.wav"},
		{"{session}/{block}", "00000000000000"},
		{"{session}/data/{block}.wav", "data/00000000000000.wav"},
	}
	for _, name := range append(wavs(t, "*.wav"), wavs(t, "odd/*.wav")...) {
		f, sound := readWAV(t, name)
		for _, l := range layouts {
			for _, length := range []string{"1f", fmt.Sprintf("%df", 21*4096/f.FrameBytes()), "10s"} {
				name, want := name, sound
				if most := 200 * f.FrameBytes(); length == "1f" && len(want) > most {
					name, want = filepath.Join(t.TempDir(), filepath.Base(name)), want[:most]
					writeWAV(t, name, f, want)
				}
				t.Run(filepath.Base(name)+" "+l.template+" "+length, func(t *testing.T) {
					t.Parallel()
					root := filepath.Join(t.TempDir(), "store")
					args := []string{"replay", name, "--sensor", "s1", "--root", root, "--speed", "0", "--chunk", length, "--sync", "none"}
					if l.template != "" {
						args = append(args, "--layout", l.template)
					}
					if r := do(t, args...); (r.code == 0) != (len(want) > 0) {
						t.Fatalf("exit %d with %d bytes of sound:\n%s", r.code, len(want), r.stderr)
					}
					all := chunks(t, root, "")
					if got := join(all); !bytes.Equal(got, want) {
						t.Fatalf("%d bytes stored, %d in the file, or other ones", len(got), len(want))
					}
					at := int64(0)
					for _, c := range all {
						if c.block != at || c.f != f {
							t.Errorf("%s: block %d of %v, want %d of %v", c.name, c.block, c.f, at, f)
						}
						at += int64(len(c.pcm))
					}
					if len(want) == 0 {
						return
					}
					if session, first, _ := strings.Cut(all[0].name, "/"); len(session) != 13 || first != l.name {
						t.Errorf("the first chunk is %s", all[0].name)
					}
				})
			}
		}
	}
}

func TestASecondReplayTouchesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	name := wavs(t, "s16-48000-1.wav")[0]
	args := []string{"replay", name, "--root", root, "--speed", "0", "--start", "2024-11-21T10:00:00Z", "--chunk", "20ms"}
	must(t, args...)
	before := contents(t, root)
	must(t, args...)
	after := contents(t, root)
	for name, body := range before {
		if !strings.HasSuffix(name, ".lock") && after[name] != body {
			t.Errorf("%s was changed by the second run", name)
		}
	}
	if len(chunks(t, root, "")) != 2*len(chunksOf(before)) {
		t.Errorf("%d chunks after one run, %d after two", len(chunksOf(before)), len(chunks(t, root, "")))
	}
}

func chunksOf(files map[string]string) []string {
	var names []string
	for name := range files {
		if blockName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// contents is the body of every file below root, by name.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range tree(t, root) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

func TestTwoReplaysOfOneStartAreTheSame(t *testing.T) {
	t.Parallel()
	var stores []map[string]string
	for range 2 {
		root := t.TempDir()
		must(t, "replay", "../../testdata/wavs/s24-96000-2.wav", "--root", root, "--speed", "0", "--start", "2024-11-21T10:00:00Z", "--chunk", "20ms", "--sensor", "s1")
		all := contents(t, root)
		delete(all, "store.lock") // the process
		delete(all, "store.json") // a random id
		stores = append(stores, all)
	}
	for name, body := range stores[0] {
		if stores[1][name] != body {
			t.Errorf("%s differs", name)
		}
	}
	if len(stores[0]) != len(stores[1]) || len(stores[0]) == 0 {
		t.Errorf("%d and %d files", len(stores[0]), len(stores[1]))
	}
}

// Not beside other tests: what a process takes up counts from its fork on, when
// it is as large as this one.
func TestEveryBadWAVIsRefusedInOneLine(t *testing.T) {
	for _, name := range wavs(t, "bad/*.wav") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "store")
			r := do(t, "replay", name, "--sensor", "s1", "--root", root, "--speed", "0")
			lines := strings.Split(strings.TrimRight(r.stderr, "\n"), "\n")
			switch {
			case r.code == 0:
				t.Error("it was accepted")
			case len(lines) != 1 || len(lines[0]) > 400:
				t.Errorf("%d lines:\n%s", len(lines), r.stderr)
			case !strings.Contains(lines[0], filepath.Base(name)):
				t.Errorf("the line does not name the file: %s", lines[0])
			case strings.Contains(lines[0], "%!") || strings.Contains(lines[0], "goroutine"):
				t.Errorf("not for people: %s", lines[0])
			}
			if r.took > time.Second*raceFactor || r.maxResident() > 100<<20 {
				t.Errorf("it took %v and %d MB", r.took, r.maxResident()>>20)
			}
			if _, err := os.Stat(root); !os.IsNotExist(err) {
				t.Errorf("it left %v", tree(t, root))
			}
		})
	}
}

// raceFactor forgives a machine that is busy with other tests.
const raceFactor = 3

// TestSeed_R14: a store is files that other programs read, of any language.
func TestSeed_R14(t *testing.T) {
	t.Parallel()
	sox, ffprobe := tool(t, "sox"), tool(t, "ffprobe")
	for _, name := range wavs(t, "*.wav") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			for _, c := range replayed(t, name) {
				raw := output(t, sox, "-V1", c.path, "-t", "raw", "-e", encodingOf(c.f), "-b", fmt.Sprint(8*c.f.Encoding.Bytes()), "-")
				if !bytes.Equal(raw, c.pcm) {
					t.Errorf("sox reads %d bytes of %s, or other ones than %d", len(raw), c.name, len(c.pcm))
				}
				ts := strings.TrimSpace(string(output(t, ffprobe, "-v", "error", "-show_entries", "stream=duration_ts", "-of", "default=nw=1:nk=1", c.path)))
				if frames := len(c.pcm) / c.f.FrameBytes(); ts != fmt.Sprint(frames) {
					t.Errorf("ffprobe finds %s frames in %s, want %d", ts, c.name, frames)
				}
			}
		})
	}
}

// replayed is the chunks of 30 ms that a WAV file becomes.
func replayed(t *testing.T, name string) []chunk {
	t.Helper()
	root := t.TempDir()
	must(t, "replay", name, "--sensor", "s1", "--root", root, "--speed", "0", "--chunk", "30ms")
	return chunks(t, root, "")
}

// encodingOf is sox's word for the samples of f.
func encodingOf(f audio.Format) string {
	if f.Encoding == audio.F32 {
		return "float"
	}
	return "signed"
}

// TestSeed_P16: a chunk is sound to any program, with no package of ours. This
// asks one python for the sums of all chunks that its module wave can read: it
// reads no EXTENSIBLE and no float.
func TestSeed_P16(t *testing.T) {
	t.Parallel()
	python := tool(t, "python3")
	const script = `
import wave, sys, hashlib
for name in sys.argv[1:]:
    w = wave.open(name)
    print(hashlib.sha256(w.readframes(w.getnframes())).hexdigest())
`
	args, want := []string{"-c", script}, ""
	for _, name := range wavs(t, "*.wav") {
		for _, c := range replayed(t, name) {
			if c.f.Channels <= 2 && c.f.Encoding != audio.F32 {
				args = append(args, c.path)
				want += fmt.Sprintf("%x\n", sha256.Sum256(c.pcm))
			}
		}
	}
	if len(args) < 10 {
		t.Fatalf("only %d chunks", len(args)-2)
	}
	if got := string(output(t, python, args...)); got != want {
		t.Errorf("wave reads other sound: sums of %v\n%swant\n%s", args[2:], got, want)
	}
}
