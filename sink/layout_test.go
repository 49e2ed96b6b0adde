package sink_test

import (
	"math"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
)

func TestLayoutNamesAndPlaces(t *testing.T) {
	k := audio.Key{Session: 1795287841150, Sensor: "mic0", Block: 86016}
	for _, c := range []struct{ template, name, prefix, meta, ext string }{
		{sink.DefaultLayout, "1795287841150/data/mic0/data/00000000086016.wav", "1795287841150/data/mic0/data/", "1795287841150/data/mic0", ".wav"},
		{"{session}/{block}", "1795287841150/00000000086016", "1795287841150/", "1795287841150", ""},
		{"{session}/data/{block}", "1795287841150/data/00000000086016", "1795287841150/data/", "1795287841150", ""},
		{"{session}/data/{block}.wav", "1795287841150/data/00000000086016.wav", "1795287841150/data/", "1795287841150", ".wav"},
		{"store1/{session}/b/{block}", "store1/1795287841150/b/00000000086016", "store1/1795287841150/b/", "store1/1795287841150", ""},
		{"{session}/d/{block}.pcm", "1795287841150/d/00000000086016.pcm", "1795287841150/d/", "1795287841150", ".pcm"},
		{"{session}_{block}.wav", "1795287841150_00000000086016.wav", "1795287841150_", "meta/1795287841150/mic0", ".wav"},
		{"demo/s_{session}/blocks/{block}.wav", "demo/s_1795287841150/blocks/00000000086016.wav", "demo/s_1795287841150/blocks/", "demo/s_1795287841150", ".wav"},
		{"user_data/jo/sessions/{session}/data/{sensor}/data/{block}", "user_data/jo/sessions/1795287841150/data/mic0/data/00000000086016", "user_data/jo/sessions/1795287841150/data/mic0/data/", "user_data/jo/sessions/1795287841150/data/mic0", ""},
		{"by/{sensor}/{session}-{block}.raw", "by/mic0/1795287841150-00000000086016.raw", "by/mic0/1795287841150-", "meta/1795287841150/mic0", ".raw"},
		{"{session}/{sensor}-{block}", "1795287841150/mic0-00000000086016", "1795287841150/mic0-", "meta/1795287841150/mic0", ""},
	} {
		l := layout(t, c.template)
		if got := l.Name(k); got != c.name {
			t.Errorf("%s: name %s, want %s", c.template, got, c.name)
		}
		if got, ok := l.Key(c.name); !ok || got != k {
			t.Errorf("%s: key %v, %v", c.template, got, ok)
		}
		if got := l.Prefix(k.Session, k.Sensor); got != c.prefix {
			t.Errorf("%s: prefix %s, want %s", c.template, got, c.prefix)
		}
		if got := l.Meta(k.Session, k.Sensor); got != c.meta {
			t.Errorf("%s: meta %s, want %s", c.template, got, c.meta)
		}
		if got := l.Ext(); got != c.ext {
			t.Errorf("%s: ending %s, want %s", c.template, got, c.ext)
		}
		for _, name := range []string{
			c.meta + "/info.json", c.meta + "/blocks.jsonl", c.meta + "/clock.jsonl", "store.json", "store.lock", "aside/1/2",
			c.name + ".part", c.name + ".sums", c.name + ".2.part", c.name + "x", "x" + c.name, c.name + "/", "/" + c.name, strings.ToUpper(c.name),
			strings.Replace(c.name, "1795287841150", "01795287841150", 1), strings.Replace(c.name, "1795287841150", "-1", 1),
			strings.Replace(c.name, "00000000086016", "0000000086016", 1), strings.Replace(c.name, "00000000086016", "000000000086016", 1),
			strings.Replace(c.name, "00000000086016", "99999999999999999999", 1), strings.Replace(c.name, "00000000086016", "+0000000086016", 1), "",
		} {
			if got, ok := l.Key(name); ok && name != c.name {
				t.Errorf("%s: %q was taken for %v", c.template, name, got)
			}
		}
	}
}

func TestBlockHasMoreDigitsOnlyWhenItNeedsThem(t *testing.T) {
	l := layout(t, "{session}/{block}")
	for block, want := range map[int64]string{0: "5/00000000000000", 99999999999999: "5/99999999999999", 100000000000000: "5/100000000000000", math.MaxInt64: "5/9223372036854775807"} {
		k := audio.Key{Session: 5, Sensor: "mic0", Block: block}
		if got := l.Name(k); got != want {
			t.Errorf("block %d is called %s, want %s", block, got, want)
		}
		if got, ok := l.Key(want); !ok || got != k {
			t.Errorf("%s is %v, %v", want, got, ok)
		}
	}
}

