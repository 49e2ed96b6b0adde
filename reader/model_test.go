package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"pgregory.net/rapid"
)

// tracked is a reader beside what it must do.
type tracked struct {
	rd     *Reader
	policy string
	pos    audio.Pos
	resume audio.Pos
	failed bool
	views  []View
}

func TestReaderAgreesWithPlainSlice(t *testing.T) {
	for _, block := range []int{1, 2, 4, 8} {
		for _, holes := range []int{2, 5, 100} {
			t.Run(fmt.Sprintf("block %d holes %d", block, holes), func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) { runModel(t, block, holes) })
			})
		}
	}
}

func runModel(t *rapid.T, block, holes int) {
	c := buffer.Config{
		FrameBytes: frameBytes, BlockFrames: block, Holes: holes, MaxReaders: rapid.IntRange(1, 3).Draw(t, "readers"),
		MaxPins: rapid.IntRange(1, 3).Draw(t, "pins"), Frames: rapid.Int64Range(1, 40).Draw(t, "frames"),
	}
	ring, err := buffer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ring.Writer()
	if err != nil {
		t.Fatal(err)
	}
	x := &machine{ring: ring, w: w, c: c, m: model{window: (int(c.Frames)+block-1)/block + 1, block: block, log: holes - 1}}
	for range 4 { // a stream to begin with
		x.write(t)
	}
	x.open(t)
	t.Repeat(map[string]func(*rapid.T){
		"write": x.write, "write much": x.write, "skip": x.skip, "open": x.open, "fork": x.fork, "close": x.close,
		"read": x.read, "read again": x.read, "read more": x.read, "write more": x.write, "seek": x.seek, "slice": x.slice, "slice again": x.slice, "release": x.release, "end": x.end, "": x.check,
	})
}

type machine struct {
	ring    *buffer.Ring
	w       *buffer.Writer
	c       buffer.Config
	m       model
	readers []*tracked
	over    bool
	peeks   bool // the read under way
	lent    bool
}

func (x *machine) write(t *rapid.T) {
	if x.over {
		t.Skip("closed")
	}
	room := x.w.Reserve(rapid.IntRange(1, 20).Draw(t, "room"))
	if rapid.Bool().Draw(t, "twice") {
		if again := x.w.Reserve(len(room) / frameBytes); &again[0] != &room[0] || len(again) != len(room) {
			t.Fatal("reserved twice, another place")
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "loses") == 0 { // the source learns of a loss after the room was reserved
		x.skip(t)
	}
	frames := rapid.IntRange(0, len(room)/frameBytes).Draw(t, "frames")
	stamp(room, x.w.Head())
	x.w.Commit(frames)
	x.m.commit(frames)
}

func (x *machine) skip(t *rapid.T) {
	if x.over {
		t.Skip("closed")
	}
	n := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 1<<40)).Draw(t, "skipped")
	c := rapid.SampledFrom([]audio.Cause{audio.XRun, audio.Device}).Draw(t, "cause")
	x.w.Skip(n, c)
	x.m.skip(n, c)
}

func (x *machine) end(t *rapid.T) {
	if rapid.IntRange(0, 20).Draw(t, "end") == 0 {
		x.w.Close(nil)
		x.over = true
	}
}

func (x *machine) policy(t *rapid.T) (string, Option) {
	name := rapid.SampledFrom([]string{"oldest", "latest", "margin", "fail"}).Draw(t, "policy")
	return name, map[string]Option{"oldest": Oldest, "latest": Latest, "margin": Margin(0.5), "fail": Fail}[name]
}

func (x *machine) took(t *rapid.T, rd *Reader, err error, policy string, pos audio.Pos) {
	if full := len(x.readers) == x.c.MaxReaders; full != errors.Is(err, ErrTooManyReaders) || !full && err != nil {
		t.Fatalf("%v with %d readers of %d", err, len(x.readers), x.c.MaxReaders)
	} else if !full {
		x.readers = append(x.readers, &tracked{rd: rd, policy: policy, pos: pos})
	}
}

