//go:build chaos

package reader

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// The tests here do whole operations of one side between any two steps of the
// other. All happens in one goroutine, so each case is one certain interleaving
// and fails again when it is run again.

// rig is a ring beside what it must hold.
type rig struct {
	ring *buffer.Ring
	w    *buffer.Writer
	rd   *Reader
	m    model
	held []View // of rd, unchanged to the end
}

// past is what was written before a case begins: s 1 frame of sound, B a whole
// block, d and x a hole of 3 by device and by xrun.
type past struct {
	name   string
	c      buffer.Config
	script string
	primed bool // the reader has looked at the newest frame
	held   int  // views that the reader holds of the newest frames
}

func pasts() []past {
	small := buffer.Config{FrameBytes: frameBytes, Frames: 2, BlockFrames: 2, MaxReaders: 1, MaxPins: 1, Holes: 3}
	wide := buffer.Config{FrameBytes: frameBytes, Frames: 6, BlockFrames: 2, MaxReaders: 2, MaxPins: 2, Holes: 4}
	ones := buffer.Config{FrameBytes: frameBytes, Frames: 2, BlockFrames: 1, MaxReaders: 1, MaxPins: 2, Holes: 3}
	return []past{
		{"young", wide, "ss", true, 0},
		{"lapped", wide, "BBBBBB", true, 0},
		{"lapped, within a block", small, "BBBBs", false, 1},
		{"holes", wide, "BBsdssxB", true, 1},
		{"ends with a hole", ones, "sssxssd", true, 0},
		{"ends with touching holes", ones, "ssssdx", false, 0},
		{"a full log", ones, "sdsxsdsxs", true, 0},
		{"all pins held", ones, "sssss", true, 2},
		{"begins with a hole", small, "dssB", true, 0},
		{"a hole alone", small, "d", false, 0},
		{"nothing", small, "", false, 0},
	}
}

func (s past) build(t testing.TB) *rig {
	ring, w := newRing(t, s.c)
	last := (s.c.Frames + int64(s.c.BlockFrames) - 1) / int64(s.c.BlockFrames)
	x := &rig{ring: ring, w: w, m: model{window: int(last) + 1, block: s.c.BlockFrames, log: s.c.Holes - 1}}
	x.write(s.script)
	x.rd = mustOpen(t, ring)
	for i := range s.held {
		at := x.m.sound[len(x.m.sound)-1-i]
		v, err := x.rd.Slice(at, at+1)
		if err != nil || !v.Borrowed() {
			t.Fatalf("%s: view of %d: %v", s.name, at, err)
		}
		x.held = append(x.held, v)
	}
	if s.primed {
		x.rd.place.Copy(make([]byte, frameBytes), x.m.head-1)
	}
	return x
}

// write does a script on the ring and on the model.
func (x *rig) write(script string) {
	for _, op := range script {
		x.do(op)
		x.m.do(op)
	}
}

func (x *rig) do(op rune) {
	switch op {
	case 's':
		insert(x.w, 1)
	case 'B':
		insert(x.w, x.m.block)
	case 'r': // the loss is known after the room was reserved
		room := x.w.Reserve(1)
		x.w.Skip(2, audio.XRun)
		stamp(room, x.w.Head())
		x.w.Commit(1)
	case 'd':
		x.w.Skip(3, audio.Device)
	case 'x':
		x.w.Skip(3, audio.XRun)
	}
}

func (m *model) do(op rune) { m.steps(op, func() {}) }

// steps does op, and calls seen after each state that it makes.
func (m *model) steps(op rune, seen func()) {
	switch op {
	case 's':
		m.commit(1)
	case 'B': // the writer commits no further than a block goes
		if left := m.block - len(m.sound)%m.block; left < m.block {
			m.commit(left)
			seen()
			m.commit(m.block - left)
		} else {
			m.commit(m.block)
		}
	case 'r':
		m.skip(2, audio.XRun)
		seen()
		m.commit(1)
	case 'd':
		m.skip(3, audio.Device)
	case 'x':
		m.skip(3, audio.XRun)
	}
	seen()
}

// check is what is wrong with an answer that was given while program was done,
// if it is right in none of the states that the stream went through.
func (s past) check(t *testing.T, answer func(before, after *model) error, program string, after *model) error {
	before := s.build(t).m
	err := answer(&before, after)
	if err == nil {
		return nil
	}
	next := before.clone()
	right := false
	for _, op := range program {
		next.steps(op, func() {
			right = right || answer(before.clone(), next) == nil
			before = *next.clone()
		})
	}
	if right {
		return nil
	}
	return err
}

