package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source/tone"
)

var (
	mono   = audio.Format{Rate: 8000, Channels: 1, Encoding: audio.S16}
	stereo = audio.Format{Rate: 8000, Channels: 2, Encoding: audio.S16}
)

// pipeSensor is the configuration of a sensor behind a FIFO.
func pipeSensor(id, path string, f audio.Format) string {
	return fmt.Sprintf("[[sensor]]\nid = %q\nsource = \"pipe\"\npath = %q\nrate = %d\nchannels = %d\nencoding = %q\n", id, path, f.Rate, f.Channels, f.Encoding)
}

// mkfifo makes a FIFO.
func mkfifo(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fifo")
	output(t, tool(t, "mkfifo"), path)
	return path
}

// A feeder writes the ramp into a FIFO as a microphone would.
type feeder struct {
	t    *testing.T
	path string
	f    audio.Format
	pos  audio.Pos // of the next frame
}

// feed writes for a while, then part of a frame, and is gone.
func (f *feeder) feed(length time.Duration) {
	f.t.Helper()
	file, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	const step = 100 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	for ; length > 0; length -= step {
		<-tick.C
		piece := make([]byte, f.f.Frames(step)*int64(f.f.FrameBytes()))
		tone.RampAt(f.f, f.pos, piece)
		if _, err := file.Write(piece); err != nil {
			f.t.Fatal(err)
		}
		f.pos += audio.Pos(f.f.Frames(step))
	}
	if _, err := file.Write([]byte{1}); err != nil {
		f.t.Fatal(err)
	}
}

func TestASensorThatFailsNeverStopsAnother(t *testing.T) {
	t.Parallel()
	dir, root := t.TempDir(), t.TempDir()
	damaged := filepath.Join(dir, "damaged.wav")
	writeWAV(t, damaged, mono, make([]byte, 60*mono.Rate*2))
	config := freePort + ramps(mono.Rate, "good") +
		pipeSensor("quiet", mkfifo(t), mono) +
		pipeSensor("missing", filepath.Join(dir, "nothing"), mono) +
		fmt.Sprintf("[[sensor]]\nid = \"damaged\"\nsource = \"wav\"\nfiles = [%q]\n", damaged) +
		disk(root, "1s", "1s")
	p := start(t, config)
	until(t, "the file plays", func() bool { return p.number(`ingestd_source_frames_total{sensor="damaged"}`) > 8000 })
	if err := os.Truncate(damaged, 100); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sensor, reason, says string }{
		{"quiet", "stall", "start what feeds it"},
		{"missing", "error", "is not there: make it with"},
		{"damaged", "error", "damaged.wav"},
	} {
		series := fmt.Sprintf("ingestd_source_restarts_total{reason=%q,sensor=%q}", c.reason, c.sensor)
		until(t, series, func() bool { return p.number(series) > 0 })
		if up := p.value(fmt.Sprintf("ingestd_source_up{sensor=%q}", c.sensor)); up != "0" {
			t.Errorf("source_up of %s is %s", c.sensor, up)
		}
		if code, body := p.get("/readyz?verbose"); code != 503 || !strings.Contains(lineWith(body, "[-] "+c.sensor+" "), c.says) {
			t.Errorf("/readyz says nothing of %q: %d\n%s", c.says, code, body)
		}
		if !strings.Contains(p.log.String(), c.says) {
			t.Errorf("the log says nothing of %q", c.says)
		}
	}
	if _, body := p.get("/readyz?verbose"); !strings.Contains(body, "[+] good recording") {
		t.Errorf("the good sensor:\n%s", body)
	}
	captured := p.number(`ingestd_captured_position_frames{sensor="good"}`)
	p.stop()
	session := sessions(t, root)[0]
	frames, holes, end := left(t, root, session, "good").whole(t, "good")
	if len(holes) > 0 || frames != end || float64(end) < captured {
		t.Errorf("good: %d frames stored of %d, %v were captured, holes %+v", frames, end, captured, holes)
	}
	pcm := join(left(t, root, session, "damaged").chunks)
	if len(pcm) < 8000*2 || strings.Trim(string(pcm), "\x00") != "" {
		t.Errorf("damaged: %d bytes are stored, or other ones than were played", len(pcm))
	}
}

// lineWith is the line of text that contains what, or "".
func lineWith(text, what string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) {
			return line
		}
	}
	return ""
}

func TestAFeederThatComesBackGoesOnAlignedBehindAHole(t *testing.T) {
	t.Parallel()
	root, fifo := t.TempDir(), mkfifo(t)
	p := start(t, freePort+pipeSensor("a", fifo, stereo)+ramps(mono.Rate, "b")+disk(root, "500ms", "1s"))
	f := &feeder{t: t, path: fifo, f: stereo}
	f.feed(1500 * time.Millisecond)
	first := int64(f.pos)
	until(t, "the feeder is missed", func() bool {
		return p.number(`ingestd_source_restarts_total{reason="stall",sensor="a"}`) > 0
	})
	if up := p.value(`ingestd_source_up{sensor="a"}`); up != "0" {
		t.Errorf("source_up is %s", up)
	}
	f.feed(1500 * time.Millisecond)
	until(t, "all has come", func() bool {
		return p.number(`ingestd_source_frames_total{sensor="a"}`) == float64(f.pos)
	})
	p.stop()

	session := sessions(t, root)[0]
	l := left(t, root, session, "a")
	frames, holes, end := l.sum()
	if len(holes) != 1 || holes[0].Cause != audio.Device || frames != int64(f.pos) || frames+holes[0].Frames != end {
		t.Fatalf("%d frames of %d stored, %d in all, holes %+v", frames, f.pos, end, holes)
	}
	if h := holes[0]; h.From != first || stereo.Duration(h.Frames) < 2*time.Second {
		t.Errorf("the feeder left at frame %d for more than 2 s, the hole is %+v", first, h)
	}
	if err := tone.CheckRamp(stereo, 0, join(l.chunks)); err != nil {
		t.Error(err)
	}
	if _, holes, _ := left(t, root, session, "b").whole(t, "b"); len(holes) > 0 {
		t.Errorf("b has holes %+v", holes)
	}
}
