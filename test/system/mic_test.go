package system

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/test/alsa"
)

// micConfig is microphones of the test plug-in, stored in one sink. The
// greater the latency, the busier with other tests the machine may be, and the
// more is lost when one is unplugged: a quarter of it.
func micConfig(root, latency string, names ...string) string {
	var b strings.Builder
	b.WriteString(freePort)
	for _, name := range names {
		fmt.Fprintf(&b, "[[sensor]]\nid = %[1]q\nsource = \"portaudio\"\ndevice = \"name:%[1]s\"\nencoding = \"s32\"\nlatency = %[2]q\n", name, latency)
	}
	fmt.Fprintf(&b, "[[reader]]\nname = \"archive\"\nchunk = \"2s\"\nsink = \"disk\"\n[sink.disk]\ndriver = \"files\"\nroot = %q\n", root)
	return b.String()
}

var micFormat = audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S32}

// counter is the sample that the plug-in gives frame i after the first sample:
// it counts the frames of its clock.
func sample(pcm []byte, frame int64) int64 {
	b := pcm[frame*4:]
	return int64(int32(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
}

// checkCounter fails unless the samples count up by one.
func checkCounter(t *testing.T, what string, pcm []byte) {
	t.Helper()
	for i := int64(1); i < int64(len(pcm)/4); i++ {
		if sample(pcm, i) != sample(pcm, i-1)+1 {
			t.Fatalf("%s: frame %d is %d, the one before %d", what, i, sample(pcm, i), sample(pcm, i-1))
		}
	}
}

// needMicrophones leaves a test out if the program was built without them.
func needMicrophones(t *testing.T) {
	t.Helper()
	if r := do(t, "devices"); r.code != 0 && strings.Contains(r.stderr, "built without microphone support") {
		alsa.LeaveOut(t, "this ingestd was built without microphone support")
	}
}

func TestTenSecondsOfARealPortAudioAreBitExact(t *testing.T) {
	t.Parallel()
	needMicrophones(t)
	rig := alsa.Build(t, alsa.Mic{Name: "mic0", Encoding: "s32"})
	root := t.TempDir()
	p := start(t, micConfig(root, "1s", "mic0"), "ALSA_CONFIG_PATH="+rig.Config)
	p.see(`"recording"`)
	<-time.After(10500 * time.Millisecond)
	p.stop()
	pcm := join(chunks(t, root, "mic0"))
	if frames := len(pcm) / 4; frames < 10*micFormat.Rate {
		t.Errorf("%d frames in more than 10 s", frames)
	}
	checkCounter(t, "mic0", pcm)
}

// holesOf reads the holes of a sensor from its index, in frames.
func holesOf(t *testing.T, root, sensor string) (holes []sink.Hole) {
	t.Helper()
	for name, body := range contents(t, root) {
		if !strings.HasSuffix(name, "/"+sensor+"/blocks.jsonl") {
			continue
		}
		for row := range strings.Lines(body) {
			var l struct{ Holes []sink.Hole }
			if err := line.Decode([]byte(strings.TrimSuffix(row, "\n")), &l); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			holes = append(holes, l.Holes...)
		}
	}
	return holes
}

// TestAnUnpluggedMicrophoneIsOneHoleAndNoOtherSensorHasAny tries up to three
// times to see the hole end as soon as it should: a machine that is busy with
// other tests may start a capture process late.
func TestAnUnpluggedMicrophoneIsOneHoleAndNoOtherSensorHasAny(t *testing.T) {
	t.Parallel()
	needMicrophones(t)
	for try := 1; ; try++ {
		away, hole, xruns := unplug(t)
		t.Logf("unplugged for %v: a hole of %v; %d overruns of the other", away, hole, xruns)
		switch d := hole - away; {
		case xruns > 0 && try < 3:
		case d < -300*time.Millisecond:
			t.Fatalf("a hole of %v for %v", hole, away)
		case xruns == 0 && d <= 300*time.Millisecond:
			return
		case try == 3:
			t.Fatalf("a hole of %v for %v and %d overruns, at the third try", hole, away, xruns)
		}
	}
}

// unplug unplugs one of two microphones for 3 s and checks what is recorded of
// both. It returns how long it was away, the hole that is told, and how often
// the other one was overrun: the machine stood still, and the signal says so.
func unplug(t *testing.T) (away, hole time.Duration, xruns int) {
	t.Helper()
	rig := alsa.Build(t, alsa.Mic{Name: "mic0", Encoding: "s32"}, alsa.Mic{Name: "mic1", Encoding: "s32"})
	root := t.TempDir()
	p := start(t, micConfig(root, "400ms", "mic0", "mic1"), "ALSA_CONFIG_PATH="+rig.Config)
	until(t, "both record", func() bool { code, _ := p.get("/readyz"); return code == 200 })
	<-time.After(10500 * time.Millisecond) // from 10 s on it is well, and what it lost is sought at short intervals
	rig.Switch(t, "mic1", alsa.Gone, true)
	gone := time.Now()
	<-time.After(3 * time.Second)
	rig.Switch(t, "mic1", alsa.Gone, false)
	away = time.Since(gone)
	until(t, "mic1 is back", func() bool { return p.value(`ingestd_source_up{sensor="mic1"}`) == "1" })
	<-time.After(3 * time.Second)
	p.stop()

	holes := holesOf(t, root, "mic1")
	if len(holes) != 1 || holes[0].Cause != audio.Device {
		t.Fatalf("mic1 has holes %+v", holes)
	}
	hole = micFormat.Duration(holes[0].Frames)
	// The sound says how long it was away.
	pcm := join(chunks(t, root, "mic1"))
	before := holes[0].From
	jump := sample(pcm, before) - sample(pcm, before-1) - 1
	if d := micFormat.Duration(max(jump, holes[0].Frames) - min(jump, holes[0].Frames)); d > time.Millisecond {
		t.Errorf("a hole of %d frames, the sound says %d: %v apart", holes[0].Frames, jump, d)
	}
	for _, h := range holesOf(t, root, "mic0") {
		if xruns++; h.Cause != audio.XRun {
			t.Errorf("mic0 has the hole %+v", h)
		}
	}
	if xruns == 0 {
		checkCounter(t, "mic0", join(chunks(t, root, "mic0")))
	}
	if !regexp.MustCompile(`(?i)mic1`).MatchString(p.log.String()) {
		t.Error("the log says nothing of mic1")
	}
	return away, hole, xruns
}
