//go:build bench

package ring

import (
	"sync/atomic"
	"testing"
)

// progress is how many chunks have been written, alone on its line.
type progress struct {
	_ [64]byte
	atomic.Int64
	_ [56]byte
}

// round copies round memory of the size of the ring, and no more: the floor.
// Its readers copy as much as was written, out of other memory. So they share
// the machine with the writer, but no byte.
type round struct {
	slab  []byte
	other []byte
	off   int
	n     int64
	told  progress
}

// tellEvery is after how many writes the readers are told. More often would be
// a cost that the floor does not have.
const tellEvery = 16

func newRound(_ testing.TB, chunks int) rival {
	r := &round{slab: touched(chunks * chunk), other: touched(chunks * chunk)}
	return r
}

// touched is memory whose pages are there.
func touched(bytes int) []byte {
	b := make([]byte, bytes)
	for i := 0; i < len(b); i += chunk {
		b[i] = 1
	}
	return b
}

func (r *round) Write(p []byte) {
	copy(r.slab[r.off:r.off+chunk], p)
	if r.off += chunk; r.off == len(r.slab) {
		r.off = 0
	}
	r.tell()
}

func (r *round) tell() {
	if r.n++; r.n%tellEvery == 0 {
		r.told.Store(r.n)
	}
}

func (r *round) Follow() follower { return &behind{at: r.told.Load(), head: &r.told, slab: r.other} }

func (r *round) Last(dst []byte) bool {
	copy(dst, r.other[len(r.other)-len(dst):])
	return true
}

// hot copies to one and the same chunk: what the nearest cache can do.
type hot struct {
	*round
	one []byte
}

func newHot(t testing.TB, chunks int) rival {
	return &hot{round: newRound(t, chunks).(*round), one: touched(chunk)}
}

func (h *hot) Write(p []byte) {
	copy(h.one, p)
	h.tell()
}

// behind follows a count of chunks and copies them out of slab, chunk i from
// place i mod its length. Nothing keeps the writer from its bytes.
type behind struct {
	at   int64
	head *progress
	slab []byte
}

func (b *behind) Next(dst []byte) int {
	head, chunks := b.head.Load(), int64(len(b.slab)/chunk)
	b.at = max(b.at, head-chunks)
	n := min(head-b.at, int64(len(dst)/chunk))
	for i := range n {
		from := int((b.at+i)%chunks) * chunk
		copy(dst[i*chunk:(i+1)*chunk], b.slab[from:from+chunk])
	}
	b.at += n
	return int(n)
}

func (b *behind) Close() {}

// bare is a ring that protects nothing: a reader that is lapped gets bytes of
// two laps, and the program has a data race. It is no rival. It shows what the
// memory itself costs when two cores share it, whatever the protocol: each
// line that a reader has fetched must be taken from its cache again.
type bare struct {
	slab []byte
	off  int
	head progress
}

func newBare(_ testing.TB, chunks int) rival { return &bare{slab: touched(chunks * chunk)} }

func (b *bare) Write(p []byte) {
	copy(b.slab[b.off:b.off+chunk], p)
	if b.off += chunk; b.off == len(b.slab) {
		b.off = 0
	}
	b.head.Store(b.head.Load() + 1)
}

func (b *bare) Follow() follower { return &behind{at: b.head.Load(), head: &b.head, slab: b.slab} }

func (b *bare) Last(dst []byte) bool {
	f := behind{at: b.head.Load() - int64(len(dst)/chunk), head: &b.head, slab: b.slab}
	return f.at >= 0 && f.Next(dst) == len(dst)/chunk
}
