// Package wavfile is a source that replays WAV files as if they were a
// microphone: in real time, N times faster, or as fast as its frames are
// taken.
package wavfile

import (
	"fmt"
	"strconv"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// MaxFiles is how many files one source replays.
const MaxFiles = 100_000

// Config describes a replay. Only Paths is required.
type Config struct {
	Paths  []string      // files, folders (of which *.wav, not of those in them) and globs; each of these in name order
	Speed  float64       // 1: real time, N: N times faster, 0: as fast as the frames are taken
	Loop   bool          // begin again behind the last file, without a gap
	Start  Start         // when the first frame was captured
	Latest time.Time     // a start that is later is refused; zero: none is
	Strict bool          // refuse a file whose header and size disagree, such as one that was cut
	Format audio.Format  // fields that are not zero must be those of the files
	Batch  time.Duration // frames come at multiples of this; 0: source.DefaultBatch
	Clock  clock.Clock   // nil: the machine's
	Admit  source.Admit  // gate for Speed 0; nil: none
	Warn   func(string)  // told once what is odd about each file; nil: nobody is
}

// Start says when the first frame of a replay was captured. The zero value is
// now: the replay is sound of this moment.
type Start struct {
	File bool      // as each file says: GUANO, bext, or its name. What is missing between two is lost, as stopped
	Time time.Time // at this time, if File is false and it is not zero
}

// UnmarshalText reads now, file, a time by RFC 3339, or Unix milliseconds.
func (s *Start) UnmarshalText(text []byte) error {
	switch string(text) {
	case "", "now":
		*s = Start{}
		return nil
	case "file":
		*s = Start{File: true}
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if ms, digits := strconv.ParseInt(string(text), 10, 64); digits == nil {
		t, err = time.UnixMilli(ms), nil
	}
	if err != nil || t.Year() < 1900 || t.Year() > 9999 {
		return fmt.Errorf("start %q is none: use now, file, a time such as 2026-01-31T06:00:00Z, or Unix milliseconds", text)
	}
	*s = Start{Time: t.UTC()}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Start) MarshalText() ([]byte, error) {
	switch {
	case s.File:
		return []byte("file"), nil
	case s.Time.IsZero():
		return []byte("now"), nil
	}
	return s.Time.UTC().AppendFormat(nil, time.RFC3339Nano), nil
}

// nameLayout is how field recorders name their files: the sensor, and the time
// of the first frame, which is taken for UTC.
const nameLayout = "20060102_150405"

// startOfName returns the time in a name such as mic0_20260131_060000.wav or
// mic0_20260131_060000_250.wav, and whether it has a fraction of a second.
func startOfName(name string) (t time.Time, fraction, ok bool) {
	stem := name
	if dot := len(name) - len(".wav"); dot > 0 && name[dot] == '.' {
		stem = name[:dot]
	}
	var ms int
	if i := len(stem) - len("_mmm"); i > 0 && stem[i] == '_' && digits(stem[i+1:]) && !stampEnds(stem) {
		ms, _ = strconv.Atoi(stem[i+1:])
		stem, fraction = stem[:i], true
	}
	if !stampEnds(stem) {
		return time.Time{}, false, false
	}
	t, err := time.Parse(nameLayout, stem[len(stem)-len(nameLayout):])
	return t.Add(time.Duration(ms) * time.Millisecond), fraction, err == nil
}

// stampEnds says whether stem is a stamp, or ends with _ and one.
func stampEnds(stem string) bool {
	i := len(stem) - len(nameLayout)
	if i < 0 || i > 0 && stem[i-1] != '_' {
		return false
	}
	return digits(stem[i:i+8]) && stem[i+8] == '_' && digits(stem[i+9:])
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
