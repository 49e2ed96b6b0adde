package line_test

import (
	"testing"

	"github.com/ingestd/ingestd/audio/line"
)

type block struct {
	Block int64  `json:"block"`
	From  int64  `json:"from"`
	PCM   string `json:"pcm"`
}

func TestFlippedLineIsRefused(t *testing.T) {
	text, err := line.Encode(block{172032, 86016, "00000000"})
	if err != nil {
		t.Fatal(err)
	}
	var b block
	if err := line.Decode(text, &b); err != nil || b.From != 86016 {
		t.Fatalf("%s: %+v, %v", text, b, err)
	}
	sum := len(text) - len(`,"c":"00000000"}`) - 1
	for at := range 8 * sum { // every bit that the sum speaks of
		bad := append([]byte(nil), text...)
		bad[at/8] ^= 1 << (at % 8)
		if line.Decode(bad, &b) == nil {
			t.Errorf("bit %d flipped: %s", at, bad)
		}
	}
	for n := range len(text) - 1 {
		if line.Decode(text[:n], &b) == nil {
			t.Errorf("cut at %d: %s", n, text[:n])
		}
	}
}
