package wav

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

func TestWideningIsExactForEveryByteAndEveryRoom(t *testing.T) {
	var sound, want []byte
	for v := range 256 {
		sound = append(sound, byte(v))
		want = le.AppendUint16(want, uint16(int16(v-128)<<8))
	}
	file := load(t, "odd/u8")[:44]
	file = append(file, sound...)
	for room := 2; room < 600; room += 7 {
		r, err := Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		p := make([]byte, room)
		for {
			n, err := r.Read(p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("room of %d bytes: %d bytes, other than the %d wanted", room, len(got), len(want))
		}
	}
}

func TestReadGivesWholeFramesOnly(t *testing.T) {
	r, _ := open(t, load(t, "s24-96000-2"))
	if err := r.Rewind(); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("no room: %d, %v", n, err)
	}
	if n, err := r.Read(make([]byte, 5)); n != 0 || err != io.ErrShortBuffer {
		t.Errorf("less than a frame: %d, %v", n, err)
	}
	if n, err := r.Read(make([]byte, 17)); n != 12 || err != nil {
		t.Errorf("nearly three frames: %d, %v", n, err)
	}
}

// shrinking is a file that ends before the size that was given for it, or
// fails there.
type shrinking struct {
	*bytes.Reader
	err error
}

func (s shrinking) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Reader.ReadAt(p, off)
	if err == io.EOF && s.err != nil {
		err = s.err
	}
	return n, err
}

func TestFileThatShrinksOrFailsIsNotTakenForItsEnd(t *testing.T) {
	broken := errors.New("input/output error")
	for _, name := range []string{"s16-48000-1", "f32-48000-1", "odd/u8"} {
		b := load(t, name)
		for _, c := range []struct{ err, want error }{{nil, errShrunk}, {broken, broken}} {
			r, err := Open(shrinking{bytes.NewReader(b[:len(b)-101]), c.err}, int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			var got int
			for err == nil {
				var n int
				n, err = r.Read(make([]byte, 4096))
				got += n
			}
			if !errors.Is(err, c.want) || got == 0 || got%r.Format().FrameBytes() != 0 {
				t.Errorf("%s: %d bytes, %v; want %v", name, got, err, c.want)
			}
		}
	}
}

func TestErrorOfTheDiskIsHandedOn(t *testing.T) {
	broken := errors.New("input/output error")
	b := load(t, "dated")
	for cut := range 900 {
		r, err := Open(shrinking{bytes.NewReader(b[:cut]), broken}, int64(len(b)))
		if r != nil && cut < int(r.Header()) || err != nil && !errors.Is(err, broken) {
			t.Fatalf("fails at byte %d: %v, %v", cut, r, err)
		}
	}
}

func TestStartComesFromGuanoElseFromBext(t *testing.T) {
	for _, c := range []struct {
		file string
		want string
	}{
		{"dated", "2026-11-21T14:00:00.25Z"},                 // GUANO with an offset; bext says the same
		{"odd/guano-behind", "2026-11-21T14:00:00.25Z"},      // behind the sound
		{"odd/bext-first", "2026-11-21T00:00:00.000020833Z"}, // one frame after midnight
		{"odd/guano-local-time", ""},
		{"s16-48000-1", ""},
	} {
		r, _ := open(t, load(t, c.file))
		at, ok := r.Start()
		if got := at.Format(time.RFC3339Nano); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s starts at %s, %v; want %q", c.file, got, ok, c.want)
		}
	}
	r, _ := open(t, load(t, "dated"))
	g := r.Tags()
	if g.Make != "make.go" || g.Note != "made by a program" || *g.Location != [2]float64{46.5191, 6.5668} ||
		!slices.Equal(g.Unknown, []Field{{"TE", "1"}}) {
		t.Errorf("tags %+v", g)
	}
}

