package sink

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/audio"
)

// DefaultLayout keeps the sensors of a session apart and leaves room beside
// the sound for what is known about it.
const DefaultLayout = "{session}/data/{sensor}/data/{block}.wav"

// BlockDigits is how many digits a block has in a name at least, padded with
// zeros, so that names sort as blocks do.
const BlockDigits = 14

// A Layout maps keys to names and names back to keys, one to one: a template
// of constants and of the fields {session}, {sensor} and {block}. It is
// immutable; the zero Layout maps nothing.
//
// A template without {sensor} holds one sensor, whose id WithSensor gives;
// until then it maps nothing either.
type Layout struct {
	template string
	parts    []part
	sensor   string // the only one, if the template has no {sensor}
}

// String is the template.
func (l Layout) String() string { return l.template }

// HasSensor says whether the template has the field {sensor}.
func (l Layout) HasSensor() bool { return holds(l.parts, sensorField) }

// Sensor is the id given by WithSensor, "" if the template has {sensor}.
func (l Layout) Sensor() string { return l.sensor }

// WithSensor returns the layout that holds sensor id and no other. It is an
// error if the template has {sensor}.
func (l Layout) WithSensor(id string) (Layout, error) {
	if l.HasSensor() {
		return Layout{}, fmt.Errorf("layout %q has {sensor}: it holds any sensor, not only %q", l.template, id)
	}
	if err := audio.CheckSensor(id); err != nil {
		return Layout{}, err
	}
	l.sensor = id
	return l, nil
}

// Ext is what names end in, from the last dot on, or "".
func (l Layout) Ext() string {
	ext := path.Ext(l.template)
	if strings.Contains(ext, "}") {
		return ""
	}
	return ext
}

// Name is the name of the chunk of key k, or "" if k has none: a field is out
// of range, or it is of another sensor than the only one of this layout.
func (l Layout) Name(k audio.Key) string {
	if !l.holds(k) {
		return ""
	}
	b := make([]byte, 0, 96)
	for _, p := range l.parts {
		b = p.render(b, k)
	}
	return string(b)
}

func (l Layout) holds(k audio.Key) bool {
	if len(l.parts) == 0 || k.Check() != nil {
		return false
	}
	return l.HasSensor() || l.sensor == k.Sensor
}

// Key is the key whose chunk has this name. It is false for every other name.
func (l Layout) Key(name string) (audio.Key, bool) {
	if len(l.parts) == 0 {
		return audio.Key{}, false
	}
	k, ok := match(l.parts, name)
	if !l.HasSensor() {
		k.Sensor = l.sensor
	}
	if !ok || k.Check() != nil {
		return audio.Key{}, false
	}
	return k, true
}

// Prefix is what all names of a session and a sensor begin with, as far as
// the template tells before its first unknown field: no name of another
// session or sensor begins with a prefix that reaches behind that field.
// Session 0 and sensor "" stand for unknown.
func (l Layout) Prefix(session audio.Session, sensor string) string {
	k := audio.Key{Session: session, Sensor: sensor}
	var b []byte
	for _, p := range l.parts {
		if p.field == blockField || p.field == sessionField && session <= 0 || p.field == sensorField && sensor == "" {
			break
		}
		b = p.render(b, k)
	}
	return string(b)
}

// Meta is the folder of what is known about a sensor in a session: info.json,
// blocks.jsonl and clock.jsonl. It is the shallowest folder of the template
// that tells session and sensor, and not the block; where there is none, it is
// meta/SESSION/SENSOR.
func (l Layout) Meta(session audio.Session, sensor string) string {
	k := audio.Key{Session: session, Sensor: sensor}
	if !l.holds(k) {
		return ""
	}
	var b []byte
	for _, p := range l.metaParts() {
		b = p.render(b, k)
	}
	return string(b)
}

// metaParts is the template of Meta.
func (l Layout) metaParts() []part {
	var folder []part
	for i, level := range levels(l.parts) {
		if holds(level, blockField) {
			break
		}
		if i > 0 {
			folder = append(folder, part{text: "/"})
		}
		folder = append(folder, level...)
		if holds(folder, sessionField) && (holds(folder, sensorField) || !l.HasSensor()) {
			return folder
		}
	}
	folder = []part{{text: "meta/"}, {field: sessionField}, {text: "/"}}
	if l.HasSensor() {
		return append(folder, part{field: sensorField})
	}
	return append(folder, part{text: l.sensor})
}

// metaTemplate is the template of Meta as text.
func (l Layout) metaTemplate() string {
	var b strings.Builder
	for _, p := range l.metaParts() {
		b.WriteString(p.String())
	}
	return b.String()
}

// appendBlock writes a block as names have it.
func appendBlock(b []byte, block int64) []byte {
	digits := 1
	for n := block; n >= 10; n /= 10 {
		digits++
	}
	for ; digits < BlockDigits; digits++ {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, block, 10)
}
