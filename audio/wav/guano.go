package wav

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// stamp is how times are written: UTC, with a fixed number of digits. The
// Timestamp has six, because GUANO's own reader takes no more.
const (
	stamp6 = "2006-01-02T15:04:05.000000Z"
	stamp9 = "2006-01-02T15:04:05.000000000Z"
)

// field is a GUANO field of ours. put appends its value, or nothing if there
// is none. get reads one, and leaves t alone if it makes no sense.
type field struct {
	name string
	put  func(dst []byte, f audio.Format, t *Tags) []byte
	get  func(t *Tags, value string)
}

// fields are written in this order. Length is read over and never written:
// it would change when a chunk ends.
var fields = [...]field{
	{"GUANO|Version", func(dst []byte, _ audio.Format, _ *Tags) []byte { return append(dst, "1.0"...) }, nil},
	{"Timestamp", func(dst []byte, _ audio.Format, t *Tags) []byte { return putTime(dst, t.Start, stamp6) }, getTimestamp},
	{"Samplerate", func(dst []byte, f audio.Format, _ *Tags) []byte { return strconv.AppendInt(dst, int64(f.Rate), 10) }, nil},
	{"Length", nil, nil},
	{"Make", putMake, func(t *Tags, v string) { t.Make = v }},
	{"Model", func(dst []byte, _ audio.Format, t *Tags) []byte { return appendLine(dst, t.Model) }, func(t *Tags, v string) { t.Model = v }},
	{"Serial", func(dst []byte, _ audio.Format, t *Tags) []byte { return appendLine(dst, t.Serial) }, func(t *Tags, v string) { t.Serial = v }},
	{"Loc Position", putLocation, getLocation},
	{"Note", func(dst []byte, _ audio.Format, t *Tags) []byte { return appendLine(dst, t.Note) }, func(t *Tags, v string) { t.Note = v }},
	{"INGESTD|Station", func(dst []byte, _ audio.Format, t *Tags) []byte { return appendLine(dst, t.Station) }, func(t *Tags, v string) { t.Station = v }},
	{"INGESTD|Session", putKey(func(t *Tags) int64 { return int64(t.Session) }), func(t *Tags, v string) { getInt((*int64)(&t.Session), v) }},
	{"INGESTD|Sensor", func(dst []byte, _ audio.Format, t *Tags) []byte { return append(dst, t.Sensor...) }, func(t *Tags, v string) { t.Sensor = v }},
	{"INGESTD|Block", putKey(func(t *Tags) int64 { return t.Block }), func(t *Tags, v string) { getInt(&t.Block, v) }},
	{"INGESTD|From", putKey(func(t *Tags) int64 { return t.From }), func(t *Tags, v string) { getInt(&t.From, v) }},
	{"INGESTD|Start", func(dst []byte, _ audio.Format, t *Tags) []byte { return putTime(dst, t.Start, stamp9) }, getTimestamp},
	{"INGESTD|Time Error", putTimeError, getTimeError},
	{"INGESTD|Lost Frames", func(dst []byte, _ audio.Format, t *Tags) []byte { return putPositive(dst, t.Lost) }, func(t *Tags, v string) { getInt(&t.Lost, v) }},
	{"INGESTD|Hole Causes", putCauses, getCauses},
	{"INGESTD|Continues", func(dst []byte, _ audio.Format, t *Tags) []byte { return putPositive(dst, int64(t.Continues)) },
		func(t *Tags, v string) { getInt((*int64)(&t.Continues), v) }},
}

// ours returns the field of that name, or nil.
func ours(name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// appendGuano appends the text of a guan chunk, padded to even length.
func appendGuano(dst []byte, f audio.Format, t *Tags) []byte {
	begin := len(dst)
	for i := range fields {
		if fields[i].put == nil {
			continue
		}
		mark := len(dst)
		dst = append(append(dst, fields[i].name...), ": "...)
		value := len(dst)
		if dst = fields[i].put(dst, f, t); len(dst) == value {
			dst = dst[:mark]
			continue
		}
		dst = append(dst, '\n')
	}
	for _, u := range t.Unknown {
		dst = append(append(dst, u.Name...), ": "...)
		dst = append(appendLine(dst, u.Value), '\n')
	}
	if (len(dst)-begin)%2 == 1 {
		dst = append(dst, ' ')
	}
	return dst
}

// parseGuano reads the text of a guan chunk into t, and the first maxFields
// lines of it only. Of a field of ours the first counts; lines that are no
// fields are left out.
func parseGuano(text []byte, t *Tags) {
	var seen [len(fields)]bool
	for n := 0; len(text) > 0 && n < maxFields; n++ {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		name, value, ok := strings.Cut(string(line), ":")
		name, value = strings.TrimSpace(name), clean(value)
		if !ok || !validName(name) {
			continue
		}
		known := false
		for i := range fields {
			if fields[i].name != name {
				continue
			}
			known = true
			if !seen[i] && fields[i].get != nil {
				fields[i].get(t, value)
			}
			seen[i] = true
		}
		if !known {
			t.Unknown = append(t.Unknown, Field{name, value})
		}
	}
	t.settle()
}

// settle drops what does not hold together in tags that were read.
func (t *Tags) settle() {
	if k, ok := t.Key(); !ok || k.Check() != nil {
		t.Session, t.Sensor, t.Block, t.From = 0, "", 0, 0
	}
	if sum, ok := total(t.Causes); !ok || sum != t.Lost {
		t.Causes = nil
	}
	if t.Make == "ingestd" {
		t.Make = ""
	}
}

func putTime(dst []byte, at time.Time, layout string) []byte {
	if at.IsZero() {
		return dst
	}
	return at.UTC().AppendFormat(dst, layout)
}

// getTimestamp takes a time with an offset only: without one it is the local
// time of an unknown place. The later field, with more digits, wins.
func getTimestamp(t *Tags, value string) {
	at, err := time.Parse(time.RFC3339Nano, strings.Replace(value, " ", "T", 1))
	if at = at.UTC(); err == nil && at.Year() >= 1 && at.Year() <= 9999 && !at.IsZero() {
		t.Start = at
	}
}

func putMake(dst []byte, _ audio.Format, t *Tags) []byte {
	begin := len(dst)
	if dst = appendLine(dst, t.Make); len(dst) == begin {
		dst = append(dst, "ingestd"...)
	}
	return dst
}

// putKey writes a number that only a chunk has.
func putKey(of func(*Tags) int64) func([]byte, audio.Format, *Tags) []byte {
	return func(dst []byte, _ audio.Format, t *Tags) []byte {
		if t.Sensor == "" {
			return dst
		}
		return strconv.AppendInt(dst, of(t), 10)
	}
}

func putPositive(dst []byte, n int64) []byte {
	if n < 1 {
		return dst
	}
	return strconv.AppendInt(dst, n, 10)
}

func getInt(to *int64, value string) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
		*to = n
	}
}
