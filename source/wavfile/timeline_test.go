package wavfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/sourcetest"
)

// told is a file of 48 kHz: its name, its frames, and the time in its GUANO,
// if it has one.
type told struct {
	name   string
	frames int64
	tagged string
}

func (f told) time() time.Time {
	at, err := time.Parse(time.RFC3339Nano, f.tagged)
	if err != nil {
		panic(err)
	}
	return at
}

// placed dates files, and says where frames are missing: "48000+96000" is
// 96000 frames behind the first 48000 that were heard.
func placed(files []told) (holes string, err error) {
	s := &Source{c: Config{Start: Start{File: true}}, format: format, names: []string{files[0].name}}
	var parts []part
	for _, f := range files {
		p := part{name: f.name, frames: f.frames}
		if f.tagged != "" {
			p.begin = stamp{f.time(), true, f.time().Nanosecond() != 0}
		} else if at, fraction, ok := startOfName(f.name); ok {
			p.begin = stamp{at, false, fraction}
		}
		parts = append(parts, p)
	}
	if err := s.date(parts); err != nil {
		return "", err
	}
	heard := int64(0)
	for _, p := range parts {
		lost, err := s.line.next(p)
		if err != nil {
			return "", err
		}
		if lost != 0 {
			holes += fmt.Sprintf("%d+%d ", heard, lost)
		}
		heard += p.frames
	}
	return strings.TrimSpace(holes), nil
}

const sec = 48000