func (x *machine) open(t *rapid.T) {
	name, policy := x.policy(t)
	rd, err := Open(x.ring, policy)
	x.took(t, rd, err, name, x.m.bounds().From)
}

func (x *machine) one(t *rapid.T) *tracked {
	if len(x.readers) == 0 {
		t.Skip("no reader")
	}
	return x.readers[rapid.IntRange(0, len(x.readers)-1).Draw(t, "reader")]
}

func (x *machine) fork(t *rapid.T) {
	from := x.one(t)
	rd, err := from.rd.Fork()
	x.took(t, rd, err, from.policy, from.pos)
}

func (x *machine) close(t *rapid.T) {
	one := x.one(t)
	one.rd.Close()
	one.rd.Close()
	x.readers = slices.DeleteFunc(x.readers, func(o *tracked) bool { return o == one })
	if _, err := one.rd.Slice(0, 1); err != ErrClosed {
		t.Fatalf("slice of a closed reader: %v", err)
	}
}

// near draws a position about what is held.
func (x *machine) near(t *rapid.T) audio.Pos {
	edges := []audio.Pos{0, x.m.bounds().From, x.m.head}
	for _, h := range x.m.known() {
		edges = append(edges, h.From, h.To)
	}
	if s := x.m.sound; len(s) > 0 {
		edges = append(edges, s[len(s)/2])
	}
	return max(0, rapid.SampledFrom(edges).Draw(t, "edge")+audio.Pos(rapid.IntRange(-9, 9).Draw(t, "off")))
}

func (x *machine) seek(t *rapid.T) {
	one := x.one(t)
	one.pos, one.resume, one.failed = x.near(t), 0, false
	one.rd.Seek(one.pos)
}

