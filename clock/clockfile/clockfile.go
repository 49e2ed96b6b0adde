// Package clockfile writes and reads the clock.jsonl of a session and a sensor:
// what its ledger knows of when each frame was captured. Positions in the file
// are frames since the session began, times are ns since the instant at which it
// was to begin, of a clock that nobody steps and that counts suspend. Every line
// is encoded by package line.
//
//	{"t":"open", ...}   the session, once, first
//	{"t":"u", ...}      a label: from m on the wall clock was right to say utc
//	{"t":"a", ...}      an anchor: frame p begins at m
//	{"t":"s", ...}      a segment: p is the first frame behind a hole, and begins at m
//	{"t":"end", ...}    the session's end; missing after a crash
package clockfile

import (
	"errors"

	"github.com/ingestd/ingestd/audio"
)

// version is that of the format. Who meets a greater one reads nothing.
const version = 1

// The values of "t".
const (
	tOpen    = "open"
	tLabel   = "u"
	tAnchor  = "a"
	tSegment = "s"
	tEnd     = "end"
)

// The errors of Load, beside those of its reader.
var (
	ErrNoOpen  = errors.New("it does not begin with the line of a session")
	ErrVersion = errors.New("a later version of ingestd wrote it")
)

// Continued is the session before, of the same stream.
type Continued struct {
	Session audio.Session `json:"session"`
	Frames  int64         `json:"frames"` // in it
}

// Open is what is known when a session begins.
type Open struct {
	Session audio.Session `json:"session"`
	Sensor  string        `json:"sensor"`
	Rate    int           `json:"rate"`                // nominal frames a second
	Frame   int           `json:"frame"`               // bytes of a frame
	Boot    string        `json:"boot,omitempty"`      // which boot of the machine; "": not known, or not of a machine
	M0      int64         `json:"m0,string,omitempty"` // CLOCK_BOOTTIME of that boot at m = 0, ns
	Stream  int64         `json:"stream,string"`       // frames since the daemon started
	Src     string        `json:"src"`                 // where times come from: adc, arrival or given
	Est     string        `json:"est,omitempty"`       // how they were estimated; "": they were not
	LatE    int64         `json:"lat_e"`               // half width of the constant latency of the source, ns
	Cont    *Continued    `json:"cont,omitempty"`      // nil: it goes on from none
}

// End is the last line.
type End struct {
	P    int64         `json:"p"`              // frames in all
	M    int64         `json:"m,omitempty"`    // absent: 0, or not known any more
	Why  string        `json:"why"`            // rotated or stopped
	Next audio.Session `json:"next,omitempty"` // which goes on from here; 0: none
}

type openLine struct {
	T string `json:"t"`
	V int    `json:"v"`
	Open
}

type labelLine struct {
	T    string `json:"t"`
	M    int64  `json:"m"`
	Raw  int64  `json:"raw,string"` // CLOCK_MONOTONIC_RAW and the time in suspend, ns
	UTC  string `json:"utc"`        // RFC 3339, nine digits of a second
	Err  int64  `json:"err"`        // ns
	Sync string `json:"sync"`
	Why  string `json:"why"`
	Step int64  `json:"step,omitempty"` // ns
}

type anchorLine struct {
	T string `json:"t"`
	P int64  `json:"p"`
	M int64  `json:"m"`
	E int64  `json:"e"` // ns
}

type segmentLine struct {
	T     string      `json:"t"`
	P     int64       `json:"p"`
	M     int64       `json:"m"`
	E     int64       `json:"e"` // ns
	Why   audio.Cause `json:"why"`
	Lost  int64       `json:"lost"` // frames before p
	LostE int64       `json:"lost_e"`
}

type endLine struct {
	T string `json:"t"`
	End
}

// utcText is how labels tell UTC.
const utcText = "2006-01-02T15:04:05.000000000Z"
