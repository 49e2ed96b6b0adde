package wavfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// replayed is all sound of a replay, and the time on its clock at the end.
func replayed(t *testing.T, c Config, most int) (sound []byte, took time.Duration) {
	t.Helper()
	clock := &leap{now: 1_000_000_000}
	c.Clock = clock
	s := open(t, c)
	p := make([]byte, 1000*s.Format().FrameBytes())
	for len(sound) < most {
		pk, err := s.Read(t.Context(), p)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		sound = append(sound, p[:pk.Frames*s.Format().FrameBytes()]...)
	}
	return sound, time.Duration(clock.now - 1_000_000_000)
}

// S20: files, a folder, a glob or a list come in one stream with their short
// tail, at real time, N times that or as fast as taken, in a loop, and with a
// start that can be set.
func TestSeed_S20(t *testing.T) {
	dir := t.TempDir()
	total := parts(t, dir, 48_000, 4096, 17) // the last ones fill nothing
	want := ramp(0, total)
	length := format.Duration(int64(total))
	list := []string{filepath.Join(dir, "a.wav"), filepath.Join(dir, "b.wav"), filepath.Join(dir, "c.wav")}
	for name, paths := range map[string][]string{"folder": {dir}, "glob": {filepath.Join(dir, "*.wav")}, "list": list} {
		for _, speed := range []float64{0, 0.5, 1, 8} {
			sound, took := replayed(t, Config{Paths: paths, Speed: speed}, 1<<30)
			if !bytes.Equal(sound, want) {
				t.Errorf("%s at speed %v: %d bytes of %d, or other ones", name, speed, len(sound), len(want))
			}
			due := time.Duration(0)
			if speed > 0 {
				due = time.Duration(float64(length) / speed)
			}
			if off := took - due; off < 0 || off > time.Microsecond {
				t.Errorf("%s at speed %v took %v, want %v", name, speed, took, due)
			}
		}
	}
	looped, _ := replayed(t, Config{Paths: list, Loop: true}, 2*len(want)+9)
	if !bytes.Equal(looped[:2*len(want)], append(bytes.Clone(want), want...)) {
		t.Errorf("the loop has a seam")
	}
	begin := time.Date(2026, 1, 31, 6, 0, 0, 0, time.UTC)
	if start, ok := open(t, Config{Paths: list, Start: Start{Time: begin}}).Start(); !ok || !start.Equal(begin) {
		t.Errorf("it starts at %v, %v", start, ok)
	}
}

// D4: the header of a file is read, and not taken for 44 bytes: what else
// stands in it is no sound, rate and channels are its own, and the end is the
// end.
func TestSeed_D4(t *testing.T) {
	sound := []byte("0123456789abcdef0123")
	chunk := func(id string, body []byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
		return append(append(b, body...), make([]byte, len(body)&1)...)
	}
	fmtChunk := []byte{1, 0, 2, 0, 0x11, 0x2b, 0, 0, 0x44, 0xac, 0, 0, 4, 0, 16, 0} // 11025 Hz, stereo
	body := []byte("WAVE")
	for _, c := range [][]byte{
		chunk("LIST", []byte("INFOISFT\x05\x00\x00\x00odd!\x00")), chunk("fmt ", append(fmtChunk, 0, 0)),
		chunk("junk", make([]byte, 331)), chunk("data", sound), chunk("LIST", []byte("this is no sound")),
	} {
		body = append(body, c...)
	}
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(path, chunk("RIFF", body), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Paths: []string{path}})
	if want := (audio.Format{Rate: 11025, Channels: 2, Encoding: audio.S16}); s.Format() != want {
		t.Errorf("it is %v, want %v", s.Format(), want)
	}
	got, _ := replayed(t, Config{Paths: []string{path}}, 1<<20)
	if !bytes.Equal(got, sound) {
		t.Errorf("got %q, want %q", got, sound)
	}
	p := make([]byte, 100)
	if pk, err := s.Read(t.Context(), p); pk.Frames != 5 || err != nil {
		t.Errorf("%+v, %v", pk, err)
	}
	for range 3 {
		if pk, err := s.Read(t.Context(), p); pk != (source.Packet{}) || err != io.EOF {
			t.Errorf("behind the end: %+v, %v", pk, err)
		}
	}
}
