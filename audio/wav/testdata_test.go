package wav

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

const kept = "../../testdata/wavs"

// accepted are the kept files that are read: what as, how many frames, which
// of them go-audio reads, whether header and file agree, and what is said.
var accepted = []struct {
	file    string
	format  audio.Format
	bits    int // in the file, 0: those of the format
	frames  int
	goaudio bool
	exact   bool
	notes   []string
}{
	{"s16-16000-1", audio.Format{Rate: 16000, Channels: 1, Encoding: audio.S16}, 0, 800, true, true, nil},
	{"s16-44100-2", audio.Format{Rate: 44100, Channels: 2, Encoding: audio.S16}, 0, 1102, true, true, nil},
	{"s16-48000-1", mono, 0, 2400, true, true, nil},
	{"s16-48000-4", audio.Format{Rate: 48000, Channels: 4, Encoding: audio.S16}, 0, 600, false, true, nil},
	{"s24-44100-4", audio.Format{Rate: 44100, Channels: 4, Encoding: audio.S24}, 0, 441, false, true, nil},
	{"s24-48000-1-odd", mono24, 0, 1001, true, true, nil},
	{"s24-96000-2", audio.Format{Rate: 96000, Channels: 2, Encoding: audio.S24}, 0, 960, true, true, nil},
	{"s32-16000-2", audio.Format{Rate: 16000, Channels: 2, Encoding: audio.S32}, 0, 400, true, true, nil},
	{"s32-48000-1", audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S32}, 0, 1200, true, true, nil},
	{"f32-48000-1", monoF, 0, 1200, false, true, nil},
	{"f32-96000-4", audio.Format{Rate: 96000, Channels: 4, Encoding: audio.F32}, 0, 480, false, true, nil},
	{"dated", mono, 0, 480, true, true, nil},

	{"odd/u8", audio.Format{Rate: 8000, Channels: 1, Encoding: audio.S16}, 8, 401, false, true, []string{"8-bit sound is widened to s16"}},
	{"odd/u8-extensible", audio.Format{Rate: 22050, Channels: 2, Encoding: audio.S16}, 8, 100, false, true, []string{"widened"}},
	{"odd/extensible-s16", mono, 0, 240, false, true, nil},
	{"odd/extensible-s24-odd", mono24, 0, 101, false, true, nil},
	{"odd/extensible-f32", monoF, 0, 100, false, true, nil},
	{"odd/fmt-18", mono, 0, 240, true, true, nil},
	{"odd/rf64", mono, 0, 240, false, true, nil},
	{"odd/bw64", mono, 0, 240, false, true, nil},
	{"odd/rf64-open", mono, 0, 240, false, false, []string{"promises no sound, the file has 480 bytes. Using 0.005 s."}},
	{"odd/size-unknown", mono, 0, 240, false, false, []string{"does not say how much sound there is (a recording that was not finished?). Using 0.005 s."}},
	{"odd/size-unknown-part", mono, 0, 240, false, false, []string{"does not say", "ends with 1 of the 2 bytes of a frame"}},
	{"odd/size-zero", mono, 0, 240, false, false, []string{"promises no sound, the file has 480 bytes. Using 0.005 s."}},
	{"odd/size-zero-empty", mono, 0, 0, true, true, nil},
	{"odd/size-zero-list", mono, 0, 0, true, true, nil},
	{"odd/size-zero-junk", mono, 0, 0, true, false, []string{"says that there is no sound and that the file ends there; 480 bytes follow"}},
	{"odd/cut", mono, 0, 600, false, false, []string{"the header promises 4 800 bytes of sound, the file has 1 200. Using 0.012 s."}},
	{"odd/cut-in-frame", audio.Format{Rate: 44100, Channels: 2, Encoding: audio.S24}, 0, 199, false, false,
		[]string{"promises 14 400 bytes of sound, the file has 1 199. Using 0.004 s.", "ends with 5 of the 6 bytes of a frame"}},
	{"odd/part-of-a-frame", mono24, 0, 240, false, false, []string{"ends with 2 of the 3 bytes of a frame"}},
	{"odd/riff-size-wrong", mono, 0, 240, true, true, nil},
	{"odd/list-before", mono, 0, 240, false, true, nil},
	{"odd/list-first", mono, 0, 240, false, true, nil},
	{"odd/list-after", mono, 0, 240, true, true, nil},
	{"odd/list-says-gigabytes", mono, 0, 240, false, true, nil},
	{"odd/bext-first", mono, 0, 240, true, true, nil},
	{"odd/odd-chunk", mono, 0, 240, true, true, nil},
	{"odd/odd-chunk-no-pad", mono, 0, 240, false, true, nil},
	{"odd/odd-data-no-pad", mono24, 0, 101, true, true, nil},
	{"odd/guano-behind", mono, 0, 240, true, true, nil},
	{"odd/guano-local-time", mono, 0, 240, true, true, []string{"Timestamp has no offset from UTC"}},
	{"odd/junk-behind", mono, 0, 240, true, true, []string{"the 24 bytes behind the sound are no chunk"}},
	{"odd/cut-behind", mono, 0, 240, true, true, []string{"the 12 bytes behind the sound are no whole chunk"}},
	{"odd/second-data", mono, 0, 240, true, true, []string{"a second data chunk, of 4 bytes"}},
}

