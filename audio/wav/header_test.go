package wav

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// full has every tag.
func full() Tags {
	return Tags{
		Session: 1795287841150, Sensor: "mic0", Block: 86016, From: 43008,
		Start: time.Date(2026, 11, 21, 14, 0, 0, 150_000_001, time.UTC), TimeError: 120 * time.Microsecond,
		Station: "north roof", Make: "AudioMoth", Model: "1.2.0", Serial: "24F3", Note: "Größe: 3 µm",
		Location: &[2]float64{46.5191, -6.5668}, Lost: 2016,
		Causes: []Loss{{480, audio.XRun}, {1536, audio.Overrun}}, Continues: 1795200000000,
		Unknown: []Field{{"TE", "10"}, {"Species Manual ID", "Mylu"}, {"Empty", ""}},
	}
}

var formats = []audio.Format{
	{Rate: 48000, Channels: 1, Encoding: audio.S16}, {Rate: 44100, Channels: 2, Encoding: audio.S24},
	{Rate: 96000, Channels: 1, Encoding: audio.S24}, {Rate: 16000, Channels: 2, Encoding: audio.S32},
	{Rate: 384000, Channels: 4, Encoding: audio.S16}, {Rate: 48000, Channels: 3, Encoding: audio.S24},
	{Rate: 48000, Channels: 1, Encoding: audio.F32}, {Rate: 48000, Channels: 6, Encoding: audio.F32},
	{Rate: 1, Channels: 64, Encoding: audio.F32}, {Rate: audio.MaxRate, Channels: 19, Encoding: audio.S24},
}

// ramp is n bytes, of which any two places far apart differ.
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// whole is a file of sound with its header.
func whole(t testing.TB, f audio.Format, tags *Tags, sound []byte) []byte {
	t.Helper()
	b, err := AppendHeader(nil, f, tags, int64(len(sound)))
	if err != nil {
		t.Fatal(err)
	}
	return append(append(b, sound...), make([]byte, Pad(int64(len(sound))))...)
}

// open reads b, which must be accepted, and returns all its sound.
func open(t testing.TB, b []byte) (*Reader, []byte) {
	t.Helper()
	r, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	sound := readAll(t, r)
	if int64(len(sound)) != r.Frames()*int64(r.Format().FrameBytes()) {
		t.Fatalf("%d bytes read, %d frames of %v promised", len(sound), r.Frames(), r.Format())
	}
	return r, sound
}

// readAll reads to the end, a few frames at a time.
func readAll(t testing.TB, r *Reader) []byte {
	t.Helper()
	var sound []byte
	p := make([]byte, 1000+r.Format().FrameBytes())
	for {
		n, err := r.Read(p)
		sound = append(sound, p[:n]...)
		if err == io.EOF {
			return sound
		}
		if err != nil || n == 0 || n%r.Format().FrameBytes() != 0 {
			t.Fatalf("read %d bytes, %v", n, err)
		}
	}
}

func TestHeaderIsReadBackAsWritten(t *testing.T) {
	for _, f := range formats {
		tags := full()
		sound := ramp(f.FrameBytes() * 7)
		file := whole(t, f, &tags, sound)
		if size := int(le.Uint32(file[4:])); size != len(file)-8 || len(file)%2 != 0 {
			t.Errorf("%v: a file of %d bytes with %d in RIFF", f, len(file), size)
		}
		r, got := open(t, file)
		if r.Format() != f || !bytes.Equal(got, sound) || len(r.Notes()) > 0 || !r.Exact() {
			t.Errorf("%v read as %v, %d of %d bytes, notes %q", f, r.Format(), len(got), len(sound), r.Notes())
		}
		if !reflect.DeepEqual(r.Tags(), tags) {
			t.Errorf("%v: tags\n%+v read as\n%+v", f, tags, r.Tags())
		}
		if r.Header()%2 != 0 {
			t.Errorf("%v: the sound begins at odd byte %d", f, r.Header())
		}
		if at, ok := r.Start(); !ok || at != tags.Start {
			t.Errorf("start read as %v %v", at, ok)
		}
	}
}

