package wav

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// tool finds a program, or leaves the test out.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("left out: %s is not on PATH", name)
	}
	return path
}

// raw is how sox is told to write the samples of a format.
func raw(f audio.Format) []string {
	kind := "signed"
	if f.Encoding == audio.F32 {
		kind = "float"
	}
	return []string{"-t", "raw", "-e", kind, "-b", fmt.Sprint(8 * f.Encoding.Bytes()), "-"}
}

func TestAcceptedFilesHaveTheSoundThatSoxFinds(t *testing.T) {
	sox := tool(t, "sox")
	// What sox reads otherwise or not at all; the sound is checked by ffmpeg or by the generator.
	leave := map[string]string{
		"odd/size-zero": "empty", "odd/rf64-open": "empty", "odd/rf64": "ffmpeg", "odd/bw64": "refused",
		"odd/odd-chunk-no-pad": "refused", "odd/size-zero-empty": "no sound",
		"odd/size-zero-list": "no sound", "odd/size-zero-junk": "no sound",
	}
	for _, c := range accepted {
		if leave[c.file] != "" {
			continue
		}
		_, got := open(t, load(t, c.file))
		args := append([]string{"-V1", "-D", filepath.Join(kept, c.file+".wav")}, raw(c.format)...)
		want, err := exec.Command(sox, args...).Output()
		if err != nil {
			t.Errorf("%s: sox: %v", c.file, err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, sox finds other %d", c.file, len(got), len(want))
		}
	}
}

func TestAcceptedFilesHaveTheSoundThatFFmpegFinds(t *testing.T) {
	var paths []string
	var readers []*Reader
	for _, file := range []string{"odd/rf64", "odd/bw64", "odd/size-zero", "odd/size-unknown", "odd/u8", "odd/extensible-f32", "s24-48000-1-odd"} {
		r, _ := open(t, load(t, file))
		paths, readers = append(paths, filepath.Join(kept, file+".wav")), append(readers, r)
	}
	for i, want := range decode(t, paths, func(i int) audio.Format { return readers[i].Format() }) {
		if err := readers[i].Rewind(); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, readers[i]); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, ffmpeg finds other %d", paths[i], len(got), len(want))
		}
	}
}

// written is a file of each format, open and whole.
type written struct {
	path  string
	f     audio.Format
	sound []byte
}

func writeAll(t *testing.T) []written {
	t.Helper()
	var all []written
	for _, f := range []audio.Format{
		{Rate: 48000, Channels: 1, Encoding: audio.S16}, {Rate: 44100, Channels: 2, Encoding: audio.S16},
		{Rate: 96000, Channels: 1, Encoding: audio.S24}, {Rate: 48000, Channels: 2, Encoding: audio.S32},
		{Rate: 48000, Channels: 4, Encoding: audio.S16}, {Rate: 48000, Channels: 6, Encoding: audio.S24},
		{Rate: 48000, Channels: 1, Encoding: audio.F32}, {Rate: 48000, Channels: 4, Encoding: audio.F32},
	} {
		for _, unfinished := range []bool{true, false} {
			tags, sound := full(), triangle(f, 0, 4801)
			b := whole(t, f, &tags, sound)
			if unfinished {
				head, err := AppendHeader(nil, f, &tags, -1)
				if err != nil {
					t.Fatal(err)
				}
				b = append(head, sound...)
			}
			path := filepath.Join(t.TempDir(), fmt.Sprintf("%v-%d-%v.wav", f.Encoding, f.Channels, unfinished))
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			all = append(all, written{path, f, sound})
		}
	}
	return all
}

func TestSoxReadsOpenAndWholeChunks(t *testing.T) {
	sox := tool(t, "sox")
	for _, w := range writeAll(t) {
		got, err := exec.Command(sox, append([]string{"-V1", "-D", w.path}, raw(w.f)...)...).Output()
		if err != nil || !bytes.Equal(got, w.sound) {
			t.Errorf("%s: %d of %d bytes, %v", filepath.Base(w.path), len(got), len(w.sound), err)
		}
	}
}

func TestFFmpegReadsOpenAndWholeChunks(t *testing.T) {
	var paths []string
	all := writeAll(t)
	for _, w := range all {
		paths = append(paths, w.path)
	}
	for i, got := range decode(t, paths, func(i int) audio.Format { return all[i].f }) {
		if !bytes.Equal(got, all[i].sound) {
			t.Errorf("%s: %d of %d bytes", filepath.Base(paths[i]), len(got), len(all[i].sound))
		}
	}
}

