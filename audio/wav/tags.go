package wav

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ingestd/ingestd/audio"
)

// Tags is what a file says about itself in bext and GUANO. Every string is one
// clean line: what is written or read otherwise loses its control characters.
type Tags struct {
	// The key of the chunk. Without a Sensor, the file is no chunk of a store,
	// and Session, Block and From are not written.
	Session audio.Session
	Sensor  string
	Block   int64
	From    int64 // frames from the beginning of the session to this chunk

	Start     time.Time     // of the first frame; zero: not known
	TimeError time.Duration // how wrong Start may be; 0: not known

	Station             string
	Make, Model, Serial string // of the recorder. An empty Make is written as ingestd
	Note                string
	Location            *[2]float64 // latitude and longitude in degrees

	Lost      int64         // frames missing just before the chunk
	Causes    []Loss        // of Lost, in order; empty, or their sum is Lost
	Continues audio.Session // the session that this one goes on from; 0: none

	Unknown []Field // GUANO fields that mean nothing here, kept in order
}

// Loss is a part of what is missing before a chunk.
type Loss struct {
	Frames int64
	Cause  audio.Cause
}

// Field is a GUANO field.
type Field struct{ Name, Value string }

// MaxText is how long a text is that Cut leaves, in bytes.
const MaxText = 256

// Cut shortens Station, Make, Model, Serial and Note to MaxText bytes of whole
// characters. With these, no Unknown and at most 16 Causes a header of any
// format has room.
func (t *Tags) Cut() {
	for _, s := range []*string{&t.Station, &t.Make, &t.Model, &t.Serial, &t.Note} {
		text := clean(*s)
		if end := MaxText; len(text) > end {
			for !utf8.RuneStart(text[end]) {
				end--
			}
			text = clean(text[:end])
		}
		*s = text
	}
}

// Key is the key of the chunk. ok is false if the file is none.
func (t *Tags) Key() (k audio.Key, ok bool) {
	return audio.Key{Session: t.Session, Sensor: t.Sensor, Block: t.Block}, t.Sensor != ""
}

// check returns an error for tags that could not be read back as they are.
func (t *Tags) check() error {
	if k, ok := t.Key(); ok {
		if err := k.Check(); err != nil {
			return err
		}
	}
	if t.From < 0 || t.Lost < 0 || t.TimeError < 0 || t.Continues < 0 {
		return fmt.Errorf("from %d, lost %d, time error %d ns, continues %d: none may be negative",
			t.From, t.Lost, int64(t.TimeError), t.Continues)
	}
	if y := t.Start.UTC().Year(); y < 1 || y > 9999 {
		return fmt.Errorf("start is in the year %d", y)
	}
	if l := t.Location; l != nil && !(math.Abs(l[0]) <= 90 && math.Abs(l[1]) <= 180) {
		return fmt.Errorf("location %v %v is not a latitude and a longitude in degrees", l[0], l[1])
	}
	if len(t.Causes) > 0 {
		if sum, ok := total(t.Causes); !ok || sum != t.Lost {
			return fmt.Errorf("the causes %v do not add up to %d lost frames", t.Causes, t.Lost)
		}
	}
	for _, u := range t.Unknown {
		if !validName(u.Name) || ours(u.Name) != nil {
			return fmt.Errorf("%q cannot be the name of a further GUANO field", u.Name)
		}
	}
	return nil
}

// total adds up losses. ok is false if one is not a loss, or the sum
// overflows.
func total(losses []Loss) (frames int64, ok bool) {
	for _, l := range losses {
		if l.Frames < 1 || !l.Cause.Valid() || frames > math.MaxInt64-l.Frames {
			return 0, false
		}
		frames += l.Frames
	}
	return frames, true
}

// validName says whether a GUANO field may be called name.
func validName(name string) bool {
	return name != "" && len(name) <= 128 && !strings.Contains(name, ":") && clean(name) == name
}

// clean makes s one line: invalid UTF-8 and control characters are replaced,
// space around it is cut.
func clean(s string) string {
	if utf8.ValidString(s) && strings.TrimSpace(s) == s && strings.IndexFunc(s, breaks) < 0 {
		return s
	}
	return string(appendLine(nil, s))
}

// appendLine appends clean(s).
func appendLine(dst []byte, s string) []byte {
	begin := len(dst)
	for _, r := range s {
		if breaks(r) {
			r = ' '
		}
		if len(dst) > begin || !unicode.IsSpace(r) {
			dst = utf8.AppendRune(dst, r)
		}
	}
	for len(dst) > begin {
		r, n := utf8.DecodeLastRune(dst[begin:])
		if !unicode.IsSpace(r) {
			break
		}
		dst = dst[:len(dst)-n]
	}
	return dst
}

// breaks says whether r ends a line or is otherwise no text.
func breaks(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }
