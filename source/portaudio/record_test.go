//go:build linux

package portaudio

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"testing/iotest"

	"github.com/ingestd/ingestd/clock"
)

func someRecords() []record {
	return []record{
		{kind: hello, payload: 20, mono: 1, age: -1},
		{kind: sound, flags: aged | overflow | first, payload: 960, frames: 480, pos: 1000, lost: 7, mono: 1 << 60, age: 1e7, seq: 99},
		{kind: sound, payload: maxPayload, frames: maxPayload, age: -1},
		{kind: beat, mono: 5, age: -1},
		{kind: failure, age: -1},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	head := make([]byte, headBytes)
	for _, want := range someRecords() {
		want.put(head)
		if got, err := parse(head); err != nil || got != want {
			t.Errorf("%+v read as %+v, %v", want, got, err)
		}
		for bit := range headBytes * 8 {
			head[bit/8] ^= 1 << (bit % 8)
			if _, err := parse(head); !errors.Is(err, errOutOfStep) {
				t.Errorf("%+v with bit %d turned over was accepted", want, bit)
			}
			head[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func TestRecordOutOfRangeIsRefused(t *testing.T) {
	head := make([]byte, headBytes)
	good := record{kind: sound, payload: 4, frames: 2, pos: 10, mono: 100, age: 10}
	for i, spoil := range []func(*record){
		func(r *record) { r.kind = 0 }, func(r *record) { r.kind = failure + 1 },
		func(r *record) { r.payload = maxPayload + 1 }, func(r *record) { r.frames = 5 }, func(r *record) { r.frames = 0 },
		func(r *record) { r.pos = -1 }, func(r *record) { r.pos = maxPos + 1 }, func(r *record) { r.lost = -1 }, func(r *record) { r.lost = 11 },
		func(r *record) { r.mono = -1 }, func(r *record) { r.age = -2 }, func(r *record) { r.age = 101 },
		func(r *record) { r.kind = beat }, func(r *record) { r.kind, r.frames = beat, 0 },
	} {
		bad := good
		spoil(&bad)
		bad.put(head)
		if _, err := parse(head); !errors.Is(err, errOutOfStep) {
			t.Errorf("%d: %+v was accepted: %v", i, bad, err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, r := range someRecords() {
		head := make([]byte, headBytes)
		r.put(head)
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err != nil {
			return
		}
		again := make([]byte, headBytes)
		r.put(again)
		if got, err := parse(again); err != nil || got != r {
			t.Errorf("%+v was accepted, and then read as %+v, %v", r, got, err)
		}
		if begun := r.begun(8000); begun > r.mono {
			t.Errorf("%+v was captured before it began, %d", r, begun)
		}
	})
}

// FuzzWire reads what a child may write: any bytes, with checksums made right.
func FuzzWire(f *testing.F) {
	var all []byte
	for _, r := range someRecords()[:2] {
		head := make([]byte, headBytes)
		r.put(head)
		all = append(append(all, head...), make([]byte, r.payload)...)
	}
	f.Add(all, uint16(100))
	f.Add(all[:70], uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		if n := int(at); n+headBytes <= len(b) {
			b = bytes.Clone(b)
			r := record{kind: sound, payload: 8, frames: 4, age: -1}
			r.put(b[n:])
		}
		w := newWire(nil, 2)
		taken := 0
		for {
			r, payload, ok, err := w.next()
			if err != nil {
				return
			}
			if ok {
				if taken += headBytes + len(payload); len(payload) != r.payload || taken > len(all)+len(b) {
					t.Fatalf("%+v with %d bytes after %d", r, len(payload), taken)
				}
				continue
			}
			w.room()
			n := copy(w.buf[w.w:], b)
			if w.w, b = w.w+n, b[n:]; n == 0 {
				if len(w.buf) > headBytes+maxPayload {
					t.Fatalf("a buffer of %d bytes", len(w.buf))
				}
				return
			}
		}
	})
}

// piped is a pipe that is read as a wire.
func piped(t *testing.T, frameBytes int) (*wire, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return newWire(r, frameBytes), w
}

func TestWireReadsRecordsInAnyPieces(t *testing.T) {
	var all bytes.Buffer
	out := &outlet{pipe: &all, clock: clock.System{}}
	if err := out.notice(state, notice{Stage: opened}); err != nil {
		t.Fatal(err)
	}
	ring := newRing(1 << 20)
	f := &feed{ring: ring, frame: 4, rate: 48000}
	for i := range 50 {
		f.sound(bytes.Repeat([]byte{byte(i)}, 4*(1+i*i)), int64(i)*1e7, 0, false)
	}
	all.Write(ring.peek(1 << 20))
	for name, read := range map[string]func(p []byte, from *bytes.Reader) (int, error){
		"bytes":  func(p []byte, from *bytes.Reader) (int, error) { return iotest.OneByteReader(from).Read(p) },
		"halves": func(p []byte, from *bytes.Reader) (int, error) { return iotest.HalfReader(from).Read(p) },
		"wholes": func(p []byte, from *bytes.Reader) (int, error) { return from.Read(p) },
	} {
		w := newWire(nil, 4)
		from := bytes.NewReader(all.Bytes())
		sounds := 0
		for {
			r, payload, ok, err := w.next()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if ok {
				if r.kind == sound {
					if want := bytes.Repeat([]byte{byte(sounds)}, 4*(1+sounds*sounds)); !bytes.Equal(payload, want) {
						t.Fatalf("%s: sound %d differs", name, sounds)
					}
					sounds++
				}
				continue
			}
			w.room()
			n, err := read(w.buf[w.w:], from)
			if w.w += n; err != nil {
				break
			}
		}
		if sounds != 50 {
			t.Errorf("%s: %d records", name, sounds)
		}
	}
}
