//go:build bench

package ring

import (
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"github.com/ingestd/ingestd/reader"
)

// frame is the bytes of one: stereo, s16.
const (
	frame       = 4
	chunkFrames = chunk / frame
)

// ours is the ring that this is all about.
type ours struct {
	t    testing.TB
	ring *buffer.Ring
	w    *buffer.Writer
	last *reader.Reader // belongs to the goroutine that calls Last
}

func newOurs(t testing.TB, chunks int) rival { return newRing(t, chunks, 0) }

// newFine has blocks of one chunk.
func newFine(t testing.TB, chunks int) rival { return newRing(t, chunks, chunkFrames) }

// newRing has blocks of as many frames, or as many as is usual if that is 0.
func newRing(t testing.TB, chunks, block int) *ours {
	t.Helper()
	r, err := buffer.New(buffer.Config{FrameBytes: frame, Frames: int64(chunks) * chunkFrames, BlockFrames: block})
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Writer()
	if err != nil {
		t.Fatal(err)
	}
	last, err := reader.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	return &ours{t, r, w, last}
}

func (o *ours) Write(p []byte) {
	copy(o.w.Reserve(chunkFrames), p)
	o.w.Commit(chunkFrames)
}

func (o *ours) Last(dst []byte) bool {
	to := o.ring.Head()
	return copyRange(o.last, dst, to-audio.Pos(len(dst)/frame))
}

func (o *ours) Follow() follower {
	p, err := o.ring.Take()
	if err != nil {
		o.t.Error(err)
		panic(err)
	}
	return &place{p, o.ring.Head()}
}

type place struct {
	*buffer.Place
	at audio.Pos
}

func (p *place) Next(dst []byte) int {
	n, err := p.Copy(dst, p.at)
	if err != nil {
		p.at = p.Ring().Bounds().From
		return p.Next(dst)
	}
	p.at += audio.Pos(n)
	return n / chunkFrames
}

// Hold borrows as much as a reader may.
func (p *place) Hold() (release func()) {
	to := p.Ring().Head()
	v, err := p.Slice(to-4*chunkFrames, to)
	if err != nil || !v.Borrowed() {
		return func() {}
	}
	return v.Release
}