var (
	mono   = audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}
	mono24 = audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S24}
	monoF  = audio.Format{Rate: 48000, Channels: 1, Encoding: audio.F32}
)

// triangle is the sound of the kept files, as a Reader must deliver it: of a
// 32-bit value the upper bits, of which a file of 8 bits has only 8.
func triangle(f audio.Format, bits, frames int) []byte {
	var b []byte
	for i := range uint32(frames) {
		for c := range uint32(f.Channels) {
			t := i*0x01F35A77*(c+1) + c*0x9E3779B9
			if t >= 1<<31 {
				t = ^t
			}
			v := t<<1 - 1<<31
			switch {
			case bits == 8:
				b = append(b, 0, byte(v>>24))
			case f.Encoding == audio.F32:
				b = le.AppendUint32(b, math.Float32bits(float32(int32(v)>>8)/(1<<23)))
			default:
				b = append(b, le.AppendUint32(nil, v)[4-f.Encoding.Bytes():]...)
			}
		}
	}
	return b
}

func load(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(kept, file+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryGoodFileIsReadBitExact(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.file, func(t *testing.T) {
			r, got := open(t, load(t, c.file))
			want := triangle(c.format, c.bits, c.frames)
			if r.Format() != c.format || r.Frames() != int64(c.frames) || !bytes.Equal(got, want) {
				t.Errorf("%v, %d frames, want %v, %d; sound equal: %v", r.Format(), r.Frames(), c.format, c.frames, bytes.Equal(got, want))
			}
			if _, by := r.sound.(*decoded); by != c.goaudio {
				t.Errorf("read by go-audio: %v, want %v", by, c.goaudio)
			}
			same := slices.EqualFunc(r.Notes(), c.notes, strings.Contains)
			if !same || r.Exact() != c.exact {
				t.Errorf("exact %v, notes %q; want %v, %q", r.Exact(), r.Notes(), c.exact, c.notes)
			}
			if err := r.Rewind(); err != nil {
				t.Fatal(err)
			}
			if again := readAll(t, r); !bytes.Equal(again, got) {
				t.Error("other sound after Rewind")
			}
		})
	}
}

func TestEveryBadFileIsRefusedInOneLine(t *testing.T) {
	for _, c := range refused {
		b := load(t, "bad/"+c.file)
		_, err := Open(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			t.Errorf("%s: accepted", c.file)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, c.fault) || !strings.Contains(text, c.cure) || strings.Contains(text, "\n") || len(text) > 250 {
			t.Errorf("%s: %q, want %q and %q", c.file, text, c.fault, c.cure)
		}
	}
}

