package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/ingestd/ingestd/source"
)

// A pattern gives the length in frames of the i-th buffer.
type pattern struct {
	name  string
	sizes func(i int) int
}

func patterns() []pattern {
	return []pattern{
		{"one frame", func(int) int { return 1 }},
		{"two, three, five", func(i int) int { return []int{2, 3, 5}[i%3] }},
		{"growing", func(i int) int { return 1 + i }},
		{"10 ms", func(int) int { return 480 }},
		{"all at once", func(int) int { return 1 << 15 }},
		{"short and long", func(i int) int { return []int{1, 4096}[i%2] }},
		{"empty between", func(i int) int { return []int{0, 7, 0, 0, 1000}[i%5] }},
		{"random", func(i int) int {
			// Of a seed per buffer, so that a pattern is a function.
			return rand.New(rand.NewPCG(1, uint64(i))).IntN(2000)
		}},
	}
}

const canary = 0xA5

// reading is a source being read, and what it promised so far.
type reading struct {
	s      source.Source
	w      Want
	frame  int
	buf    []byte // the last p and a canary behind it
	got    []byte // only if w.Bytes
	frames int64
	first  bool
	at     int64
}

// readAll reads what w says, in buffers of these sizes, and then the end.
// With cancelling, contexts end before and during Reads all along.
func readAll(s source.Source, w Want, sizes func(i int) int, cancelling bool) error {
	if w.Bytes != nil {
		w.Frames = int64(len(w.Bytes) / s.Format().FrameBytes())
	}
	r := &reading{s: s, w: w, frame: s.Format().FrameBytes(), at: -1 << 63}
	for i := 0; r.frames < w.Frames; i++ {
		n := sizes(i)
		if !w.Ends {
			n = int(min(int64(n), w.Frames-r.frames))
		}
		ctx, stop := context.Background(), context.CancelFunc(func() {})
		if cancelling && i%3 != 0 {
			ctx, stop = context.WithTimeout(ctx, time.Duration(i%3-1)*50*time.Microsecond)
		}
		err := r.read(ctx, n)
		stop()
		if err != nil {
			return fmt.Errorf("Read %d of %d frames, after %d frames: %w", i, n, r.frames, err)
		}
	}
	if w.Bytes != nil && !bytes.Equal(r.got, w.Bytes[:min(len(r.got), len(w.Bytes))]) {
		return r.difference()
	}
	if w.Ends {
		return r.end()
	}
	return nil
}

// read does one Read and holds it against the contract.
func (r *reading) read(ctx context.Context, frames int) error {
	if len(r.buf) > 0 && !allCanary(r.buf) {
		return errors.New("the source wrote to a buffer after its Read had returned")
	}
	size := frames * r.frame
	if len(r.buf) < size+16 {
		r.buf = make([]byte, size+16)
	}
	fill(r.buf)
	p := r.buf[:size]
	pk, err := r.s.Read(ctx, p)
	if !allCanary(r.buf[size:]) {
		return errors.New("it wrote behind its buffer")
	}
	if err == nil {
		err = r.packet(pk, frames, p)
	} else if pk != (source.Packet{}) {
		err = fmt.Errorf("%+v together with the error %w", pk, err)
	} else if frames > 0 && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	fill(r.buf[:min(len(r.buf), size)])
	return err
}

func (r *reading) packet(pk source.Packet, frames int, p []byte) error {
	switch {
	case frames == 0 && pk != (source.Packet{}):
		return fmt.Errorf("an empty buffer got %+v", pk)
	case frames == 0:
		return nil
	case pk.Frames < 0 || pk.Frames > frames:
		return fmt.Errorf("%d frames in room for %d", pk.Frames, frames)
	case pk.Lost < 0 || (pk.Lost > 0) != pk.Cause.Valid():
		return fmt.Errorf("%d frames lost by %v", pk.Lost, pk.Cause)
	case pk.Lost > 0 && !r.w.Lossy:
		return fmt.Errorf("%d frames lost", pk.Lost)
	case pk.Frames == 0 && pk.Lost == 0:
		return errors.New("no frame, no loss and no error")
	case pk.First != (pk.Frames > 0 && !r.first):
		return fmt.Errorf("First is %v", pk.First)
	case pk.Frames > 0 && pk.At < r.at:
		return fmt.Errorf("At went back from %d to %d", r.at, pk.At)
	}
	if pk.Frames == 0 {
		return nil
	}
	r.first, r.at = true, pk.At
	r.frames += int64(pk.Frames)
	if r.w.Bytes != nil {
		r.got = append(r.got, p[:pk.Frames*r.frame]...)
	}
	return nil
}

// end asks for the end three times, an ended context and an empty buffer
// between.
func (r *reading) end() error {
	if r.frames != r.w.Frames {
		return fmt.Errorf("%d frames, want %d", r.frames, r.w.Frames)
	}
	p := make([]byte, 10*r.frame)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for i, ctx := range []context.Context{context.Background(), ended, context.Background()} {
		if pk, err := r.s.Read(ctx, p); pk != (source.Packet{}) || err != io.EOF {
			return fmt.Errorf("Read %d at the end: %+v, %v; want io.EOF", i+1, pk, err)
		}
		if pk, err := r.s.Read(ctx, nil); pk != (source.Packet{}) || err != nil {
			return fmt.Errorf("an empty Read at the end: %+v, %v", pk, err)
		}
	}
	return nil
}

func (r *reading) difference() error {
	for i := 0; i < len(r.got) && i < len(r.w.Bytes); i += r.frame {
		if got, want := r.got[i:i+r.frame], r.w.Bytes[i:i+r.frame]; !bytes.Equal(got, want) {
			return fmt.Errorf("frame %d is %x, want %x", i/r.frame, got, want)
		}
	}
	return nil
}

func fill(b []byte) {
	for n := copy(b, []byte{canary}); n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

func allCanary(b []byte) bool { return bytes.Count(b, []byte{canary}) == len(b) }
