//go:build bench

package ring

import (
	"encoding/binary"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// openRange says whether all of [from, to) is there. Nothing is borrowed.
func openRange(r *reader.Reader, from, to audio.Pos) bool {
	_, err := r.Range(from, to)
	return err == nil
}

// walkRange xors one word of each chunk of [from, to), which begins with a
// chunk, in place.
func walkRange(r *reader.Reader, from, to audio.Pos) (sum uint64, ok bool) {
	g, err := r.Range(from, to)
	if err != nil {
		return 0, false
	}
	for v, err := range g.Pieces() {
		if err != nil {
			return 0, false
		}
		for _, s := range v.Segments() {
			for ; len(s) > 0; s = s[chunk:] {
				sum ^= binary.LittleEndian.Uint64(s)
			}
		}
	}
	return sum, true
}

// copyRange copies the frames from at on that fill dst.
func copyRange(r *reader.Reader, dst []byte, at audio.Pos) bool {
	n, err := r.Copy(dst, at)
	return err == nil && n == len(dst)/frame
}