func TestBextDatesOutOfRangeAreNoStart(t *testing.T) {
	b := make([]byte, bextBytes)
	for _, c := range []struct {
		date   string
		frames uint64
		want   string
	}{
		{"2026-11-2114:00:00", 0, "2026-11-21T14:00:00Z"}, // no TimeReference: the second counts
		{"2026:11:2114-00-00", 48000, "2026-11-21T00:00:01Z"},
		{"2026-11-2199:00:00", 0, "2026-11-21T00:00:00Z"},
		{"2026-11-2114:00:00", 86400 * 48000, "2026-11-22T00:00:00Z"},
		{"2026-11-2114:00:00", 86400*48000 + 1, ""},
		{"2026-11-2114:00:00", 1 << 63, ""},
		{"2026-02-3014:00:00", 1, ""}, {"2026-13-0114:00:00", 1, ""}, {"0000-00-0000:00:00", 1, ""},
		{"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 1, ""}, {"20x6-11-2114:00:00", 1, ""},
	} {
		clear(b)
		copy(b[320:], c.date)
		le.PutUint64(b[338:], c.frames)
		at := parseBext(b, 48000)
		if got := at.Format(time.RFC3339Nano); at.IsZero() != (c.want == "") || !at.IsZero() && got != c.want {
			t.Errorf("%q + %d frames: %s, want %q", c.date, c.frames, got, c.want)
		}
	}
	if !parseBext(b[:345], 48000).IsZero() {
		t.Error("a short bext chunk gave a start")
	}
}

// sparse is a file of size bytes that are zero but for its two ends.
type sparse struct {
	size       int64
	head, tail []byte
}

func (s sparse) ReadAt(p []byte, off int64) (n int, err error) {
	if n = int(min(int64(len(p)), max(0, s.size-off))); n < len(p) {
		err = io.EOF
	}
	clear(p[:n])
	if off < int64(len(s.head)) {
		copy(p[:n], s.head[off:])
	}
	if at := s.size - int64(len(s.tail)) - off; at < int64(n) {
		copy(p[max(0, at):n], s.tail[max(0, -at):])
	}
	return n, err
}

func TestFiveGigabytesOfRF64AreReadToTheLastFrame(t *testing.T) {
	f := audio.Format{Rate: 48000, Channels: 2, Encoding: audio.S24}
	sound := int64(5<<30/6) * 6
	head := append([]byte("RF64\xff\xff\xff\xffWAVEds64"), 28, 0, 0, 0)
	head = le.AppendUint64(head, uint64(sound+72))
	head = le.AppendUint64(head, uint64(sound))
	head = appendFormat(append(head, make([]byte, 12)...), f)
	head = append(head, "data\xff\xff\xff\xff"...)
	file := sparse{int64(len(head)) + sound, head, []byte("frame1frame2")}
	r, err := Open(file, file.size)
	if err != nil {
		t.Fatal(err)
	}
	if r.Frames() != sound/6 || len(r.Notes()) > 0 {
		t.Fatalf("%d frames, want %d; %q", r.Frames(), sound/6, r.Notes())
	}
	p, last, total := make([]byte, 6<<16), []byte(nil), int64(0)
	for {
		n, err := r.Read(p)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		total, last = total+int64(n), append(last[:0], p[max(0, n-12):n]...)
	}
	if total != sound || string(last) != "frame1frame2" {
		t.Errorf("%d of %d bytes read, the last are %q", total, sound, last)
	}
}

// TestSecurity_I2: what leads go-audio astray is read by ourselves; it sees no
// file that our check has not let through.
func TestSecurity_I2(t *testing.T) {
	for id, n := range map[string]int{"LIST": 8, "smpl": 36, "JUNK": 1<<20 + 2, "note": 0} {
		b := append([]byte("RIFF\xff\xff\xff\xffWAVE"), appendFormat(nil, mono)...)
		if id == "note" {
			b = append(b, bytes.Repeat([]byte("note\x00\x00\x00\x00"), 32)...)
		}
		b = append(le.AppendUint32(append(b, id...), uint32(n)), make([]byte, n)...)
		r, sound := open(t, append(b, "data\x04\x00\x00\x00abcd"...))
		if _, by := r.sound.(*decoded); by || string(sound) != "abcd" {
			t.Errorf("%s of %d bytes: read by go-audio %v, sound %q", id, n, by, sound)
		}
	}
}

func TestHostileFilesAreSaidInAFewNotes(t *testing.T) {
	for i, b := range fat() {
		r, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		if n := len(r.Notes()); n > 3 {
			t.Errorf("file %d: %d notes, the last is %q", i, n, r.Notes()[n-1])
		}
	}
}

func TestGuanoBeyondItsLimitsIsLeftOutAndSaid(t *testing.T) {
	field := []byte("Field: value\n")
	for _, c := range []struct {
		fields, kept int
		note         string
	}{{maxFields, maxFields, ""}, {maxFields + 1, maxFields, "only the first 1000 lines"}, {maxGuano / len(field), maxFields, "only"}, {maxGuano/len(field) + 1, 0, "too long"}} {
		text := bytes.Repeat(field, c.fields)
		b := append([]byte("RIFF\xff\xff\xff\xffWAVE"), appendFormat(nil, mono)...)
		b = append(le.AppendUint32(append(b, "guan"...), uint32(len(text))), text...)
		b = append(b, make([]byte, len(text)%2)...)
		r, _ := open(t, append(b, "data\x00\x00\x00\x00"...))
		said := strings.Join(r.Notes(), "; ")
		if n := len(r.Tags().Unknown); n != c.kept || !strings.Contains(said, c.note) || (said == "") != (c.note == "") {
			t.Errorf("%d fields: %d kept, want %d; notes %q, want %q", c.fields, n, c.kept, said, c.note)
		}
	}
}

func TestSoundBeyondFourGigabytesInPlainRIFFIsReadOrSaid(t *testing.T) {
	sound := int64(5 << 30)
	head, err := AppendHeader(nil, mono, nil, -1)
	if err != nil {
		t.Fatal(err)
	}
	file := sparse{int64(len(head)) + sound, head, nil}
	if r, err := Open(file, file.size); err != nil || r.Frames() != sound/2 || len(r.Notes()) != 1 {
		t.Errorf("open chunk: %v, %v", r, err)
	}
	le.PutUint32(head[len(head)-4:], uint32(sound&0xFFFFFFFF)) // as a writer does that counts in 32 bits
	r, err := Open(file, file.size)
	if err != nil || r.Frames() != (1<<30)/2 || len(r.Notes()) != 1 {
		t.Errorf("wrapped size: %v, %v", r, err)
	}
}
