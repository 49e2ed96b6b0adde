//go:build linux

package portaudio

import (
	"bytes"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// Whatever fits is delivered in order and bit for bit, whatever does not is
// counted, while both sides run at once.
func TestRingDeliversOrCountsEveryFrame(t *testing.T) {
	const callbacks = 3000
	w, pipe := piped(t, 4)
	ring := newRing(20000)
	f := &feed{ring: ring, frame: 4, rate: 48000}
	var writing, calling sync.WaitGroup
	writing.Go(func() {
		out := &outlet{pipe: pipe, clock: clock.System{}}
		out.run(ring) // until the pipe is closed
	})
	var n uint32
	call := func(frames int) {
		b := make([]byte, 4*frames)
		for j := 0; j < len(b); j += 4 {
			binary.LittleEndian.PutUint32(b[j:], n)
			n++
		}
		f.sound(b, int64(n), 0, false)
	}
	calling.Go(func() {
		for i := range callbacks {
			call(1 + i*37%900)
		}
	})
	if err := w.pipe.SetReadDeadline(deadline(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var next, lost int64
	for done := false; !done || next < f.pos; {
		r, payload, ok, err := w.next()
		if err == nil && !ok {
			err = w.fill()
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.kind == beat && !done { // the ring is empty; one more record tells what was dropped last
			calling.Wait()
			done = true
			call(1)
		}
		next += r.lost
		lost += r.lost
		for ; len(payload) > 0; payload = payload[4:] {
			if got := int64(binary.LittleEndian.Uint32(payload)); got != next {
				t.Fatalf("frame %d, want %d", got, next)
			}
			next++
		}
	}
	w.pipe.Close()
	call(1) // wakes the writer, which sees the end
	writing.Wait()
	if lost == 0 || lost == next {
		t.Errorf("%d of %d frames were lost", lost, next)
	}
}

func TestRingIsFullToTheByte(t *testing.T) {
	r := newRing(10)
	for range 5 { // over the edge, in all places
		if !r.write([]byte("abc"), []byte("defg")) || r.write([]byte("h"), []byte("ijk")) || !r.write([]byte("hi"), []byte("j")) || r.write(nil, []byte("k")) {
			t.Fatal("ten bytes do not fit exactly")
		}
		var got []byte
		for b := r.peek(4); len(b) > 0; b = r.peek(4) {
			got = append(got, b...)
			r.take(len(b))
		}
		if string(got) != "abcdefghij" {
			t.Fatalf("got %q", got)
		}
		r.write(nil, []byte("123"))
		r.take(3)
	}
}

func TestLongCallbackIsCutIntoRecords(t *testing.T) {
	w := newWire(nil, 2)
	for _, age := range []int64{-1, 3e9} {
		f := &feed{ring: newRing(4 << 20), frame: 2, rate: 1 << 20}
		f.sound(make([]byte, 2*maxPayload+10), 5e9, age, true)
		w.buf, w.r, w.w, w.pos, w.seq = f.ring.peek(4<<20), 0, int(f.ring.head.Load()), 0, 0
		var end int64
		for i := range 3 {
			r, _, ok, err := w.next()
			if !ok || err != nil {
				t.Fatalf("record %d: %v, %v", i, ok, err)
			}
			if (r.flags&overflow != 0) != (i == 0) || (r.flags&first != 0) != (i == 0) {
				t.Errorf("record %d has flags %b", i, r.flags)
			}
			if begun := r.begun(1 << 20); i > 0 && begun != end {
				t.Errorf("record %d begins at %d, the one before ends at %d", i, begun, end)
			}
			end = r.begun(1<<20) + nanoseconds(int64(r.frames), 1<<20)
		}
	}
}

func TestCallbackAllocatesNothing(t *testing.T) {
	f := &feed{ring: newRing(1 << 20), frame: 2, rate: 48000}
	b := bytes.Repeat([]byte{1}, 4800)
	if n := testing.AllocsPerRun(1000, func() { f.sound(b, 1e9, 1e6, false) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if f.lost == 0 {
		t.Error("a full ring was not tried")
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	w, pipe := piped(t, 2)
	ring := newRing(1 << 20)
	f := &feed{ring: ring, frame: 2, rate: 48000}
	c := Config{Device: "default", Format: format(48000, 1, audio.S16)}
	if _, err := c.defaults(); err != nil {
		t.Fatal(err)
	}
	s := &Source{cfg: c, wire: w, whole: true, stage: started, losses: losses{rate: 48000}, window: window{rate: 48000, over: 1 << 62}}
	b, p := make([]byte, 960), make([]byte, 1<<16)
	mono := int64(1e9)
	allocs := testing.AllocsPerRun(500, func() {
		f.sound(b, mono, 0, false)
		mono += nanoseconds(480, 48000)
		for b := ring.peek(1 << 16); len(b) > 0; b = ring.peek(1 << 16) {
			if _, err := pipe.Write(b); err != nil {
				t.Fatal(err)
			}
			ring.take(len(b))
		}
		if k, err := s.Read(t.Context(), p); err != nil || k.Frames != 480 || k.Lost != 0 {
			t.Fatalf("%+v, %v", k, err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations a record", allocs)
	}
}