// refused are the kept files that must not be read, and why.
var refused = []struct{ file, fault, cure string }{
	{"empty", "the file is empty", "Copy it again"},
	{"one-byte", `starts with "R"`, "Convert"},
	{"cut-in-header", "ends after 10 bytes", "damaged"},
	{"cut-in-fmt", `chunk "fmt " promises 16 bytes, the file has 10`, "damaged"},
	{"zeros", "never written", "damaged"},
	{"text", `not a WAV file (starts with "<!DO")`, "Convert"},
	{"mp3-id3", `not a WAV file (starts with "ID3": an MP3?)`, "Convert: ffmpeg"},
	{"mp3-frame", "an MP3?", "Convert"},
	{"ogg", "an Ogg file?", "Convert"},
	{"flac", "a FLAC file?", "pcm_s24le"},
	{"aiff", "an AIFF file?", "pcm_s24le"},
	{"m4a", "an MP4 or M4A?", "Convert"},
	{"avi", `of the kind "AVI "`, "Convert"},
	{"rifx", "big-endian", "Convert"},
	{"adpcm-ms", "ADPCM (format tag 0x0002) cannot be read. PCM 8/16/24/32 and float 32 can.", "Convert"},
	{"adpcm-ima", "ADPCM (format tag 0x0011) cannot be read. PCM 8/16/24/32 and float 32 can.", "Convert"},
	{"a-law", "A-law (format tag 0x0006)", "Convert"},
	{"mu-law", "mu-law (format tag 0x0007)", "Convert"},
	{"mp3-inside", "MP3 (format tag 0x0055)", "Convert"},
	{"tag-unknown", "format tag 0x7777", "Convert"},
	{"float64", "float of 64 bits", "pcm_f32le"},
	{"pcm12", "PCM of 12 bits", "Convert"},
	{"extensible-a-law", "A-law (format tag 0x0006)", "Convert"},
	{"extensible-guid", "unknown SubFormat", "Convert"},
	{"extensible-float64", "float of 64 bits", "pcm_f32le"},
	{"extensible-short", "EXTENSIBLE with 16 bytes", "damaged"},
	{"channels-0", "has 0 channels", "damaged"},
	{"channels-65", "has 65 channels", "damaged"},
	{"rate-0", "rate is 0 Hz", "damaged"},
	{"rate-huge", "rate is 1536001 Hz", "damaged"},
	{"block-align", "block align is 3 bytes", "damaged"},
	{"no-chunks", "neither a format (fmt chunk) nor sound", "damaged"},
	{"no-data", "has no sound", "damaged"},
	{"no-fmt", "does not say what its sound is", "damaged"},
	{"fmt-after-data", "stands behind its sound", "damaged"},
	{"fmt-short", "has 14 bytes, 16 at least", "damaged"},
	{"fmt-huge", `chunk "fmt " promises 2 147 483 647 bytes`, "damaged"},
	{"list-huge", `chunk "LIST" promises 2 147 483 647 bytes`, "damaged"},
	{"ds64-short", "ds64 chunk has 4 bytes", "damaged"},
	{"odd-chunk-no-next", "before any sound, stands no chunk", "damaged"},
	{"chunks-1000", "more than 1000 chunks", "damaged"},
}

// listing is every WAV file below root, by its path there, without .wav.
func listing(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, _ fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(path, ".wav"); ok {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryKeptFileHasARow(t *testing.T) {
	var rows []string
	for _, c := range accepted {
		rows = append(rows, c.file)
	}
	for _, c := range refused {
		rows = append(rows, "bad/"+c.file)
	}
	slices.Sort(rows)
	files := listing(t, kept)
	slices.Sort(files)
	if !slices.Equal(rows, files) {
		t.Errorf("rows\n%q\nfiles\n%q", rows, files)
	}
}

func TestKeptFilesAreWhatTheirProgramMakes(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("left out: the go command is not on PATH")
	}
	root := t.TempDir()
	if out, err := exec.Command(goTool, "run", filepath.Join(kept, "make.go"), root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made := listing(t, root)
	if !slices.Equal(made, listing(t, kept)) {
		t.Errorf("made %q, kept %q", made, listing(t, kept))
	}
	for _, name := range made {
		b, err := os.ReadFile(filepath.Join(root, name+".wav"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, load(t, name)) {
			t.Errorf("%s.wav differs from what make.go makes", name)
		}
	}
}
