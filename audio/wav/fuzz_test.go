package wav

import (
	"bytes"
	"io"
	"reflect"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// counted counts how often a file is read.
type counted struct {
	*bytes.Reader
	calls int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.calls++
	return c.Reader.ReadAt(p, off)
}

// allocated is how many bytes were ever allocated on the heap.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// Limits for any file of at most 64 KiB: what Open may allocate, and how many
// reads it may take, which bounds its time.
const (
	fuzzInput  = 64 << 10
	fuzzMemory = 2 << 20
	fuzzReads  = 3*maxChunks + 1000
)

func FuzzRead(f *testing.F) {
	for _, c := range accepted {
		f.Add(load(f, c.file))
	}
	for _, c := range refused {
		f.Add(load(f, "bad/"+c.file))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= fuzzInput {
			checkRead(t, b)
		}
	})
}

// TestSecurity_I1: whatever lengths a file states, reading it costs little. It
// is apart from FuzzRead because mutating fat files is slow.
func TestSecurity_I1(t *testing.T) {
	for _, b := range fat() {
		checkRead(t, b)
	}
}

// checkRead reads a file of at most fuzzInput bytes, if it is one, and checks
// what it costs and that it yields what it promises.
func checkRead(t *testing.T, b []byte) {
	t.Helper()
	room := make([]byte, 4096)
	file := &counted{Reader: bytes.NewReader(b)}
	before := allocated()
	r, err := Open(file, int64(len(b)))
	if used := allocated() - before; used > fuzzMemory {
		t.Errorf("%d bytes allocated for a file of %d", used, len(b))
	}
	if file.calls > fuzzReads {
		t.Errorf("%d reads of a file of %d bytes", file.calls, len(b))
	}
	if err != nil {
		if text := err.Error(); strings.ContainsAny(text, "\n\r") || len(text) > 300 {
			t.Errorf("refused with %q", text)
		}
		return
	}
	if err := r.Format().Check(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		total := int64(0)
		for err = nil; err == nil; {
			var n int
			n, err = r.Read(room)
			total += int64(n)
		}
		if err != io.EOF || total != r.Frames()*int64(r.Format().FrameBytes()) {
			t.Fatalf("%d bytes read, %d frames of %v promised: %v", total, r.Frames(), r.Format(), err)
		}
		if err := r.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
	backAgain(t, r)
}

// fat are files of nearly 64 KiB that make a reader work hard.
func fat() [][]byte {
	long := func(s string) []byte { return bytes.Repeat([]byte(s), (fuzzInput-1000)/len(s)) }
	chunk := func(id string, content []byte) []byte {
		return append(le.AppendUint32([]byte(id), uint32(len(content))), content...)
	}
	form := appendFormat(nil, mono)
	data := chunk("data", []byte{1, 2, 3, 4})
	file := func(parts ...[]byte) []byte {
		return append([]byte("RIFF\xff\xff\xff\xffWAVE"), bytes.Join(parts, nil)...)
	}
	empty, list := long("note\x00\x00\x00\x00"), long("ISFT\xff\xff\xff\x7f")
	return [][]byte{
		file(form, chunk("guan", long("a:\n")), data), file(form, chunk("guan", long("\xff")), data),
		file(form, chunk("guan", append([]byte("Note:"), long("\x01")...)), data),
		file(form, chunk("guan", append([]byte("INGESTD|Hole Causes:"), long("xrun 1,")...)), data),
		file(empty, form, data), file(empty[:900*8], form, data), file(form, data, empty), file(form, empty[:900*8], data),
		file(form, chunk("LIST", append([]byte("INFO"), list...)), data), file(chunk("smpl", long("\xff")), form, data),
		file(form, chunk("fmt ", long("\xff")), data), file(form, chunk("JUNK", long("data")), data),
		file(form, chunk("data", nil), empty), file(form, data, long("data\x00\x00\x00\x00")), file(form, data, long("note\x01\x00\x00\x00x")),
	}
}

// backAgain writes the tags that were read; if they fit into a header they
// must be read back the same.
func backAgain(t *testing.T, r *Reader) {
	t.Helper()
	tags := r.Tags()
	b, err := AppendHeader(nil, r.Format(), &tags, 0)
	if err != nil {
		if !strings.Contains(err.Error(), "shorten") {
			t.Errorf("tags that were read cannot be written: %v", err)
		}
		return
	}
	again, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Tags(); !reflect.DeepEqual(got, tags) {
		t.Errorf("tags\n%+v read back as\n%+v", tags, got)
	}
}

func FuzzHeader(f *testing.F) {
	add := func(rate, channels int, enc byte, data, session, block, start int64, name, text string) {
		f.Add(rate, channels, enc, data, session, block, start, name, text)
	}
	add(48000, 1, 1, 960000, 1795287841150, 86016, 1795269600150000001, "mic0", "a note")
	add(44100, 2, 2, -1, 0, 0, 0, "a", "two\nINGESTD|Session: 1\r\nTimestamp: 1999-01-01T00:00:00Z")
	add(96000, 4, 4, 16, 1<<62, 1<<62, -1, "x", "\u2028Note: forged\xff\x00")
	f.Fuzz(func(t *testing.T, rate, channels int, enc byte, data, session, block, start int64, name, text string) {
		format := audio.Format{Rate: rate, Channels: channels, Encoding: audio.Encoding(enc)}
		tags := Tags{
			Session: audio.Session(session), Sensor: name, Block: block, From: block / 2, Continues: audio.Session(session / 2),
			Start: time.Unix(0, start).UTC(), TimeError: time.Duration(max(0, start>>8)), Lost: max(0, data),
			Station: text, Make: text, Model: name, Serial: text, Note: text, Unknown: []Field{{name, text}, {"TE", text}},
		}
		b, err := AppendHeader([]byte{}, format, &tags, data)
		if err != nil {
			if len(b) != 0 {
				t.Errorf("%d bytes beside the error %v", len(b), err)
			}
			return
		}
		want := tags
		for _, s := range []*string{&want.Station, &want.Make, &want.Serial, &want.Note, &want.Unknown[0].Value, &want.Unknown[1].Value} {
			*s = clean(text)
		}
		want.Model = clean(name)
		if want.Make == "ingestd" {
			want.Make = ""
		}
		if name == "" {
			want.Session, want.Block, want.From = 0, 0, 0
		}
		body := bytes.NewReader(b)
		r, err := Open(body, int64(len(b))+max(0, data)+int64(Pad(max(0, data))))
		if err != nil {
			t.Fatal(err)
		}
		if r.Format() != format || r.Frames() != max(0, data)/int64(format.FrameBytes()) || r.Header() != int64(len(b)) {
			t.Errorf("%v of %d bytes read as %v of %d frames", format, data, r.Format(), r.Frames())
		}
		if got := r.Tags(); !reflect.DeepEqual(got, want) {
			t.Errorf("tags\n%+v read as\n%+v", want, got)
		}
	})
}

func FuzzGuano(f *testing.F) {
	tags := full()
	f.Add(string(appendGuano(nil, mono, &tags)))
	f.Add("GUANO|Version: 1.0\r\nTimestamp: 2026-11-21 14:00:00+01:00\nNote:\nTE:10\n: x\nno field\nINGESTD|Time Error: 9223372036.999999999\n\x00")
	f.Add("INGESTD|Lost Frames: 3\nINGESTD|Hole Causes: xrun 1, overrun 2\nLoc Position: 91 0\nLoc Position: NaN inf")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > fuzzInput {
			return
		}
		var got Tags
		before := allocated()
		parseGuano([]byte(text), &got)
		if used := allocated() - before; used > fuzzMemory {
			t.Errorf("%d bytes allocated for %d", used, len(text))
		}
		if err := got.check(); err != nil {
			t.Fatalf("read what cannot be written: %v", err)
		}
		var again Tags
		written := appendGuano(nil, mono, &got)
		parseGuano(written, &again)
		if !reflect.DeepEqual(got, again) && len(got.Unknown) < maxFields-len(fields) {
			t.Errorf("tags\n%+v read back as\n%+v", got, again)
		}
	})
}
