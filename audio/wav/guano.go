package wav

import (
	"bytes"
	"strconv"
	"strings"

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
	{"Timestamp", putTime(stamp6), getTime},
	{"Samplerate", func(dst []byte, f audio.Format, _ *Tags) []byte { return strconv.AppendInt(dst, int64(f.Rate), 10) }, nil},
	{"Length", nil, nil},
	{"Make", putMake, func(t *Tags, v string) { t.Make = v }},
	text("Model", func(t *Tags) *string { return &t.Model }),
	text("Serial", func(t *Tags) *string { return &t.Serial }),
	{"Loc Position", putLocation, getLocation},
	text("Note", func(t *Tags) *string { return &t.Note }),
	text("INGESTD|Station", func(t *Tags) *string { return &t.Station }),
	ofChunk("INGESTD|Session", func(t *Tags) *int64 { return (*int64)(&t.Session) }),
	text("INGESTD|Sensor", func(t *Tags) *string { return &t.Sensor }),
	ofChunk("INGESTD|Block", func(t *Tags) *int64 { return &t.Block }),
	ofChunk("INGESTD|From", func(t *Tags) *int64 { return &t.From }),
	{"INGESTD|Start", putTime(stamp9), getTime},
	{"INGESTD|Time Error", putTimeError, getTimeError},
	positive("INGESTD|Lost Frames", func(t *Tags) *int64 { return &t.Lost }),
	{"INGESTD|Hole Causes", putCauses, getCauses},
	positive("INGESTD|Continues", func(t *Tags) *int64 { return (*int64)(&t.Continues) }),
}

// text is a field of one line.
func text(name string, of func(*Tags) *string) field {
	return field{name,
		func(dst []byte, _ audio.Format, t *Tags) []byte { return appendLine(dst, *of(t)) },
		func(t *Tags, value string) { *of(t) = value }}
}

// positive is a number that is left out if it is 0.
func positive(name string, of func(*Tags) *int64) field {
	return number(name, of, func(t *Tags) bool { return *of(t) > 0 })
}

// ofChunk is a number, 0 too, that only a chunk has.
func ofChunk(name string, of func(*Tags) *int64) field {
	return number(name, of, func(t *Tags) bool { return t.Sensor != "" })
}

func number(name string, of func(*Tags) *int64, has func(*Tags) bool) field {
	put := func(dst []byte, _ audio.Format, t *Tags) []byte {
		if !has(t) {
			return dst
		}
		return strconv.AppendInt(dst, *of(t), 10)
	}
	return field{name, put, func(t *Tags, value string) {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
			*of(t) = n
		}
	}}
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