func (x *machine) read(t *rapid.T) {
	one := x.one(t)
	p := make([]byte, rapid.IntRange(frameBytes, 30*frameBytes).Draw(t, "bytes"))
	want := x.m.lost(one.pos, one.resume)
	if want.Cause == audio.Overrun && one.pos >= one.resume {
		if one.resume = x.m.resumeOf(one.policy); one.policy == "fail" {
			one.resume = 0
		}
		want = x.m.lost(one.pos, one.resume)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if want.Empty() && one.pos >= x.m.head && !x.over {
		cancel() // it would wait
	}
	if one.failed {
		want = audio.Hole{}
	}
	n, err := x.take(ctx, t, one, p)
	moves := n
	if x.peeks {
		moves = 0
	}
	switch {
	case one.failed:
		if loss(err).Empty() {
			t.Fatalf("%d frames, %v, want the loss that stays", n, err)
		}
	case !want.Empty():
		if n != 0 || loss(err) != want {
			t.Fatalf("at %d: %d frames, %v, want %v", one.pos, n, err, want)
		}
		if one.failed = one.policy == "fail" && want.Cause == audio.Overrun; !one.failed && !x.peeks {
			one.pos = want.To
		}
	case one.pos >= x.m.head:
		if end := map[bool]error{true: io.EOF, false: context.Canceled}[x.over]; n != 0 || err != end {
			t.Fatalf("at the head: %d frames, %v, want %v", n, err, end)
		}
	default:
		frames := min(len(p)/frameBytes, int(x.m.stretch(one.pos)-one.pos))
		if x.lent && n < frames && n > 0 { // as many blocks as may be borrowed
			frames = n
		}
		if n != frames || err != nil || wrong(p[:n*frameBytes], one.pos) >= 0 {
			t.Fatalf("at %d: %d frames, %v, want %d; wrong from %d", one.pos, n, err, frames, wrong(p[:n*frameBytes], one.pos))
		}
		one.pos += audio.Pos(moves)
	}
}

// take reads in one of the ways that there are.
func (x *machine) take(ctx context.Context, t *rapid.T, one *tracked, p []byte) (frames int, err error) {
	way := rapid.SampledFrom([]string{"read", "peek", "next"}).Draw(t, "way")
	x.peeks, x.lent = way == "peek", way == "next"
	switch way {
	case "read":
		return one.rd.Read(ctx, p)
	case "peek":
		return one.rd.Peek(ctx, p)
	}
	v, err := one.rd.Next(ctx, int64(len(p)/frameBytes))
	copy(p, v.AppendTo(nil))
	if err == nil {
		one.views = append(one.views, v)
	}
	return int(v.Frames()), err
}

func (x *machine) slice(t *rapid.T) {
	one := x.one(t)
	for range rapid.IntRange(1, 4).Draw(t, "slices") {
		x.sliceOnce(t, one)
	}
}

func (x *machine) sliceOnce(t *rapid.T, one *tracked) {
	i := x.near(t)
	j := i + audio.Pos(rapid.IntRange(0, 30).Draw(t, "frames"))
	v, err := one.rd.Slice(i, j)
	var future *FutureError
	end := x.m.stretch(i)
	want := x.m.lost(i, 0)
	switch {
	case i == j:
		if err != nil || v.Frames() != 0 {
			t.Fatalf("empty slice at %d: %v", i, err)
		}
		return
	case want.Empty() && j > end && end < x.m.head && i < end:
		want = x.m.lost(end, 0)
	}
	switch {
	case !want.Empty():
		if loss(err) != want {
			t.Fatalf("slice [%d, %d): %v, want %v", i, j, err, want)
		}
	case j > x.m.head:
		if !errors.As(err, &future) || future.Head != x.m.head {
			t.Fatalf("slice [%d, %d): %v, want the head %d", i, j, err, x.m.head)
		}
	default:
		if err != nil || v.Frames() != int64(j-i) {
			t.Fatalf("slice [%d, %d): %v", i, j, err)
		}
		one.views = append(one.views, v)
	}
}

func (x *machine) release(t *rapid.T) {
	one := x.one(t)
	if len(one.views) == 0 {
		t.Skip("no view")
	}
	i := rapid.IntRange(0, len(one.views)-1).Draw(t, "view")
	v := one.views[i]
	one.views = slices.Delete(one.views, i, i+1)
	v.Release()
	v.Release()
	if v.Borrowed() && v.Segments() != nil {
		t.Fatal("a released view has segments")
	}
}

// check is what holds after each step.
func (x *machine) check(t *rapid.T) {
	if b := x.ring.Bounds(); b != x.m.bounds() {
		t.Fatalf("bounds %v, want %v", b, x.m.bounds())
	}
	s := x.ring.Stats()
	if s.Stored != int64(len(x.m.sound)) || s.Holes != int64(len(x.m.holes)) || s.Readers != len(x.readers) || s.Window < int64(len(x.m.readable())) {
		t.Fatalf("%+v: %d stored, %d holes, %d readers", s, len(x.m.sound), len(x.m.holes), len(x.readers))
	}
	for _, p := range x.m.readable() {
		if n := x.ring.Stored(p); n != x.m.stored(p) || x.ring.PosOf(n) != p {
			t.Fatalf("frame %d is stored as %d, want %d; that lies at %d", p, n, x.m.stored(p), x.ring.PosOf(n))
		}
	}
	for _, one := range x.readers {
		if one.rd.Pos() != one.pos {
			t.Fatalf("cursor at %d, want %d", one.rd.Pos(), one.pos)
		}
		if lag := int64(len(x.m.sound)) - x.m.stored(one.pos); one.pos >= x.m.bounds().From && one.rd.Lag() != lag {
			t.Fatalf("lag %d, want %d", one.rd.Lag(), lag)
		}
		borrowed := 0
		for _, v := range one.views {
			if got := v.AppendTo(nil); int64(len(got)) != v.Frames()*frameBytes || wrong(got, v.Span().From) >= 0 {
				t.Fatalf("view of %v changed at %d", v.Span(), wrong(got, v.Span().From))
			}
			if v.Borrowed() {
				borrowed += len(v.Segments())
			}
		}
		if borrowed > x.c.MaxPins {
			t.Fatalf("%d blocks borrowed, %d allowed", borrowed, x.c.MaxPins)
		}
	}
}
