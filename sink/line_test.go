package sink_test

import (
	"testing"

	"github.com/ingestd/ingestd/sink"
)

func TestFlippedLineIsRefused(t *testing.T) {
	line, err := sink.EncodeLine(sink.Block{Block: 172032, From: 86016, Frames: 480000, PCM: "00000000"})
	if err != nil {
		t.Fatal(err)
	}
	var b sink.Block
	if err := sink.DecodeLine(line, &b); err != nil || b.From != 86016 {
		t.Fatalf("%s: %+v, %v", line, b, err)
	}
	sum := len(line) - len(`,"c":"00000000"}`) - 1
	for at := range 8 * sum { // every bit that the sum speaks of
		bad := append([]byte(nil), line...)
		bad[at/8] ^= 1 << (at % 8)
		if sink.DecodeLine(bad, &b) == nil {
			t.Errorf("bit %d flipped: %s", at, bad)
		}
	}
	for n := range len(line) - 1 {
		if sink.DecodeLine(line[:n], &b) == nil {
			t.Errorf("cut at %d: %s", n, line[:n])
		}
	}
}
