package clockfile

import (
	"bytes"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// FuzzLoad: whatever a file says, time does not go back in it.
func FuzzLoad(f *testing.F) {
	text := sample(f)
	f.Add(text, uint(0), byte(0))
	f.Add(text[:len(text)/2], uint(700), byte(4))
	f.Add([]byte("{}\n"), uint(0), byte(0))
	f.Fuzz(func(t *testing.T, text []byte, at uint, flip byte) {
		if len(text) > 0 {
			text = bytes.Clone(text)
			text[at%uint(len(text))] ^= flip
		}
		s, err := Load(bytes.NewReader(text))
		if err != nil {
			return
		}
		last := int64(-1 << 63)
		for p := audio.Pos(0); p < 4*rate; p += 1777 {
			if m, err := s.Ledger.Keys().Key(p); err == nil && m < last {
				t.Fatalf("time goes back at frame %d", p)
			} else if err == nil {
				last = m
			}
		}
	})
}
