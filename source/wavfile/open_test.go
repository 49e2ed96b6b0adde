package wavfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/source"
)

// fault says that err is a Fault of one line that holds all of words.
func fault(err error, words ...string) error {
	var f *source.Fault
	if !errors.As(err, &f) || f.Reason != source.Failed || strings.Contains(err.Error(), "\n") {
		return fmt.Errorf("got %v, want a Fault of one line", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			return fmt.Errorf("%q does not say %q", err, word)
		}
	}
	return nil
}

func TestWhatCannotBeReplayedIsRefusedWithACure(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	save(t, at("a.wav"), format, ramp(0, 100), nil)
	save(t, at("b.wav"), audio.Format{Rate: 44100, Channels: 3, Encoding: audio.S24}, ramp(0, 100), nil)
	save(t, at("empty.wav"), format, nil, nil)
	cut := at("cut.wav")
	save(t, cut, format, ramp(0, 100), nil)
	for _, err := range []error{
		os.Truncate(cut, 500), os.WriteFile(at("no.wav"), []byte("OggS and so on"), 0o600),
		os.WriteFile(at("it's no.wav"), []byte("OggS and so on"), 0o600),
		os.MkdirAll(at("card/DCIM/day1"), 0o700), os.WriteFile(at("card/DCIM/day1/X.WAV"), nil, 0o600),
		os.Mkdir(at("bare"), 0o700), os.WriteFile(at("bare/.hidden.wav"), nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		c    Config
		want []string
	}{
		"nothing named":    {Config{}, []string{"name files"}},
		"missing":          {Config{Paths: []string{at("x.wav")}}, []string{at("x.wav"), "check the name"}},
		"no match":         {Config{Paths: []string{at("x*.wav")}}, []string{at("x*.wav"), "check the glob"}},
		"bad glob":         {Config{Paths: []string{at("[")}}, []string{"close its brackets"}},
		"bare folder":      {Config{Paths: []string{at("bare")}}, []string{at("bare"), "*.wav"}},
		"folders below":    {Config{Paths: []string{at("card")}}, []string{at("card") + ": ", "not looked into: name " + at("card/DCIM/day1") + ", or a glob such as '" + at("card/DCIM/*/*.WAV") + "'"}},
		"not WAV":          {Config{Paths: []string{at("a.wav"), at("no.wav")}}, []string{at("no.wav") + ": ", "Ogg", "Convert: ffmpeg -i " + at("no.wav") + " -c:a pcm_s16le out.wav"}},
		"quoted":           {Config{Paths: []string{at("it's no.wav")}}, []string{"Convert: ffmpeg -i '" + at(`it'\''s no.wav`) + "' -c:a pcm_s16le out.wav"}},
		"two formats":      {Config{Paths: []string{at("a.wav"), at("b.wav")}}, []string{at("a.wav"), at("b.wav"), "48000", "44100"}},
		"another rate":     {Config{Paths: []string{at("b.wav")}, Format: audio.Format{Rate: 48000}}, []string{"44100 Hz, but the sensor is 48000"}},
		"other channels":   {Config{Paths: []string{at("b.wav")}, Format: audio.Format{Channels: 1}}, []string{"channels: 3"}},
		"another encoding": {Config{Paths: []string{at("b.wav")}, Format: audio.Format{Encoding: audio.S16}}, []string{"s24", "s16"}},
		"strict":           {Config{Paths: []string{cut}, Strict: true}, []string{cut, "900 bytes", "strict"}},
		"no start":         {Config{Paths: []string{at("a.wav")}, Start: Start{File: true}}, []string{at("a.wav"), "as now or as a time"}},
		"dated loop":       {Config{Paths: []string{at("a.wav")}, Start: Start{File: true}, Loop: true}, []string{at("a.wav"), "do not loop"}},
		"future":           {Config{Paths: []string{at("a.wav")}, Start: Start{Time: time.Unix(2, 0)}, Latest: time.Unix(1, 0)}, []string{"1970-01-01T00:00:02Z", "in the future"}},
		"silent loop":      {Config{Paths: []string{at("empty.wav")}, Loop: true}, []string{at("empty.wav"), "no sound"}},
		"speed":            {Config{Paths: []string{at("a.wav")}, Speed: -1}, []string{"speed -1"}},
		"device":           {Config{Paths: []string{os.DevNull}}, []string{os.DevNull, "regular file"}},
	} {
		if _, err := Open(t.Context(), c.c); fault(err, c.want...) != nil {
			t.Errorf("%s: %v", name, fault(err, c.want...))
		}
	}
	var warned []string
	s := open(t, Config{Paths: []string{cut}, Warn: func(line string) { warned = append(warned, line) }})
	if pk, err := s.Read(t.Context(), make([]byte, 900)); err != nil || pk.Frames == 0 || len(warned) == 0 || !strings.HasPrefix(warned[0], cut+": ") {
		t.Errorf("a cut file: %+v, %v, warned %q", pk, err, warned)
	}
}

func TestFileThatIsCutWhileItIsReplayedIsAFault(t *testing.T) {
	dir := t.TempDir()
	parts(t, dir, 20000)
	s := open(t, Config{Paths: []string{dir}})
	p := make([]byte, 9000)
	if _, err := s.Read(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "a.wav"), 20000); err != nil {
		t.Fatal(err)
	}
	err := error(nil)
	for err == nil {
		_, err = s.Read(t.Context(), p)
	}
	if told := fault(err, "a.wav", "shorter"); told != nil {
		t.Error(told)
	}
	if _, again := s.Read(t.Context(), p); again != err {
		t.Errorf("then %v", again)
	}
}

