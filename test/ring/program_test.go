package ring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"github.com/ingestd/ingestd/reader"
)

// A machine is what a program runs on. Each operation says what came out of
// it, in words that must be the same for every machine.
type machine interface {
	write(p []byte)
	skip(frames int64, cause audio.Cause)
	read(at audio.Pos, frames int) string
	slice(i, j audio.Pos) string
	bounds() string
}

// An op is three bytes of a program: what to do, and two numbers.
const opBytes = 3

// mostOps is how long a program may be: the ring under test forgets no hole of
// so few operations, the reference never does.
const mostOps = 300

// stream is what a program knows about the stream that it has made.
type stream struct {
	head  audio.Pos
	edges []audio.Pos // where holes begin and end
}

// near is a position about one that matters: the head, the oldest frame if
// there were no hole, the edge of a hole.
func (s *stream) near(a byte, window int) audio.Pos {
	all := append([]audio.Pos{s.head, s.head - audio.Pos(window)}, s.edges[max(0, len(s.edges)-14):]...)
	return max(0, all[int(a>>4)%len(all)]+audio.Pos(a&15)-7)
}

// step runs an op on all machines and returns what each said.
func (s *stream) step(op []byte, window int, all []machine) []string {
	a, b := op[1], op[2]
	out := make([]string, len(all))
	switch op[0] % 6 {
	case 0, 1:
		p := ramp(s.head, int(a)%(2*window+2))
		for _, m := range all {
			m.write(p)
		}
		s.head += audio.Pos(len(p) / wordBytes)
	case 2:
		n, cause := audio.Pos(a)<<(b>>4), []audio.Cause{audio.XRun, audio.Device}[b&1]
		for _, m := range all {
			m.skip(int64(n), cause)
		}
		s.edges = append(s.edges, s.head, s.head+n)
		s.head += n
	case 3:
		for i, m := range all {
			out[i] = m.read(s.near(a, window), int(b)%(window+3))
		}
	case 4:
		i := s.near(a, window)
		for k, m := range all {
			out[k] = m.slice(i, i+audio.Pos(b)%audio.Pos(window+5)-1)
		}
	case 5:
		for i, m := range all {
			out[i] = m.bounds()
		}
	}
	return out
}

// ramp is frames from position at on, each of them telling its own.
func ramp(at audio.Pos, frames int) []byte {
	p := make([]byte, 0, frames*wordBytes)
	for i := range frames {
		p = binary.LittleEndian.AppendUint64(p, (uint64(at)+uint64(i)+1)*0x9e3779b97f4a7c15)
	}
	return p
}

// difference runs a program on the ring and on the reference, and returns the
// first thing that they do not agree about, or nothing. The first byte of the
// program is the window; whole blocks of it are held, so a block is one frame.
func difference(t testing.TB, program []byte, f fault) string {
	t.Helper()
	if len(program) == 0 {
		return ""
	}
	frames := 1 + int(program[0])%40
	r := newTested(t, frames)
	defer r.rd.Close()
	window := int(r.ring.Stats().Capacity) + 1 // at rest the block that is being filled is full
	all, s := []machine{r, &counted{newWords(window, f)}}, stream{}
	for ops := range slices.Chunk(program[1:min(len(program), 1+mostOps*opBytes)], opBytes) {
		if len(ops) < opBytes {
			break
		}
		out := s.step(ops, window, all)
		if at := s.head; out[0] != out[1] {
			return fmt.Sprintf("window %d, head %d, op %v: the ring says %s, the reference %s", window, at, ops, out[0], out[1])
		}
	}
	return ""
}

// tested is the ring and a reader of it.
type tested struct {
	ring *buffer.Ring
	w    *buffer.Writer
	rd   *reader.Reader
}

func newTested(t testing.TB, frames int) *tested {
	r, err := buffer.New(buffer.Config{FrameBytes: wordBytes, BlockFrames: 1, Frames: int64(frames), Holes: mostOps + 1, MaxReaders: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Writer()
	if err != nil {
		t.Fatal(err)
	}
	rd, err := reader.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	return &tested{r, w, rd}
}

func (r *tested) write(p []byte) {
	for len(p) > 0 {
		n := copy(r.w.Reserve(len(p)/wordBytes), p)
		r.w.Commit(n / wordBytes)
		p = p[n:]
	}
}

func (r *tested) skip(n int64, cause audio.Cause) { r.w.Skip(n, cause) }

func (r *tested) read(at audio.Pos, frames int) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if at >= r.ring.Head() {
		cancel() // it would wait
	}
	r.rd.Seek(at)
	p := make([]byte, frames*wordBytes)
	n, err := r.rd.Read(ctx, p)
	switch {
	case errors.Is(err, context.Canceled):
		return said(nil, audio.Hole{}, r.ring.Bounds())
	case err != nil:
		return r.failed(err)
	}
	return said(p[:n*wordBytes], audio.Hole{}, r.ring.Bounds())
}

func (r *tested) slice(i, j audio.Pos) string {
	v, err := r.rd.Slice(i, j)
	defer v.Release()
	if err != nil {
		return r.failed(err)
	}
	return said(v.AppendTo(nil), audio.Hole{}, r.ring.Bounds())
}

func (r *tested) failed(err error) string {
	var lost *reader.LostError
	var future *reader.FutureError
	switch {
	case errors.As(err, &lost):
		return said(nil, audio.Hole{Span: lost.Lost, Cause: lost.Cause}, lost.Holds)
	case errors.As(err, &future):
		return fmt.Sprintf("the head is at %d", future.Head)
	}
	return "a mistake"
}

func (r *tested) bounds() string { return r.ring.Bounds().String() }

// counted is the reference.
type counted struct{ *words }

func (c *counted) read(at audio.Pos, frames int) string {
	p := make([]byte, frames*wordBytes)
	if frames == 0 { // nothing is asked for: nothing is told
		return said(nil, audio.Hole{}, c.words.bounds())
	}
	n, lost := c.words.read(p, at)
	return said(p[:n*wordBytes], lost, c.words.bounds())
}

func (c *counted) slice(i, j audio.Pos) string {
	switch p, lost, come := c.words.slice(i, j); {
	case i < 0 || j < i:
		return "a mistake"
	case !lost.Empty():
		return said(nil, lost, c.words.bounds())
	case !come:
		return fmt.Sprintf("the head is at %d", c.words.head.Load())
	default:
		return said(p, lost, c.words.bounds())
	}
}

func (c *counted) bounds() string { return c.words.bounds().String() }

func said(p []byte, lost audio.Hole, holds audio.Span) string {
	if !lost.Empty() {
		return fmt.Sprintf("%v is lost of %v", lost, holds)
	}
	return fmt.Sprintf("%x of %v", p, holds)
}
