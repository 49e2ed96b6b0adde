package reader

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// sensor is a ring with a reader to be merged, beside what was written. Frame
// p of sensor i holds mix(p + i<<40).
type sensor struct {
	index int
	w     *buffer.Writer
	rd    *Reader
	cause []audio.Cause // of each position, 0 for sound
}

func newSensor(t testing.TB, index int, c buffer.Config, opts ...Option) *sensor {
	t.Helper()
	ring, w := newRing(t, c)
	return &sensor{index: index, w: w, rd: mustOpen(t, ring, opts...)}
}

func (s *sensor) base() audio.Pos { return audio.Pos(s.index) << 40 }

func (s *sensor) write(one step) {
	for range one.frames {
		s.cause = append(s.cause, one.cause)
	}
	if one.cause != 0 {
		s.w.Skip(one.frames, one.cause)
		return
	}
	for left := int(one.frames); left > 0; {
		room := s.w.Reserve(left)
		stamp(room, s.base()+s.w.Head())
		s.w.Commit(len(room) / frameBytes)
		left -= len(room) / frameBytes
	}
}

// run is the end of the sound or hole that p is in.
func (s *sensor) run(p audio.Pos) audio.Pos {
	end := p + 1
	for int(end) < len(s.cause) && s.cause[end] == s.cause[p] {
		end++
	}
	return end
}

// place is where position p of the sensor belongs, by the arithmetic of floats.
func (s *sensor) place(window int64, p audio.Pos) rank {
	key, err := s.rd.Keys().Key(p)
	if err != nil {
		return highest
	}
	return rank{int64(math.Floor(float64(key) / float64(max(1, window)))), s.index}
}

func readersOf(sensors []*sensor) (rs []*Reader) {
	for _, s := range sensors {
		rs = append(rs, s.rd)
	}
	return rs
}

// A piece is an item without its sound.
type piece struct {
	index int
	audio.Span
	cause audio.Cause
	late  bool
}

func (p piece) String() string {
	return fmt.Sprintf("%d: %v %v late: %v", p.index, p.Span, p.cause, p.late)
}

// merged is what a merge gave, checked as it comes.
type merged struct {
	sensors []*sensor
	options MergeOptions
	pieces  []piece
	aside   []int         // who was set aside, in order
	behind  map[int]bool  // who is set aside, has not caught up, or is broken
	told    map[int]error // the errors of readers
	at      []audio.Pos   // where each reader must be
	front   rank
	view    View
	word    func(int) error // asked of each that is set aside whether it may be
	wrong   error           // the first thing that was

	mu *sync.Mutex // guards all that changes
}

func newMerged(o MergeOptions, sensors ...*sensor) *merged {
	return &merged{sensors: sensors, options: o, told: map[int]error{}, behind: map[int]bool{}, at: make([]audio.Pos, len(sensors)), front: lowest, word: func(int) error { return nil }, mu: new(sync.Mutex)}
}

// all runs a merge until it ends.
func (x *merged) all(ctx context.Context) {
	for item, err := range Merge(ctx, readersOf(x.sensors), x.options) {
		x.mu.Lock()
		if err != nil {
			if x.told[item.Reader] != nil {
				x.fail("reader %d: told %v and then %v", item.Reader, x.told[item.Reader], err)
			}
			x.told[item.Reader], x.behind[item.Reader] = err, true
		} else {
			x.add(item)
		}
		x.mu.Unlock()
	}
	x.released()
}

// now is what a merge that is under way has given.
func (x *merged) now() merged {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := *x
	now.at, now.told = slices.Clone(x.at), maps.Clone(x.told)
	return now
}

func (x *merged) fail(format string, args ...any) {
	if x.wrong == nil {
		x.wrong = fmt.Errorf("item %d: "+format, append([]any{len(x.pieces)}, args...)...)
	}
}

func (x *merged) released() {
	if x.view.Borrowed() && x.view.Segments() != nil {
		x.fail("the view of %v is held behind its step", x.view.Span())
	}
}