// clone is the model as it is now.
func (m *model) clone() *model {
	c := *m
	c.sound, c.holes = slices.Clone(m.sound), slices.Clone(m.holes)
	return &c
}

// programs are what the writer does between two steps of a reader. The long
// one fills every block of the ring and its spares, the next the log of holes.
func programs(c buffer.Config) []string {
	return []string{"s", "B", "Bs", "d", "x", "r", "sxs", "dd", strings.Repeat("B", 40), strings.Repeat("sd", c.Holes+1), strings.Repeat("dx", c.Holes), strings.Repeat("B", 40) + "dsx"}
}

// asked is a question to a reader and how it is answered. check is told the
// streams as they were before and after the steps that came in between.
type asked struct {
	name string
	do   func(x *rig) (check func(before, after *model) error)
}

// questions are asked about every position that the stream has, and a bit more.
func questions(m *model) (all []asked) {
	for at := audio.Pos(0); at <= m.head+2; at++ {
		all = append(all,
			asked{fmt.Sprintf("Copy at %d", at), func(x *rig) func(before, after *model) error { return x.copies(at, 5) }},
			asked{fmt.Sprintf("Lend at %d", at), func(x *rig) func(before, after *model) error { return x.lends(at, 5) }})
		for _, frames := range []audio.Pos{1, 2, 4, 7} {
			all = append(all,
				asked{fmt.Sprintf("Slice [%d, %d)", at, at+frames), func(x *rig) func(before, after *model) error { return x.slices(at, at+frames) }},
				asked{fmt.Sprintf("Range [%d, %d)", at, at+frames), func(x *rig) func(before, after *model) error { return x.ranges(at, at+frames) }})
		}
		all = append(all, asked{fmt.Sprintf("Stored at %d", at), func(x *rig) func(before, after *model) error { return x.counts(at) }})
	}
	return append(all, asked{"Bounds", (*rig).bounds})
}

func (x *rig) copies(at audio.Pos, room int) func(before, after *model) error {
	p := make([]byte, room*frameBytes)
	n, err := x.rd.place.Copy(p, at)
	return func(before, after *model) error {
		if bad := wrong(p[:n*frameBytes], at); bad >= 0 {
			return fmt.Errorf("wrong from %d", bad)
		}
		return given(at, n, room, err, before, after)
	}
}

func (x *rig) lends(at audio.Pos, room int) func(before, after *model) error {
	v, err := x.rd.place.Lend(at, int64(room))
	return func(before, after *model) error {
		defer v.Release()
		if bad := wrong(v.AppendTo(nil), at); bad >= 0 {
			return fmt.Errorf("wrong from %d, borrowed: %v", bad, v.Borrowed())
		}
		if v.Frames() > 0 && v.Frames() < int64(room) { // fewer may be borrowed
			room = int(v.Frames())
		}
		return given(at, int(v.Frames()), room, err, before, after)
	}
}

// given checks n frames at a position, of room that were wanted, or err.
func given(at audio.Pos, n, room int, err error, before, after *model) error {
	var allowed []string
	for _, m := range []*model{before, after} {
		lost := m.lost(at, 0)
		switch {
		case at >= m.head && n == 0 && err == nil:
			return nil
		case !lost.Empty():
			if n == 0 && loss(err) == lost {
				return nil
			}
			allowed = append(allowed, fmt.Sprint(lost))
		case at < m.head:
			most := min(room, int(m.stretch(at)-at))
			// What follows may have been overwritten after it was looked for.
			gone := n > 0 && n < most && after.lost(at+audio.Pos(n), 0).Cause == audio.Overrun
			if err == nil && (n == most || gone) {
				return nil
			}
			allowed = append(allowed, fmt.Sprintf("%d frames", most))
		}
	}
	return fmt.Errorf("%d frames, %v; allowed: %v", n, err, allowed)
}

// slice is what Slice must say of [i, j).
func (m *model) slice(i, j audio.Pos) answer {
	end := m.stretch(i)
	switch lost := m.lost(i, 0); {
	case !lost.Empty():
		return answer{lost: lost}
	case i < m.head && j > end && end < m.head:
		return answer{lost: m.lost(end, 0)}
	case j > m.head:
		return answer{future: m.head}
	}
	return answer{}
}