func TestLoopWhoseSoundIsGoneIsAFault(t *testing.T) {
	for _, frames := range [][]int{{10}, {10, 20}} {
		dir := t.TempDir()
		parts(t, dir, frames...)
		s := open(t, Config{Paths: []string{dir}, Loop: true})
		parts(t, dir, make([]int, len(frames))...)
		_, err := s.Read(t.Context(), make([]byte, 900))
		if told := fault(err, "a.wav", "replaced"); told != nil {
			t.Error(told)
		}
	}
}

func TestFilesComeInNameOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"c.WAV", "a.wav", "b.wav", "b.txt", ".d.wav", "[x].wav"} {
		save(t, filepath.Join(dir, name), format, nil, nil)
	}
	for _, c := range []struct{ paths, want []string }{
		{[]string{""}, []string{"[x].wav", "a.wav", "b.wav", "c.WAV"}},
		{[]string{"b*"}, []string{"b.txt", "b.wav"}},
		{[]string{"[x].wav", "b.wav", "[ab].wav"}, []string{"[x].wav", "b.wav", "a.wav", "b.wav"}},
	} {
		var paths, want []string
		for _, p := range c.paths {
			paths = append(paths, filepath.Join(dir, p))
		}
		for _, p := range c.want {
			want = append(want, filepath.Join(dir, p))
		}
		if got, err := expand(t.Context(), paths); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %q, %v; want %q", c.paths, got, err, want)
		}
	}
}

func TestStartOfAReplay(t *testing.T) {
	dir := t.TempDir()
	stated := time.Date(2026, 1, 31, 6, 0, 0, 0, time.UTC)
	named := filepath.Join(dir, "mic0_20260201_070000_250.wav")
	tagged := filepath.Join(dir, "mic0_20260202_070000.wav")
	save(t, named, format, ramp(0, 10), nil)
	save(t, tagged, format, ramp(0, 10), &wav.Tags{Start: stated})
	for _, c := range []struct {
		path  string
		start Start
		want  time.Time
	}{
		{tagged, Start{}, time.Time{}},
		{tagged, Start{File: true}, stated},
		{named, Start{File: true}, time.Date(2026, 2, 1, 7, 0, 0, 250e6, time.UTC)},
		{tagged, Start{Time: stated.Add(time.Hour)}, stated.Add(time.Hour)},
	} {
		got, ok := open(t, Config{Paths: []string{c.path}, Start: c.start}).Start()
		if !got.Equal(c.want) || ok == c.want.IsZero() {
			t.Errorf("%s, %+v: start %v, %v; want %v", c.path, c.start, got, ok, c.want)
		}
	}
	for name, want := range map[string]string{
		"20260131_060000.wav": "2026-01-31T06:00:00Z", "a_b_20260131_060000_007": "2026-01-31T06:00:00.007Z",
		"mic20260131_060000.wav": "", "mic0_20261331_060000.wav": "", "mic0_20260131.wav": "", "x.wav": "", "": "", "_123.wav": "",
	} {
		if got, _, ok := startOfName(name); ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v; want %q", name, got, ok, want)
		}
	}
}

func TestStartIsReadAsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"now": "now", "": "now", "file": "file", "2026-01-31T06:00:00Z": "2026-01-31T06:00:00Z",
		"2026-01-31T06:00:00.25+01:00": "2026-01-31T05:00:00.25Z", "1795287841150": "2026-11-21T19:04:01.15Z",
	} {
		var s Start
		if err := s.UnmarshalText([]byte(text)); err != nil {
			t.Error(err)
		}
		if got, err := s.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%q is written as %q, %v; want %q", text, got, err, want)
		}
	}
	for _, bad := range []string{"yesterday", "-99999999999999999", "2026-01-31 06:00"} {
		var s Start
		if s.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q was accepted as %v", bad, s)
		}
	}
}
