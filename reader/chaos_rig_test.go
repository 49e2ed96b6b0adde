//go:build chaos

package reader

import (
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
	held []View // of rd, unchanged to the end, a block each
	pins int
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
	x := &rig{ring: ring, w: w, pins: s.c.MaxPins, m: model{window: int(last) + 1, block: s.c.BlockFrames, log: s.c.Holes - 1}}
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
