package main

import (
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

func scalarNode(k kind, s string) *node { return &node{kind: k, text: s} }

func TestValuesReadWhatTheyWrite(t *testing.T) {
	for _, c := range []struct {
		v          setter
		n          *node
		want       string // as shown
		unreadable bool
	}{
		{v: &duration{}, n: scalarNode(kindText, "90s"), want: `"1m30s"`},
		{v: &duration{}, n: scalarNode(kindText, "0s"), want: `"0s"`},
		{v: &duration{}, n: scalarNode(kindText, "2h"), want: `"2h"`},
		{v: &duration{}, n: scalarNode(kindText, "20m"), want: `"20m"`},
		{v: &duration{}, n: scalarNode(kindWord, "200ms"), want: `"200ms"`},
		{v: &duration{}, n: scalarNode(kindInteger, "10"), unreadable: true},
		{v: &duration{}, n: scalarNode(kindText, "99999999h"), unreadable: true},
		{v: &speed{}, n: scalarNode(kindInteger, "2"), want: "2.0"},
		{v: &speed{}, n: scalarNode(kindDecimal, "0.5"), want: "0.5"},
		{v: &speed{}, n: scalarNode(kindInteger, "0x10"), want: "16.0"},
		{v: &speed{}, n: scalarNode(kindDecimal, "1_0.0"), want: "10.0"},
		{v: &speed{}, n: scalarNode(kindWord, "0"), want: "0.0"},
		{v: &speed{}, n: scalarNode(kindDecimal, "-1.0"), unreadable: true},
		{v: &speed{}, n: scalarNode(kindWord, "nan"), unreadable: true},
		{v: &number{}, n: scalarNode(kindDecimal, "2e4"), want: "20000.0"},
		{v: &number{}, n: scalarNode(kindWord, "1e999"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindText, "now"), want: `"now"`},
		{v: &startTime{}, n: scalarNode(kindText, "file"), want: `"file"`},
		{v: &startTime{}, n: scalarNode(kindText, "on-demand"), want: `"on-demand"`},
		{v: &startTime{}, n: scalarNode(kindWord, "on-demand"), want: `"on-demand"`},
		{v: &startTime{}, n: scalarNode(kindText, "on demand"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindMoment, "2026-11-21 10:00:00.5+01:00"), want: `"2026-11-21T09:00:00.5Z"`},
		{v: &startTime{}, n: scalarNode(kindText, "2026-11-21T10:00:00Z"), want: `"2026-11-21T10:00:00Z"`},
		{v: &startTime{}, n: scalarNode(kindInteger, "1_795_287_841_150"), want: `"2026-11-21T19:04:01.15Z"`},
		{v: &startTime{}, n: scalarNode(kindText, "1795287841150"), want: `"2026-11-21T19:04:01.15Z"`},
		{v: &startTime{}, n: scalarNode(kindInteger, "-1"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindInteger, "9223372036854775807"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindText, "@1795287841"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindText, "1969-11-21T10:00:00Z"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindLocal, "2026-11-21"), unreadable: true},
		{v: &startTime{}, n: scalarNode(kindText, "2026-11-21T10:00:00"), unreadable: true},
		{v: &chunkLength{}, n: scalarNode(kindText, "10s"), want: `"10s"`},
		{v: &chunkLength{}, n: scalarNode(kindText, "43008f"), want: `"43008f"`},
		{v: &chunkLength{}, n: scalarNode(kindText, "86016B"), want: `"86016B"`},
		{v: &chunkLength{}, n: scalarNode(kindText, "86016b"), unreadable: true},
		{v: &chunkLength{}, n: scalarNode(kindText, "-1f"), unreadable: true},
		{v: &chunkLength{}, n: scalarNode(kindText, "99999999999999999999f"), unreadable: true},
		{v: &chunkLength{}, n: scalarNode(kindText, ""), unreadable: true},
		{v: &syncPolicy{}, n: scalarNode(kindText, "1s"), want: `"1s"`},
		{v: &syncPolicy{}, n: scalarNode(kindText, "chunk"), want: `"chunk"`},
		{v: &syncPolicy{}, n: scalarNode(kindText, "none"), want: `"none"`},
		{v: &syncPolicy{}, n: scalarNode(kindText, "2h"), unreadable: true},
	} {
		err := c.v.set(c.n)
		if c.unreadable != (err != nil) || err == nil && c.v.String() != c.want {
			t.Errorf("%T from %v %q: %v, %v, want %s", c.v, c.n.kind, c.n.text, c.v, err, c.want)
		}
	}
}

func TestStartOnTheCommandLine(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 4, 1, 0, time.UTC)
	for text, want := range map[string]string{
		"now": `"now"`, "file": `"file"`, "@1795287841": `"2026-11-21T19:04:01Z"`, "@1795287841.15": `"2026-11-21T19:04:01.15Z"`,
		"@1795287841.000000001": `"2026-11-21T19:04:01.000000001Z"`, "@0": `"1970-01-01T00:00:00Z"`, "-10m": `"2026-11-21T18:54:01Z"`, "-0.25s": `"2026-11-21T19:04:00.75Z"`,
		"1795287841150": `"2026-11-21T19:04:01.15Z"`, "2026-11-21T20:04:01+01:00": `"2026-11-21T19:04:01Z"`,
		"": "", "on-demand": "", "@": "", "@-1": "", "@+1": "", "@1.": `"1970-01-01T00:00:01Z"`, "@.5": "", "@1.0000000001": "", "@1.-5": "", "@99999999999999": "", "10m": "", "-10": "", "-999999h": "",
	} {
		var s startTime
		err := s.setFlag(text, now)
		if (err != nil) != (want == "") || err == nil && s.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, s, err, want)
		}
	}
	for text, want := range map[string]bool{"now": false, "file": false, "2026-11-22T19:04:01Z": false, "2026-11-22T19:04:01.001Z": true} {
		var s startTime
		if err := s.setFlag(text, now); err != nil || s.future(now) != want {
			t.Errorf("%s is in the future: %v, %v", text, s.future(now), err)
		}
	}
}

