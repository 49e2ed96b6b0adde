package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/internal/daemon"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// TestLargestChunkIsOneThatTheStoreAccepts, and the next one is refused by both.
func TestLargestChunkIsOneThatTheStoreAccepts(t *testing.T) {
	layout, err := sink.ParseLayout(layoutOf(codecWAV))
	if err != nil {
		t.Fatal(err)
	}
	codec, err := sink.CodecByName(codecWAV)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []audio.Format{
		{Rate: 48000, Channels: 1, Encoding: audio.S16}, {Rate: 96000, Channels: 2, Encoding: audio.S24}, {Rate: 1536000, Channels: 64, Encoding: audio.F32},
	} {
		most := int64((sink.MaxChunk - wav.MaxHeader) / f.FrameBytes())
		for frames, good := range map[int64]bool{most: true, most + 1: false} {
			s, err := sink.OpenStore(t.Context(), mem.New(), layout, codec)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Record(t.Context(), sink.RecordConfig{Session: exampleSession, Sensor: "mic0", Format: f, ChunkFrames: frames})
			if (err == nil) != good {
				t.Errorf("%v: the store of a chunk of %d: %v", f, frames, err)
			}
			if n, err := (chunkLength{count: frames}).frames(f); (err == nil) != good || good && n != frames {
				t.Errorf("%v: the configuration of a chunk of %d: %d, %v", f, frames, n, err)
			}
		}
	}
	if _, err := parsed(strings.Replace(twoSensors, `name = "archive"`, "name = \"archive\"\nchunk = \"1073741823f\"", 1)); err == nil || !strings.Contains(err.Error(), `Write at most "1073739775f".`) {
		t.Error(err)
	}
}

// TestRingHoldsThreeSyncsOrIsWarnedOf: of the shortest ring, once for a sink.
func TestRingHoldsThreeSyncsOrIsWarnedOf(t *testing.T) {
	for _, c := range []struct{ ring, sync, want string }{
		{"3s", "1s", ""}, {"1h", "20m", ""}, {"1s", "chunk", ""}, {"1s", "none", ""},
		{"20s", "6667ms", `FILE:21:8: sync of sink disk is "6.667s", and the ring of mic1 keeps "20s": what an error of the disk leaves unsure may be gone from the ring before it is written again. Set ring = "20.001s", or sync = "6.666s".`},
		{"1h", "1h", `FILE:21:8: sync of sink disk is "1h", and the ring of mic0 keeps "1h": what an error of the disk leaves unsure may be gone from the ring before it is written again. Set sync = "20m".`},
	} {
		text := strings.Replace(twoSensors, "id = \"mic1\"", "id = \"mic1\"\nring = \""+c.ring+`"`, 1)
		text = strings.Replace(text, "id = \"mic0\"", "id = \"mic0\"\nring = \"1h\"", 1)
		cfg, err := parsed(strings.Replace(text, `name = "archive"`, "name = \"archive\"\nchunk = \"100ms\"", 1) + "sync = \"" + c.sync + "\"\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cfg.warnings, "\n"); got != c.want {
			t.Errorf("ring %s, sync %s: got\n%s\nwant\n%s", c.ring, c.sync, got, c.want)
		}
	}
}

// TestConfigurationThatRecordsNothingIsWarnedOf: there is no sensor, or each is
// switched off.
func TestConfigurationThatRecordsNothingIsWarnedOf(t *testing.T) {
	for text, odd := range map[string]bool{"": true, twoSensors: false, strings.ReplaceAll(twoSensors, `source = "tone"`, "source = \"tone\"\nenabled = false"): true} {
		c, err := parsed(text)
		got := err == nil && strings.Contains(strings.Join(c.warnings, "\n"), "no sensor is enabled: nothing will be recorded.")
		if got != odd {
			t.Errorf("%v, %v, of\n%s", c.warnings, err, text)
		}
	}
}

// TestSummaryCountsTheSoundThatIsStored, not what was captured: neither holes,
// nor what was overwritten, nor what no chunk holds.
func TestSummaryCountsTheSoundThatIsStored(t *testing.T) {
	const second = 48000
	for name, c := range map[string]struct {
		captured, lost int64
		drains         []daemon.DrainStatus
		want           string
	}{
		"all of it":                {2 * second, 0, []daemon.DrainStatus{{Written: 2 * second, Chunks: 1, Bytes: 9}}, "2s of sound in 1 chunk of 9 bytes, 0 frames lost"},
		"a hole":                   {2 * second, second, []daemon.DrainStatus{{Written: 2 * second, Chunks: 2, Bytes: 9}}, "1s of sound in 2 chunks of 9 bytes, 48000 frames lost"},
		"nothing but a hole":       {2 * second, 2 * second, []daemon.DrainStatus{{}}, "0s of sound in 0 chunks of 0 bytes, 96000 frames lost"},
		"overwritten":              {2 * second, 0, []daemon.DrainStatus{{Written: 2 * second, Chunks: 1, Overrun: second / 2}}, "1.5s of sound in 1 chunk of 0 bytes, 24000 frames lost"},
		"nothing stored":           {2 * second, 0, []daemon.DrainStatus{{Written: 0}}, "0s of sound in 0 chunks of 0 bytes, 0 frames lost"},
		"no chunk with its name":   {2 * second, 0, []daemon.DrainStatus{{Written: second}}, "0s of sound in 0 chunks of 0 bytes, 0 frames lost"},
		"two readers of one sound": {2 * second, 0, []daemon.DrainStatus{{Written: 2 * second, Chunks: 1}, {Written: second, Chunks: 1}}, "2s of sound in 2 chunks of 0 bytes, 0 frames lost"},
	} {
		s := daemon.Status{Session: 7, Sensors: []daemon.SensorStatus{{ID: "m", Rate: second, Channels: 1, Captured: c.captured, LostFrames: c.lost}}, Drains: c.drains}
		for i := range s.Drains {
			s.Drains[i].Sensor = "m"
		}
		if got, want := summaryOf(s, false, "R", time.Second), "session 7: "+c.want+", stored in R (1s)"; got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestSummaryNamesTheRootsThatWereUsed(t *testing.T) {
	c := &config{Sinks: map[string]*sinkConfig{"a": {Driver: driverFiles, Root: "/a"}, "b": {Driver: driverFiles, Root: "/b"}, "m": {Driver: driverMem}, "none": {Driver: driverFiles, Root: "/none"}}}
	s := daemon.Status{Drains: []daemon.DrainStatus{{Sink: "b"}, {Sink: "m"}, {Sink: "a"}, {Sink: "a"}}}
	if got := c.rootsOf(s); got != "/b and memory and /a" {
		t.Error(got)
	}
}

// TestDemoShowsItsHole if it has one.
func TestDemoShowsItsHole(t *testing.T) {
	s := daemon.Status{Sensors: []daemon.SensorStatus{{ID: "mic0"}, {ID: "mic1"}}}
	if got := whatToLookAt(s, "var/demo"); got != "Look at what is there: find var/demo -name '*.wav' | sort | head -2\n" {
		t.Error(got)
	}
	s.Sensors[1].Holes = 1
	if got, want := whatToLookAt(s, "var/demo"), `grep -ho '"holes":\[{[^]]*\]' var/demo/*/data/mic1/blocks.jsonl | tail -1`+"\n"; !strings.HasSuffix(got, want) {
		t.Error(got)
	}
}
