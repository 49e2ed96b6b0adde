package reader

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"pgregory.net/rapid"
)

// The tests write frames that tell their own position: frame p holds mix(p).
const frameBytes = 8

func mix(p audio.Pos) uint64 {
	x := uint64(p) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// insert writes the next frames.
func insert(w *buffer.Writer, frames int) {
	for frames > 0 {
		room := w.Reserve(frames)
		n := len(room) / frameBytes
		stamp(room, w.Head())
		w.Commit(n)
		frames -= n
	}
}

// stamp fills room with frames from p on.
func stamp(room []byte, p audio.Pos) {
	for i := 0; i < len(room)/frameBytes; i++ {
		binary.LittleEndian.PutUint64(room[i*frameBytes:], mix(p+audio.Pos(i)))
	}
}

// wrong is the first position from p on that sound does not hold the frame
// of, or -1.
func wrong(sound []byte, p audio.Pos) audio.Pos {
	for i := 0; i < len(sound)/frameBytes; i++ {
		if binary.LittleEndian.Uint64(sound[i*frameBytes:]) != mix(p+audio.Pos(i)) {
			return p + audio.Pos(i)
		}
	}
	return -1
}

func newRing(t testing.TB, c buffer.Config) (*buffer.Ring, *buffer.Writer) {
	t.Helper()
	c.FrameBytes = frameBytes
	r, err := buffer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Writer()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func mustOpen(t testing.TB, r *buffer.Ring, opts ...Option) *Reader {
	t.Helper()
	rd, err := Open(r, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return rd
}

// mustOpenIn opens a reader in a rapid test.
func mustOpenIn(t *rapid.T, r *buffer.Ring, opts ...Option) *Reader {
	rd, err := Open(r, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return rd
}

// loss is a LostError as a hole, the zero Hole for any other error.
func loss(err error) audio.Hole {
	var lost *LostError
	if !errors.As(err, &lost) {
		return audio.Hole{}
	}
	return audio.Hole{Span: lost.Lost, Cause: lost.Cause}
}

func span(from, to audio.Pos) audio.Span { return audio.Span{From: from, To: to} }
