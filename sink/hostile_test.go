package sink_test

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/sinktest"
)

// TestSecurity_P4: no hostile name is a name, none makes a key or a layout.
// What buckets do with them is in sinktest.
func TestSecurity_P4(t *testing.T) {
	hostile, all := sinktest.HostileNames(), slices.Concat(sinktest.HostileNames(), sinktest.OddNames())
	if len(hostile) < 500 || len(all) < 800 {
		t.Errorf("only %d hostile names, %d with the odd ones", len(hostile), len(all))
	}
	for _, name := range hostile {
		if err := sink.CheckName(name); !errors.Is(err, sink.ErrName) {
			t.Errorf("%q is a name: %v", name, err)
		}
		for _, template := range []string{name, name + "/{session}/{sensor}/{block}", "{session}/" + name + "/{sensor}/{block}.wav", "{session}/{sensor}/" + name + "{block}/" + name} {
			if _, err := sink.ParseLayout(template); err == nil {
				t.Errorf("%q is a layout", template)
			}
		}
	}
	templates := []string{sink.DefaultLayout, "{session}/{block}", "{session}_{block}.wav", "of-{sensor}/{session}/{block}", "x/{sensor}-{session}/a{block}b"}
	for _, template := range templates {
		l := layout(t, template)
		for _, name := range all {
			if audio.CheckSensor(name) == nil {
				t.Fatalf("%q is a sensor", name)
			}
			if made := l.Name(audio.Key{Session: 1, Sensor: name, Block: 0}); made != "" {
				t.Errorf("%s: a chunk of sensor %q is called %q", template, name, made)
			}
			for _, chunk := range []string{
				name, "1/data/" + name + "/data/00000000000000.wav", name + "/data/mic0/data/00000000000000.wav", "1/data/mic0/data/" + name, "1/" + name,
				name + "/00000000000000", "1_" + name + ".wav", "of-" + name + "/1/00000000000000", "x/" + name + "-1/a00000000000000b", "1/data/mic0/data/00000000000000.wav" + name,
			} {
				// An empty part may be missing from an honest name.
				if k, ok := l.Key(chunk); ok && name != "" {
					t.Errorf("%s: %q is the chunk %v", template, chunk, k)
				}
			}
			if made := l.Meta(1, name); made != "" {
				t.Errorf("%s: what is known of sensor %q lies in %q", template, name, made)
			}
		}
	}
}

// TestSecurity_P2: a template has fields of a closed list, and whatever it makes
// of a key is a path inside the store.
func TestSecurity_P2(t *testing.T) {
	for _, template := range []string{
		"{user}/{session}/{block}", "{session}/{Sensor}/{block}", "{session}/{sensor:x}/{block}", "{{session}}/{block}", "{session}/{block}{", "{session}/$HOME/../{block}", "/{session}/{block}",
		"../{session}/{block}", "{session}/../{block}", "{session}/./{block}", "{session}//{block}", "{session}/{block}/", "{session}/\x00/{block}", `{session}\{block}`, "{session}/\x1b{block}", "{session}/\xff{block}",
		"{session}/" + strings.Repeat("x", 256) + "/{block}", strings.Repeat("x/", 512) + "{session}/{block}", "{session}/" + strings.Repeat("x", 250) + "{block}",
	} {
		if _, err := sink.ParseLayout(template); err == nil {
			t.Errorf("%q is a layout", template)
		}
	}
	for _, template := range append(everyLayout(".wav"), everyLayout("")...) {
		l := layout(t, template)
		for _, k := range []audio.Key{key(0, "mic0", 0), key(math.MaxInt64, "mic0", math.MaxInt64), key(1, strings.Repeat("x", audio.MaxSensor), 0), key(1, "0-_", 99_999_999_999_999)} {
			if !l.HasSensor() {
				k.Sensor = "mic0"
			}
			for _, name := range []string{l.Name(k), l.Meta(k.Session, k.Sensor) + "/info.json"} {
				if !filepath.IsLocal(name) || !fs.ValidPath(name) || strings.ContainsFunc(name, unicode.IsControl) {
					t.Errorf("%s: %v lies in %q", template, k, name)
				}
				for part := range strings.SplitSeq(name, "/") {
					if len(part) > 255 {
						t.Errorf("%s: %v: %q has %d bytes", template, k, part, len(part))
					}
				}
			}
		}
	}
}