func TestEachFileStandsWhereItSaysThatItBegins(t *testing.T) {
	for name, c := range map[string]struct {
		files []told
		want  string
	}{
		"a recorder that sleeps": {[]told{
			{"20260131_100000.WAV", 55 * sec, ""}, {"20260131_100100.WAV", 55 * sec, ""}, {"20260131_110000.WAV", 2 * sec, ""}},
			"2640000+240000 5280000+167280000"},
		"one behind the other":          {[]told{{"20260131_100000.WAV", 5 * sec, ""}, {"20260131_100005.WAV", 5 * sec, ""}}, ""},
		"a name has whole seconds":      {[]told{{"20260131_100000.WAV", 5*sec + 47000, ""}, {"20260131_100005.WAV", 5 * sec, ""}, {"20260131_100011.WAV", sec, ""}}, ""},
		"a second is within them":       {[]told{{"20260131_100000.WAV", 5 * sec, ""}, {"20260131_100006.WAV", 5 * sec, ""}}, ""},
		"what is more is not":           {[]told{{"20260131_100000.WAV", 5*sec - 1, ""}, {"20260131_100006.WAV", 5 * sec, ""}}, "239999+48001"},
		"small steps are seen together": {[]told{{"20260131_100000.WAV", sec, ""}, {"20260131_100002.WAV", sec, ""}, {"20260131_100004.WAV", sec, ""}}, "96000+96000"},
		"milliseconds":                  {[]told{{"20260131_100000_000.WAV", sec, ""}, {"20260131_100001_021.WAV", sec, ""}, {"20260131_100002_041.WAV", sec, ""}}, "48000+1008"},
		"tags":                          {[]told{{"a.wav", sec, "2026-01-31T10:00:00.5Z"}, {"b.wav", sec, "2026-01-31T10:00:02Z"}, {"c.wav", sec, "2026-01-31T10:00:03.02Z"}}, "48000+24000"},
		"tags in whole seconds":         {[]told{{"a.wav", sec, "2026-01-31T10:00:00Z"}, {"b.wav", sec, "2026-01-31T10:00:02Z"}}, ""},
		"tags go before names":          {[]told{{"20260131_090000.wav", sec, "2026-01-31T10:00:00.5Z"}, {"20260131_080000.wav", sec, "2026-01-31T10:00:02.5Z"}}, "48000+48000"},
		"a name behind a tag":           {[]told{{"a.wav", sec, "2026-01-31T10:00:00.9Z"}, {"x_20260131_100001.wav", sec, ""}}, ""},
		"thirds of a second add nothing up": {[]told{{"a.wav", 1, "2026-01-31T10:00:00.000000Z"}, {"b.wav", 1, "2026-01-31T10:00:00.333333Z"},
			{"c.wav", 1, "2026-01-31T10:00:00.666666Z"}, {"d.wav", 1, "2026-01-31T10:00:01Z"}}, "1+15998 2+15999 3+16000"},
		"files without sound need no time": {[]told{{"a.wav", 0, ""}, {"20260131_100000.wav", sec, ""}, {"b.wav", 0, ""}, {"20260131_100003.wav", sec, ""}, {"c.wav", 0, ""}}, "48000+96000"},
		"a clock that drifts":              {[]told{{"20260131_100000.WAV", 30_000 * sec, ""}, {"20260131_181956.WAV", sec, ""}}, ""},
		"a leap year":                      {[]told{{"20240101_000000.WAV", sec, ""}, {"20250101_000001.WAV", sec, ""}}, "48000+1517875200000"},
	} {
		if got, err := placed(c.files); err != nil || got != c.want {
			t.Errorf("%s: holes %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestFilesThatContradictEachOtherAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		files []told
		words []string
	}{
		"twice": {[]told{{"20260131_101400.WAV", 66 * sec, ""}, {"20260131_101400.WAV", 66 * sec, ""}},
			[]string{"20260131_101400.WAV begins at 2026-01-31T10:14:00Z, its name, but the sound of 20260131_101400.WAV before it lasts until 2026-01-31T10:15:06Z: ", "in the order of their times, or give the start as"}},
		"out of order": {[]told{{"b_20260131_101500.wav", sec, ""}, {"a_20260131_101400.wav", sec, ""}},
			[]string{"a_20260131_101400.wav begins at 2026-01-31T10:14:00Z, its name, but the sound of b_20260131_101500.wav before it lasts until 2026-01-31T10:15:01Z: "}},
		"more than a second":  {[]told{{"20260131_101400.wav", 5 * sec, ""}, {"20260131_101404.wav", sec, ""}, {"20260131_101404_900.wav", sec, ""}}, []string{"20260131_101404_900.wav begins at"}},
		"more than it drifts": {[]told{{"20260131_100000.wav", 30_000 * sec, ""}, {"20260131_181955.wav", sec, ""}}, []string{"20260131_181955.wav begins at"}},
		"tags to the millisecond": {[]told{{"a.wav", sec, "2026-01-31T10:00:00.5Z"}, {"b.wav", sec, "2026-01-31T10:00:01.479Z"}},
			[]string{"b.wav begins at 2026-01-31T10:00:01.479Z, its GUANO or bext, but the sound of a.wav before it lasts until 2026-01-31T10:00:01.5Z: "}},
		"no time": {[]told{{"a.wav", sec, ""}, {"20260131_100000.wav", sec, ""}}, []string{"a.wav does not say when it begins", "as now or as a time"}},
		"no time behind": {[]told{{"20260131_100000.wav", sec, ""}, {"a.wav", sec, ""}},
			[]string{"a.wav does not say when it begins, and 20260131_100000.wav before it does, from 2026-01-31T10:00:00Z, its name: leave one of them out, or give the start as now or as a time"}},
		"a clock that was not set": {[]told{{"19700101_000000.wav", sec, ""}, {"20260131_100000.wav", sec, ""}},
			[]string{"20260131_100000.wav begins at 2026-01-31T10:00:00Z, its name, more than a year after the sound of 19700101_000000.wav before it (1970-01-01T00:00:01Z): was the clock of the recorder set? Replay them one by one"}},
	} {
		_, err := placed(c.files)
		if told := fault(err, c.words...); told != nil {
			t.Errorf("%s: %v", name, told)
		}
	}
}

// lay writes files, and returns their paths and their sound.
func lay(t *testing.T, files ...told) (paths []string, sound []byte) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		var tags *wav.Tags
		if f.tagged != "" {
			tags = &wav.Tags{Start: f.time()}
		}
		paths = append(paths, filepath.Join(dir, f.name))
		part := ramp(len(sound)/format.FrameBytes(), int(f.frames))
		save(t, paths[len(paths)-1], format, part, tags)
		sound = append(sound, part...)
	}
	return paths, sound
}

func TestDatedSource(t *testing.T) {
	for _, speed := range []float64{0, 1} {
		sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
			paths, sound := lay(t, told{"a_20260131_100000.wav", 5000, ""}, told{"b_20260131_100002.wav", 0, ""},
				told{"c_20260131_100003.wav", 1, ""}, told{"d.wav", 4001, "2026-01-31T10:00:10.5Z"})
			c := Config{Paths: paths, Start: Start{File: true}, Speed: speed, Clock: &leap{now: 12345}}
			return open(t, c), sourcetest.Want{Bytes: sound, Ends: true, Lossy: true}
		})
	}
}

// A hole is told with the first frames behind it, whoever stops waiting for
// those, and takes no time.
func TestHoleBetweenFilesIsNotWaitedFor(t *testing.T) {
	paths, _ := lay(t, told{"20260131_100000.wav", sec, ""}, told{"20260131_110000.wav", sec, ""})
	c := &leap{now: 1e9}
	s := open(t, Config{Paths: paths, Start: Start{File: true}, Speed: 1, Clock: c})
	if at, ok := s.Start(); !ok || !at.Equal(time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("it begins at %v, %v", at, ok)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p := make([]byte, sec/2*format.FrameBytes())
	heard, lost := int64(0), int64(0)
	for {
		if pk, err := s.Read(ended, p); pk != (source.Packet{}) || heard < 2*sec && !errors.Is(err, context.Canceled) {
			t.Fatalf("an ended context got %+v, %v", pk, err)
		}
		pk, err := s.Read(t.Context(), p)
		if err == io.EOF {
			break
		}
		if err != nil || pk.Lost > 0 && (heard != sec || pk.Frames == 0 || pk.Cause != audio.Stopped) {
			t.Fatalf("behind %d frames: %+v, %v", heard, pk, err)
		}
		heard, lost = heard+int64(pk.Frames), lost+pk.Lost
		if want := 1e9 + int64(format.Duration(heard)); pk.At != want {
			t.Errorf("behind %d frames At is %d, want %d", heard, pk.At, want)
		}
	}
	if heard != 2*sec || lost != 3599*sec || c.now != 3e9 {
		t.Errorf("%d frames heard, %d lost, in %v", heard, lost, time.Duration(c.now-1e9))
	}
}

// What was true when the source was opened is judged again when a file is
// played.
func TestFileThatChangesItsTimeMeanwhileIsAFault(t *testing.T) {
	paths, _ := lay(t, told{"a_20260131_100000.wav", 10, ""}, told{"b.wav", 10, "2026-01-31T10:00:05Z"})
	s := open(t, Config{Paths: paths, Start: Start{File: true}})
	save(t, paths[1], format, ramp(0, 10), &wav.Tags{Start: time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)})
	p := make([]byte, 1000)
	if _, err := s.Read(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		pk, err := s.Read(t.Context(), p)
		if told := fault(err, "b.wav begins at 2026-01-31T09:00:00Z"); told != nil || pk != (source.Packet{}) {
			t.Errorf("%+v, %v", pk, told)
		}
	}
}

func TestFileOfTheFutureIsRefused(t *testing.T) {
	paths, _ := lay(t, told{"a_20260131_100000.wav", 10, ""}, told{"b_20260131_100005.wav", 10, ""})
	_, err := Open(t.Context(), Config{Paths: paths, Start: Start{File: true}, Latest: time.Date(2026, 1, 31, 10, 0, 4, 0, time.UTC)})
	if told := fault(err, "b_20260131_100005.wav begins in the future (2026-01-31T10:00:05Z, its name): ", "as now or as a time"); told != nil {
		t.Error(told)
	}
}
