//go:build chaos

package reader

import (
	"fmt"
	"testing"

	"github.com/ingestd/ingestd/buffer"
)

// The writer does a whole program between any two steps of a question.
func TestWriterBetweenTheStepsOfReaders(t *testing.T) {
	cases := 0
	for _, s := range pasts() {
		for _, program := range programs(s.c) {
			for _, q := range questions(&s.build(t).m) {
				for step := 0; ; step++ {
					x := s.build(t)
					at, where := 0, ""
					x.ring.Inject(func(point string) {
						if at++; at-1 == step {
							where = point
							x.ring.Inject(nil)
							x.write(program)
						}
					})
					check := q.do(x)
					x.ring.Inject(nil)
					if where == "" {
						break
					}
					cases++
					if err := s.check(t, check, program, &x.m); err != nil {
						t.Fatalf("%s: %s, with %q before its step %d, %s: %v", s.name, q.name, program, step, where, err)
					}
					x.end(t, s.name)
				}
			}
		}
	}
	t.Logf("%d cases", cases)
	if cases < 100_000 {
		t.Errorf("%d cases: the steps are not there", cases)
	}
}

// Every question is asked between any two steps of the writer. Nothing changes
// meanwhile, so besides: what is called lost cannot be read, where the loss
// ends something else is said, and nothing inside the bounds is refused.
func TestReadersBetweenTheStepsOfTheWriter(t *testing.T) {
	cases := 0
	for _, s := range pasts() {
		for _, op := range "sBrdx" {
			after := s.build(t).m.clone()
			after.do(op)
			all := questions(after)
			for step := 0; ; step++ {
				x := s.build(t)
				at, where := 0, ""
				x.ring.Inject(func(point string) {
					if at++; at-1 != step {
						return
					}
					where = point
					x.ring.Inject(nil)
					for _, q := range all {
						cases++
						if err := s.check(t, q.do(x), string(op), after); err != nil {
							t.Fatalf("%s: %s before step %d of %q, %s: %v", s.name, q.name, step, op, where, err)
						}
					}
					x.frozen(t, fmt.Sprintf("%s: before step %d of %q, %s", s.name, step, op, where))
				})
				x.do(op)
				x.ring.Inject(nil)
				x.m.do(op)
				x.end(t, s.name)
				if where == "" {
					break
				}
			}
		}
	}
	t.Logf("%d cases", cases)
	if cases < 20_000 {
		t.Errorf("%d cases: the steps are not there", cases)
	}
}

// A copy holds one block besides all that is held by views. With every reader
// in such a copy at once, the writer still finds a free block.
func TestWriterGoesOnWhileEveryReaderCopiesAndHoldsAll(t *testing.T) {
	c := buffer.Config{FrameBytes: frameBytes, Frames: 3, BlockFrames: 1, MaxReaders: 3, MaxPins: 2}
	ring, w := newRing(t, c)
	var readers []*Reader
	for range c.MaxReaders {
		readers = append(readers, mustOpen(t, ring))
	}
	for _, rd := range readers {
		for range c.MaxPins {
			insert(w, 1)
			if v, err := rd.Slice(w.Head()-1, w.Head()); err != nil || !v.Borrowed() {
				t.Fatal(err)
			}
		}
	}
	reached := false
	var copyWith func(rest []*Reader)
	copyWith = func(rest []*Reader) {
		insert(w, 1)
		if len(rest) == 0 {
			reached = true
			insert(w, 500)
			return
		}
		ring.Inject(func(point string) {
			if point == "copy" {
				ring.Inject(nil)
				copyWith(rest[1:])
			}
		})
		at, p := w.Head()-1, make([]byte, frameBytes)
		if n, err := rest[0].place.Copy(p, at); n != 1 || err != nil || wrong(p, at) >= 0 {
			t.Errorf("%d frames, %v", n, err)
		}
	}
	copyWith(readers)
	if !reached {
		t.Error("the copies were not under way")
	}
}
