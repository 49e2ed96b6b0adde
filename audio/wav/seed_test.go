package wav

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// D7: 2, 3 and 4 bytes a sample are s16, s24, s32 and f32, byte for byte; one
// byte is widened, and that is said; any other width is refused.
func TestSeed_D7(t *testing.T) {
	sound := ramp(240)
	for enc, width := range map[audio.Encoding]int{audio.S16: 2, audio.S24: 3, audio.S32: 4, audio.F32: 4} {
		f := audio.Format{Rate: 44100, Channels: 1, Encoding: enc}
		r, got := open(t, whole(t, f, nil, sound))
		if enc.Bytes() != width || r.Format() != f || r.Frames() != int64(len(sound)/width) || !bytes.Equal(got, sound) || len(r.Notes()) > 0 {
			t.Errorf("%v: read as %v, %d frames, %d bytes each; %q", f, r.Format(), r.Frames(), enc.Bytes(), r.Notes())
		}
	}
	plain := whole(t, audio.Format{Rate: 44100, Channels: 1, Encoding: audio.S16}, nil, []byte{0, 128, 255, 129})
	at := bytes.Index(plain, []byte("fmt ")) + 8
	for bits, said := range map[byte]string{8: "", 12: "12", 20: "20", 40: "40", 48: "48", 64: "64"} {
		b := bytes.Clone(plain)
		b[at+12], b[at+14] = (bits+7)/8, bits
		r, err := Open(bytes.NewReader(b), int64(len(b)))
		if said != "" {
			if err == nil || !strings.Contains(err.Error(), said) {
				t.Errorf("%d bits: %v", bits, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want := []byte{0, 0x80, 0, 0, 0, 0x7f, 0, 1} // v-128, times 256
		if got := readAll(t, r); r.Format().Encoding != audio.S16 || !bytes.Equal(got, want) || !strings.Contains(strings.Join(r.Notes(), " "), "widened") {
			t.Errorf("8 bits: %v, % x, %q", r.Format(), got, r.Notes())
		}
	}
}
