package system

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source/tone"
)

// fourSensors are four formats, each the ramp whose samples tell their place.
func fourSensors() (config string, formats map[string]audio.Format) {
	formats = map[string]audio.Format{
		"a": {Rate: 48000, Channels: 1, Encoding: audio.S32},
		"b": {Rate: 44100, Channels: 2, Encoding: audio.S24},
		"c": {Rate: 16000, Channels: 1, Encoding: audio.F32},
		"d": {Rate: 96000, Channels: 4, Encoding: audio.S16},
	}
	var b strings.Builder
	for id, f := range formats {
		fmt.Fprintf(&b, "[[sensor]]\nid = %q\nsource = \"tone\"\nkind = \"ramp\"\nrate = %d\nchannels = %d\nencoding = %q\n", id, f.Rate, f.Channels, f.Encoding)
	}
	return b.String(), formats
}

func TestFourSensorsAndThreeReadersEachLoseNothingInAMinute(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	sensors, formats := fourSensors()
	p := start(t, freePort+sensors+tripleReaders(root))
	p.see(`"recording"`)
	until(t, "ready", func() bool { code, _ := p.get("/readyz?verbose"); return code == 200 })
	<-time.After(time.Minute)
	for id := range formats {
		for _, cause := range []string{"xrun", "source", "device"} {
			if v := p.value(fmt.Sprintf("ingestd_hole_frames_total{cause=%q,sensor=%q}", cause, id)); v != "0" {
				t.Errorf("%s: %s frames lost by %s", id, v, cause)
			}
		}
	}
	if n, _ := strconv.ParseFloat(p.value("go_goroutines"), 64); n > 60 {
		t.Errorf("%v goroutines for 4 sensors and 12 drains", n)
	}
	p.stop()
	for id, f := range formats {
		var frames []int
		for _, reader := range []string{"bytes", "frames", "ms"} {
			all := chunks(t, filepath.Join(root, reader), id)
			pcm := join(all)
			if err := tone.CheckRamp(f, 0, pcm); err != nil {
				t.Errorf("%s in %s: %v", id, reader, err)
			}
			frames = append(frames, len(pcm)/f.FrameBytes())
			checkBlocks(t, reader, all)
			index := contents(t, filepath.Join(root, reader))
			for name, body := range index {
				if strings.HasSuffix(name, "/"+id+"/blocks.jsonl") && strings.Contains(body, `"holes":[{`) {
					t.Errorf("%s tells of holes", name)
				}
			}
		}
		if frames[0] != frames[1] || frames[1] != frames[2] || time.Duration(frames[0])*time.Second/time.Duration(f.Rate) < time.Minute {
			t.Errorf("%s: %v frames in the three sinks", id, frames)
		}
	}
}

// checkBlocks checks that the names count what the reader's key counts.
func checkBlocks(t *testing.T, key string, all []chunk) {
	t.Helper()
	frames := int64(0)
	for _, c := range all {
		want := map[string]int64{"bytes": frames * int64(c.f.FrameBytes()), "frames": frames, "ms": frames * 1000 / int64(c.f.Rate)}[key]
		if c.block != want {
			t.Errorf("%s: block %d, want %d %s", c.name, c.block, want, key)
		}
		frames += int64(len(c.pcm) / c.f.FrameBytes())
	}
}