func TestOpenHeaderDiffersFromWholeInSizesOnly(t *testing.T) {
	for _, f := range formats {
		tags := full()
		sound := ramp(f.FrameBytes() * 5)
		head, err := AppendHeader(nil, f, &tags, -1)
		if err != nil {
			t.Fatal(err)
		}
		r, got := open(t, append(bytes.Clone(head), sound...))
		if r.Format() != f || !bytes.Equal(got, sound) || len(r.Notes()) != 1 || r.Exact() {
			t.Errorf("%v open: %v, %d bytes, notes %q", f, r.Format(), len(got), r.Notes())
		}
		name := filepath.Join(t.TempDir(), "x")
		body := append(append(bytes.Clone(head), sound...), make([]byte, Pad(int64(len(sound))))...)
		if err := os.WriteFile(name, body, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := Patch(file, head, f, int64(len(sound))); err != nil {
			t.Fatal(err)
		}
		file.Close()
		patched, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(patched, whole(t, f, &tags, sound)) || !bytes.Equal(patched[:len(head)], head) {
			t.Errorf("%v: patched differs from written whole", f)
		}
	}
}

func TestHeaderWithoutTagsIsPlain(t *testing.T) {
	b, err := AppendHeader(nil, formats[0], nil, 0)
	if err != nil || len(b) != 44 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestSizesThatDoNotFitAreRefused(t *testing.T) {
	f := formats[1]
	for _, n := range []int64{1, 5, MaxData + 1, 1 << 32, 1 << 62} {
		if b, err := AppendHeader([]byte("x"), f, nil, n); err == nil || string(b) != "x" {
			t.Errorf("%d bytes of sound: %q, %v", n, b, err)
		}
	}
	f32 := formats[6]
	head, _ := AppendHeader(nil, formats[0], nil, -1)
	if PutSizes(head, f32, 4) == nil || PutSizes(head[:40], formats[0], 4) == nil {
		t.Error("sizes were put into a header of another format")
	}
}

func TestTagsThatCannotBeReadBackAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Tags){
		"sensor":    func(g *Tags) { g.Sensor = "a/b" },
		"block":     func(g *Tags) { g.Block = -1 },
		"lost":      func(g *Tags) { g.Lost, g.Causes = -1, nil },
		"causes":    func(g *Tags) { g.Lost = 1 },
		"no cause":  func(g *Tags) { g.Causes[0].Cause = 0 },
		"latitude":  func(g *Tags) { g.Location[0] = 91 },
		"year":      func(g *Tags) { g.Start = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"forged":    func(g *Tags) { g.Unknown = []Field{{"INGESTD|Session", "1"}} },
		"colon":     func(g *Tags) { g.Unknown = []Field{{"a: b", "1"}} },
		"line":      func(g *Tags) { g.Unknown = []Field{{"a\nNote", "1"}} },
		"unnamed":   func(g *Tags) { g.Unknown = []Field{{"", "1"}} },
		"very long": func(g *Tags) { g.Note = strings.Repeat("n", MaxHeader) },
	} {
		tags := full()
		spoil(&tags)
		if b, err := AppendHeader([]byte("x"), formats[0], &tags, -1); err == nil || string(b) != "x" {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHostileStringsStayInTheirField(t *testing.T) {
	tags := full()
	evil := "x\nINGESTD|Session: 1\r\nTimestamp: 1999-01-01T00:00:00Z\x00\u2028Note: no\xff"
	tags.Note, tags.Station, tags.Make, tags.Model, tags.Serial = evil, evil, evil, evil, evil
	tags.Unknown[0].Value = evil
	r, _ := open(t, whole(t, formats[0], &tags, nil))
	got, one := r.Tags(), "x INGESTD|Session: 1  Timestamp: 1999-01-01T00:00:00Z  Note: no\ufffd"
	want := full()
	want.Note, want.Station, want.Make, want.Model, want.Serial = one, one, one, one, one
	want.Unknown[0].Value = one
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v, want\n%+v", got, want)
	}
}

func TestBextBytes(t *testing.T) {
	tags := full()
	b := whole(t, formats[1], &tags, nil)
	if id, n := string(b[36:40]), le.Uint32(b[40:]); id != "bext" || n != bextBytes {
		t.Fatalf("%q of %d bytes", id, n)
	}
	b = b[44 : 44+bextBytes]
	text := func(from, to int) string { return string(bytes.TrimRight(b[from:to], "\x00")) }
	for _, c := range []struct{ what, got, want string }{
		{"description", text(0, 256), "session=1795287841150 sensor=mic0 block=00000000086016"},
		{"originator", text(256, 288), "ingestd"},
		{"reference", text(288, 320), "1795287841150/00000000086016"},
		{"date", text(320, 330), "2026-11-21"},
		{"time", text(330, 338), "14:00:00"},
		{"rest", text(348, bextBytes), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if got, want := le.Uint64(b[338:]), uint64(14*3600*44100+6615); got != want || le.Uint16(b[346:]) != 1 {
		t.Errorf("time reference %d, want %d", got, want)
	}
}

func TestHeaderAllocatesNothingWhereThereIsRoom(t *testing.T) {
	tags, buf := full(), make([]byte, 0, MaxHeader)
	for _, c := range []struct {
		what string
		dst  []byte
		max  float64
	}{{"room", buf, 0}, {"no room", nil, 1}} {
		if got := testing.AllocsPerRun(100, func() { _, _ = AppendHeader(c.dst, formats[7], &tags, -1) }); got > c.max {
			t.Errorf("%s: %v allocations", c.what, got)
		}
	}
}