func answerOf(err error) answer {
	var future *FutureError
	if errors.As(err, &future) {
		return answer{future: future.Head}
	}
	return answer{lost: loss(err), plain: err != nil && loss(err).Empty()}
}

func (x *rig) slices(i, j audio.Pos) func(before, after *model) error {
	v, err := x.rd.place.Slice(i, j)
	return func(before, after *model) error {
		defer v.Release()
		if bad := wrong(v.AppendTo(nil), i); bad >= 0 || err == nil && int64(len(v.AppendTo(nil))) != int64(j-i)*frameBytes {
			return fmt.Errorf("wrong from %d, borrowed: %v", bad, v.Borrowed())
		}
		return either(err, before.slice(i, j), after.slice(i, j))
	}
}

func either(err error, before, after answer) error {
	got := answerOf(err)
	// A range may be there no more, or not to its end yet, when it is looked at.
	if got == before || got == after {
		return nil
	}
	return fmt.Errorf("%v; allowed: %+v, %+v", err, before, after)
}

func (x *rig) ranges(i, j audio.Pos) func(before, after *model) error {
	p := make([]byte, int(j-i)*frameBytes)
	g, err := x.rd.place.Range(i, j)
	n, cut := 0, error(nil)
	if err == nil {
		n, cut = g.Copy(p)
	}
	return func(before, after *model) error {
		switch bad := wrong(p[:n*frameBytes], i); {
		case bad >= 0:
			return fmt.Errorf("wrong from %d", bad)
		case err != nil:
			return either(err, before.slice(i, j), after.slice(i, j))
		case cut != nil:
			if want := after.lost(i+audio.Pos(n), 0); loss(cut) != want {
				return fmt.Errorf("%d frames, then %v; want %v", n, cut, want)
			}
		case n != int(j-i) || before.slice(i, j) != answer{} && after.slice(i, j) != answer{}:
			return fmt.Errorf("%d frames of what is not there", n)
		}
		return nil
	}
}

func (x *rig) counts(at audio.Pos) func(before, after *model) error {
	n := x.ring.Stored(at)
	return func(before, after *model) error {
		if least, most := before.stored(at), after.stored(at); at <= before.head && at >= before.bounds().From && at >= after.bounds().From && (n < least || n > most) {
			return fmt.Errorf("%d stored; want %d to %d", n, least, most)
		}
		return nil
	}
}

func (x *rig) bounds() func(before, after *model) error {
	b := x.ring.Bounds()
	return func(before, after *model) error {
		low, high := before.bounds(), after.bounds()
		if b.From > b.To || b.From < low.From && b.From < high.From || b.From > high.From && b.From > b.To || b.To != low.To && b.To != high.To {
			return fmt.Errorf("bounds %v; from %v to %v", b, low, high)
		}
		return nil
	}
}

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

// end checks what holds after each case.
func (x *rig) end(t *testing.T, name string) {
	t.Helper()
	for _, v := range x.held {
		if bad := wrong(v.AppendTo(nil), v.Span().From); bad >= 0 {
			t.Fatalf("%s: the view of %v changed", name, v.Span())
		}
	}
	if b := x.ring.Bounds(); b != x.m.bounds() {
		t.Fatalf("%s: bounds %v, want %v", name, b, x.m.bounds())
	}
	x.rd.Close()
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

// frozen checks a ring that stands still between two steps of its writer.
func (x *rig) frozen(t *testing.T, where string) {
	t.Helper()
	look := func(p audio.Pos) answer {
		v, err := x.rd.Slice(p, p+1)
		v.Release()
		return answerOf(err)
	}
	b := x.ring.Bounds()
	for p := audio.Pos(0); p <= x.m.head+5; p++ {
		got := look(p)
		if got.lost.Cause == audio.Overrun && b.Contains(p) {
			t.Fatalf("%s: %d is refused inside of %v", where, p, b)
		}
		if got.lost.Empty() {
			continue
		}
		// The end of a hole that grows is ahead of the head for an instant.
		if last := look(min(got.lost.To, b.To) - 1).lost; last.To != got.lost.To || last.Cause != got.lost.Cause {
			t.Fatalf("%s: %v is called lost, its last frame %v", where, got.lost, last)
		}
		if next := look(got.lost.To); next.lost.Cause == got.lost.Cause && got.lost.Cause == audio.Overrun {
			t.Fatalf("%s: %v is called lost, and then %v", where, got.lost, next.lost)
		}
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