// add checks what holds for every item: its sound and its key, that it follows
// the one before of its reader, that no other reader has moved, that it is Late
// or in order.
func (x *merged) add(item Item) {
	x.released()
	x.view = item.View
	if item.Late && item.Lost == nil && item.View.Frames() == 0 {
		if x.behind[item.Reader] {
			x.fail("reader %d is set aside again", item.Reader)
		}
		x.aside, x.behind[item.Reader] = append(x.aside, item.Reader), true
		if err := x.word(item.Reader); err != nil {
			x.fail("reader %d is set aside: %w", item.Reader, err)
		}
		return
	}
	s := x.sensors[item.Reader]
	one := piece{index: item.Reader, Span: item.View.Span(), late: item.Late}
	if item.Lost != nil {
		one.Span, one.cause = item.Lost.Lost, item.Lost.Cause
	}
	key, err := s.rd.Keys().Key(one.From)
	sound := item.View.AppendTo(nil)
	switch {
	case one.From != x.at[one.index] || one.Empty():
		x.fail("%v of reader %d, which is at %d", one.Span, one.index, x.at[one.index])
	case err != nil || item.Key != key:
		x.fail("key %d of %v, want %d, %v", item.Key, one, key, err)
	case item.Lost == nil && (one.Len() > max(x.options.Hop, 1) && x.options.Hop > 0 || len(sound) != int(one.Len())*frameBytes || wrong(sound, s.base()+one.From) >= 0):
		x.fail("%d bytes of sound for %v", len(sound), one)
	case item.Lost != nil && item.View.Frames() > 0:
		x.fail("%v is lost and has sound", one)
	}
	x.at[one.index] = one.To
	for i, s := range x.sensors {
		if s.rd.Pos() != x.at[i] {
			x.fail("reader %d is at %d, it gave what is before %d", i, s.rd.Pos(), x.at[i])
		}
	}
	x.order(one)
	x.pieces = append(x.pieces, one)
}

// order checks that one is Late or in order, and that nothing which is waited
// for comes before it.
func (x *merged) order(one piece) {
	s, window := x.sensors[one.index], x.options.Window
	first, last := s.place(window, one.From), s.place(window, one.To-1)
	if one.cause != 0 {
		last = first
	}
	if window > 0 && first != last {
		x.fail("%v goes from window %d to %d", one, first.window, last.window)
	}
	if one.late != last.before(x.front) || one.late != first.before(x.front) || one.late && !x.behind[one.index] {
		x.fail("%v, from %v to %v, behind %v", one, first, last, x.front)
	}
	for i, other := range x.sensors {
		over := other.rd.Ring().Closed() && other.rd.Ring().Head() == x.at[i]
		if next := other.place(window, x.at[i]); i != one.index && !one.late && !x.behind[i] && !over && next.before(last) {
			x.fail("%v goes up to %v, reader %d is at %v", one, last, i, next)
		}
	}
	if !one.late {
		x.front = last
	}
	x.behind[one.index] = one.late && s.place(window, one.To).before(x.front)
}

// frames is every frame and every beginning of a loss, one by one.
func frames(pieces []piece) (all []piece) {
	for _, one := range pieces {
		if one.cause != 0 {
			all = append(all, one)
			continue
		}
		for p := one.From; p < one.To; p++ {
			all = append(all, piece{index: one.index, Span: span(p, p+1), late: one.late})
		}
	}
	return all
}

// sorted is the same of all that was written, sorted afterwards.
func sorted(sensors []*sensor, window int64) []piece {
	var all []piece
	for _, s := range sensors {
		for p := audio.Pos(0); int(p) < len(s.cause); {
			end := p + 1
			if s.cause[p] != 0 {
				end = s.run(p)
			}
			all = append(all, piece{index: s.index, Span: span(p, end), cause: s.cause[p]})
			p = end
		}
	}
	slices.SortStableFunc(all, func(a, b piece) int {
		i, j := sensors[a.index].place(window, a.From), sensors[b.index].place(window, b.From)
		switch {
		case i.before(j):
			return -1
		case j.before(i):
			return 1
		}
		return 0
	})
	return all
}

// mayGive moves at to what can be given: all whose place is not behind that of
// a frame that can still come.
func (x *merged) mayGive(at []audio.Pos) {
	until := highest
	for _, s := range x.sensors {
		if head := s.place(x.options.Window, s.w.Head()); !s.rd.Ring().Closed() && head.before(until) {
			until = head
		}
	}
	for i, s := range x.sensors {
		for at[i] < s.w.Head() && !until.before(s.place(x.options.Window, at[i])) {
			if s.cause[at[i]] == 0 {
				at[i]++
			} else {
				at[i] = s.run(at[i])
			}
		}
	}
}