func TestChunkLengthsInFrames(t *testing.T) {
	mono, odd := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}, audio.Format{Rate: 44100, Channels: 3, Encoding: audio.S24}
	for _, c := range []struct {
		chunk string
		f     audio.Format
		want  int64 // 0: refused
	}{
		{"10s", mono, 480000}, {"1ms", odd, 44}, {"43008f", odd, 43008}, {"86016B", mono, 43008}, {"9B", odd, 1}, {"1f", odd, 1},
		{"10B", odd, 0}, {"20us", mono, 0}, {"1s", audio.Format{}, 0},
		{"2147479550B", mono, 1073739775}, {"2147479552B", mono, 0}, {"2147483648B", mono, 0}, {"1073741824f", mono, 0}, {"9223372036854775807f", odd, 0}, {"9223372036854775807B", mono, 0},
	} {
		length, err := parseChunk(c.chunk)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := length.frames(c.f)
		if (c.want == 0) != (err != nil) || got != c.want {
			t.Errorf("%s of %v: %d frames, %v, want %d", c.chunk, c.f, got, err, c.want)
		}
	}
}

func TestFormatKnownLaterIsJudgedThen(t *testing.T) {
	c, err := parsed(`
[[sensor]]
id = "mock0"
source = "wav"
files = ["a.wav"]
[[reader]]
name = "archive"
chunk = "86016B"
sink = "disk"
[sink.disk]
driver = "files"
root = "/a"
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.checkSound(c.Sensors[0], audio.Format{Rate: 48000, Channels: 2, Encoding: audio.S32}); err != nil {
		t.Error(err)
	}
	err = c.checkSound(c.Sensors[0], audio.Format{Rate: 48000, Channels: 5, Encoding: audio.S24})
	if err == nil || err.Error()[:len("FILE:8:9: chunk of reader archive: mock0: ")] != "FILE:8:9: chunk of reader archive: mock0: " {
		t.Error(err)
	}
}

func TestConfigurationMadeByACommandIsJudgedToo(t *testing.T) {
	c := builtInConfig()
	s, r, k := builtInSensor(c.Defaults.Sensor), builtInReader(), builtInSink()
	s.ID, s.Source = "s1", sourceTone
	r.Name, r.Sink, r.Chunk = "replay", "store", chunkLength{octets: 3}
	k.Driver, k.Root, k.Layout = driverFiles, "/r", "{session}/{block}.pcm"
	c.Sensors, c.Readers, c.Sinks["store"] = []*sensorConfig{s}, []*readerConfig{r}, k
	want := `chunk of reader replay: s1: "3B" holds no whole number of frames of 2 bytes (s16/48000/1). Write "2B".
sink store: layout "{session}/{block}.pcm" makes names of pcm, the codec is wav; let them agree.
2 problems.`
	if err := c.check(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	r.Chunk, k.Codec = chunkLength{time: time.Second}, codecPCM
	if err := c.check(); err != nil {
		t.Error(err)
	}
}

func TestNearestNamesAreTwoEditsAwayAtMost(t *testing.T) {
	names := []string{"channels", "chunk", "hz", "id", "rate", "ms"}
	for word, want := range map[string]string{
		"chanels": "channels", "chnnels": "channels", "hcannels": "channels", "channelsss": "channels", "chainsaw": "", "channelsxyz": "", "Rate": "rate", "raet": "rate",
		"h": "hz", "xy": "", "": "", "chunks": "chunk", "rate": "rate",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"abc", "abc", 0}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d edits, want %d", c.a, c.b, got, c.want)
		}
	}
}