func TestAmbiguousTemplatesAreRefused(t *testing.T) {
	for template, want := range map[string]string{
		"":                              "empty",
		"{sesion}/{block}":              "unknown field {sesion} in layout. Fields: {session} {sensor} {block}.",
		"{session}/{station}/{block}":   "unknown field {station}",
		"{session}/x":                   "lacks {block}",
		"{block}":                       "lacks {session}",
		"{session}{block}":              "touches",
		"{session}/{sensor}{block}":     "touches",
		"{session}0/{block}":            "touches",
		"0{session}/{block}":            "touches",
		"{session}/7{block}":            "touches",
		"{session}/{block}1.wav":        "touches",
		"{session}/{sensor}2/{block}":   "touches",
		"{session}/{session}/{block}":   "twice",
		"{session}/{block}/{block}":     "twice",
		"/{session}/{block}":            "empty part",
		"{session}//{block}":            "empty part",
		"{session}/{block}/":            "empty part",
		"../{session}/{block}":          "part",
		"{session}/./{block}":           "part",
		"{session}/../{block}":          "part",
		"{session}/{block}/x.wav":       "behind the last slash",
		"{session}/{block}.part":        "unfinished",
		"{session}.part/{block}":        "unfinished",
		"{session}/{block}.sums":        "unfinished",
		"{session}/{block}.jsonl":       "logs",
		"aside/{session}/{block}":       "could be the folder aside, which a store keeps for something else. Write another name there",
		"_view/{session}/{block}":       "_view",
		"{sensor}/{session}/{block}":    `could be the folder aside, which a store keeps for something else. Write "of-{sensor}/{session}/{block}"`,
		"a{sensor}/{session}/{block}":   "aside",
		"_{sensor}/{session}/{block}":   "_view",
		"{session}/info/{block}":        "info",
		"{session}/{block":              "brace",
		"{session}/block}":              "brace",
		"{{session}}/{block}":           "brace",
		"{session}/\xff{block}":         "UTF-8",
		"{session}/\x00{block}":         "control",
		`{session}\{block}`:             "backslash",
		"{session}/{block}" + long(250): "longer",
	} {
		if _, err := sink.ParseLayout(template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want it to say %q", template, err, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestCodecAndEndingAgree(t *testing.T) {
	for _, c := range []struct {
		template string
		codec    sink.Codec
		good     bool
	}{
		{"{session}/{block}.wav", sink.WAV{}, true}, {"{session}/{block}.wav", sink.PCM{}, false}, {"{session}/{block}.pcm", sink.PCM{}, true},
		{"{session}/{block}.pcm", sink.WAV{}, false}, {"{session}/{block}.raw", sink.PCM{}, true}, {"{session}/{block}.raw", sink.WAV{}, false},
		{"{session}/{block}", sink.WAV{}, true}, {"{session}/{block}", sink.PCM{}, true}, {"{session}/{block}.flac", sink.WAV{}, false},
	} {
		if err := sink.CheckCodec(layout(t, c.template), c.codec); (err == nil) != c.good {
			t.Errorf("%s with %s: %v", c.template, c.codec.Name(), err)
		}
	}
}

// FuzzLayout checks both laws of any template that is taken: a key comes back
// from its name, and a name from its key.
func FuzzLayout(f *testing.F) {
	for _, template := range []string{sink.DefaultLayout, "{session}/{block}", "{session}_{block}.wav", "x/{sensor}-{session}/a{block}b", "{session}/{block}_{sensor}", "{session}-{sensor}-{block}", "…{session}0{block}", "\xff{session}/{block}"} {
		f.Add(template, int64(1795287841150), "mic0", int64(86016), "1795287841150/data/mic0/data/00000000086016.wav")
		f.Add(template, int64(0), "a-00000000000001", int64(math.MaxInt64), "0/00000000000000")
		f.Add(template, int64(-1), "1-1_", int64(10), "1-a-00000000000001-00000000000002")
	}
	f.Fuzz(func(t *testing.T, template string, session int64, sensor string, block int64, name string) {
		l, err := sink.ParseLayout(template)
		if err == nil && !l.HasSensor() {
			l, err = l.WithSensor("mic0")
			sensor = "mic0"
		}
		if err != nil {
			return
		}
		k := audio.Key{Session: audio.Session(session), Sensor: sensor, Block: block}
		made := l.Name(k)
		if (made != "") != (k.Check() == nil) {
			t.Fatalf("%q: key %v, whose fault is %v, has the name %q", template, k, k.Check(), made)
		}
		if made != "" {
			if back, ok := l.Key(made); !ok || back != k {
				t.Fatalf("%q: %v is called %q, which is %v, %v", template, k, made, back, ok)
			}
			if err := sink.CheckName(made); err != nil {
				t.Fatalf("%q: %v", template, err)
			}
			for _, own := range []string{"store.json", "store.lock", l.Meta(k.Session, sensor) + "/info.json", l.Meta(k.Session, sensor) + "/blocks.jsonl", l.Meta(k.Session, sensor) + "/clock.jsonl"} {
				if _, ok := l.Key(own); ok {
					t.Fatalf("%q: %s is a chunk", template, own)
				}
			}
			if !strings.HasPrefix(made, l.Prefix(k.Session, sensor)) {
				t.Fatalf("%q: %q does not begin with %q", template, made, l.Prefix(k.Session, sensor))
			}
		}
		for _, name := range []string{name, made + "0", strings.Replace(made, "0", "00", 1)} {
			if k, ok := l.Key(name); ok && l.Name(k) != name {
				t.Fatalf("%q: %q is %v, which is called %q", template, name, k, l.Name(k))
			}
		}
	})
}

// FuzzLine: a line that is decoded was encoded here, and no other.
func FuzzLine(f *testing.F) {
	good, err := line.Encode(sink.Block{Block: 172032, From: 86016, Frames: 480000, PCM: "00000000"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 0)
	f.Add([]byte(`{"block":1,"c":"00000000"}`), 3)
	f.Fuzz(func(t *testing.T, row []byte, flip int) {
		var b sink.Block
		if line.Decode(row, &b) != nil || len(row) == 0 {
			return
		}
		bad := append([]byte(nil), row...)
		at := int(uint(flip) % uint(8*len(bad)))
		bad[at/8] ^= 1 << (at % 8)
		if line.Decode(bad, &b) == nil && at/8 != len(bad)-1 && !strings.EqualFold(string(bad), string(row)) {
			t.Fatalf("%q was taken for a good line", bad)
		}
	})
}