// decode returns the sound that ffmpeg finds in each file.
func decode(t *testing.T, paths []string, format func(int) audio.Format) [][]byte {
	t.Helper()
	args, root := []string{"-v", "error"}, t.TempDir()
	for _, path := range paths {
		args = append(args, "-i", path)
	}
	out := func(i int) string { return filepath.Join(root, fmt.Sprint(i)) }
	for i := range paths {
		enc := format(i).Encoding.String() + "le"
		args = append(args, "-map", fmt.Sprint(i), "-f", enc, "-c:a", "pcm_"+enc, out(i))
	}
	if said, err := exec.Command(tool(t, "ffmpeg"), args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, said)
	}
	var all [][]byte
	for i := range paths {
		b, err := os.ReadFile(out(i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func TestFFprobeShowsTheTagsOfAChunk(t *testing.T) {
	ffprobe := tool(t, "ffprobe")
	for _, w := range writeAll(t)[:2] { // one open, one whole
		out, err := exec.Command(ffprobe, "-v", "quiet", "-show_format", "-of", "json", w.path).Output()
		var probed struct {
			Format struct{ Tags map[string]string }
		}
		if err == nil {
			err = json.Unmarshal(out, &probed)
		}
		if err != nil {
			t.Fatalf("%s: %v", w.path, err)
		}
		day := int64(14*3600) * int64(w.f.Rate)
		for name, want := range map[string]string{
			"comment":              "session=1795287841150 sensor=mic0 block=00000000086016",
			"encoded_by":           "ingestd",
			"originator_reference": "1795287841150/00000000086016",
			"date":                 "2026-11-21",
			"creation_time":        "14:00:00",
			"time_reference":       fmt.Sprint(day + int64(w.f.Rate)*15/100),
		} {
			if got := probed.Format.Tags[name]; got != want {
				t.Errorf("%s: %s is %q, want %q", filepath.Base(w.path), name, got, want)
			}
		}
	}
}

// Python's wave module reads PCM of tag 1 only, so not what has more than two
// channels.
const pythonWave = `
import sys, wave
for path in sys.argv[1:]:
    w = wave.open(path, "rb")
    print(w.getnchannels(), w.getsampwidth(), w.getframerate())
    with open(path + ".raw", "wb") as f:
        while True:
            b = w.readframes(1000)
            if not b: break
            f.write(b)
`

func TestPythonReadsOpenAndWholeChunks(t *testing.T) {
	python := tool(t, "python3")
	if err := exec.Command(python, "-W", "ignore", "-c", "import wave").Run(); err != nil {
		t.Skip("left out: this python3 has no module wave")
	}
	var want string
	var files []written
	args := []string{"-W", "ignore", "-c", pythonWave}
	for _, w := range writeAll(t) {
		if w.f.Channels <= 2 && w.f.Encoding != audio.F32 {
			files, args = append(files, w), append(args, w.path)
			want += fmt.Sprintln(w.f.Channels, w.f.Encoding.Bytes(), w.f.Rate)
		}
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	if err != nil || string(out) != want {
		t.Fatalf("%v, %s, want %s", err, out, want)
	}
	for _, w := range files {
		got, err := os.ReadFile(w.path + ".raw")
		if err != nil || !bytes.Equal(got, w.sound) {
			t.Errorf("%s: %d of %d bytes, %v", filepath.Base(w.path), len(got), len(w.sound), err)
		}
	}
}

func TestFlacReadsOpenAndWholeChunks(t *testing.T) {
	flac := tool(t, "flac")
	for _, w := range writeAll(t) {
		if w.f.Encoding == audio.F32 || w.f.Encoding == audio.S32 {
			continue // flac 1.4 has neither
		}
		packed := w.path + ".flac"
		if out, err := exec.Command(flac, "--silent", "--force", "-o", packed, w.path).CombinedOutput(); err != nil {
			t.Errorf("%s: flac: %v: %s", filepath.Base(w.path), err, out)
			continue
		}
		got, err := exec.Command(flac, "--silent", "-d", "--force-raw-format", "--endian=little", "--sign=signed", "-c", packed).Output()
		if err != nil || !bytes.Equal(got, w.sound) {
			t.Errorf("%s: %d of %d bytes, %v", filepath.Base(w.path), len(got), len(w.sound), err)
		}
	}
}

func TestFilesOfSoxAreReadBitExact(t *testing.T) {
	sox := tool(t, "sox")
	for _, args := range []string{"-b 8", "-b 16", "-b 24", "-b 32", "-b 32 -e float", "-b 16 -c 6", "-b 24 -c 3", "-b 32 -e float -c 2"} {
		path := filepath.Join(t.TempDir(), "sox.wav")
		synth := append(append([]string{"-R", "-D", "-n", "-r", "44100"}, strings.Fields(args)...), path, "synth", "0.05", "sine", "1000")
		if out, err := exec.Command(sox, synth...).CombinedOutput(); err != nil {
			t.Fatalf("sox %s: %v: %s", args, err, out)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, got := open(t, b)
		want, err := exec.Command(sox, append([]string{"-V1", "-D", path}, raw(r.Format())...)...).Output()
		if err != nil || !bytes.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s: read %d bytes of %v, sox finds other %d, %v", args, len(got), r.Format(), len(want), err)
		}
	}
}
