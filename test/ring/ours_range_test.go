//go:build bench

package ring

import (
	"context"
	"encoding/binary"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// openRange says whether all of [from, to) is there. Nothing is borrowed.
func openRange(r *reader.Reader, from, to audio.Pos) bool {
	b := r.Ring().Bounds()
	return b.From <= from && to <= b.To
}

// walkRange xors one word of each chunk of [from, to), which begins with a
// chunk, in place.
func walkRange(r *reader.Reader, from, to audio.Pos) (sum uint64, ok bool) {
	for step := audio.Pos(4 * chunkFrames); from < to; from += step {
		v, err := r.Slice(from, min(to, from+step))
		if err != nil {
			return 0, false
		}
		for _, s := range v.Segments() {
			for ; len(s) > 0; s = s[chunk:] {
				sum ^= binary.LittleEndian.Uint64(s)
			}
		}
		v.Release()
	}
	return sum, true
}

// copyRange copies the frames from at on that fill dst.
func copyRange(r *reader.Reader, dst []byte, at audio.Pos) bool {
	for r.Seek(at); len(dst) > 0; {
		n, err := r.Read(context.Background(), dst)
		if err != nil {
			return false
		}
		dst = dst[n*frame:]
	}
	return true
}
