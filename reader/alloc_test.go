package reader

import (
	"context"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

func TestHotPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("left out: the race detector allocates")
	}
	ring, w := newRing(t, buffer.Config{Frames: 1 << 14, BlockFrames: 512})
	rd := mustOpen(t, ring, FromHead)
	ctx, p := context.Background(), make([]byte, 4096)
	frames := len(p) / frameBytes
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"Commit", func() { insert(w, frames) }},
		{"Commit of parts", func() { insert(w, 100) }},
		{"Skip", func() { w.Skip(5, audio.XRun); insert(w, 1) }},
		{"growing Skip", func() { w.Skip(5, audio.XRun) }},
		{"Read", func() {
			insert(w, frames)
			rd.Seek(w.Head() - audio.Pos(frames))
			if n, err := rd.Read(ctx, p); n != frames || err != nil {
				t.Error(n, err)
			}
		}},
		{"borrowed Slice", func() {
			v, err := rd.Slice(w.Head()-audio.Pos(frames), w.Head())
			if err != nil || !v.Borrowed() || len(v.Segments()) == 0 {
				t.Error(err)
			}
			v.Release()
		}},
		{"Peek", func() {
			rd.Seek(w.Head() - audio.Pos(frames))
			if n, err := rd.Peek(ctx, p); n != frames || err != nil {
				t.Error(n, err)
			}
		}},
		{"Next", func() {
			rd.Seek(w.Head() - audio.Pos(frames))
			v, err := rd.Next(ctx, int64(frames))
			if err != nil || !v.Borrowed() {
				t.Error(err)
			}
			v.Release()
		}},
		{"Range, walked", func() {
			g, err := rd.Range(w.Head()-audio.Pos(1<<13), w.Head())
			if err != nil {
				t.Error(err)
			}
			pieces := 0
			for v, err := range g.Pieces() {
				if err != nil || !v.Borrowed() {
					t.Error(err)
				}
				pieces++
			}
			if pieces < 16 {
				t.Errorf("%d pieces", pieces)
			}
		}},
		{"Copy", func() {
			if n, err := rd.Copy(p, w.Head()-audio.Pos(frames)); n != frames || err != nil {
				t.Error(n, err)
			}
		}},
		{"Runs", func() {
			for run := range rd.Runs(w.Head()-audio.Pos(1<<13), w.Head()) {
				if run.Cause != 0 {
					t.Error(run)
				}
			}
		}},
		{"Lag", func() { rd.Lag() }},
		{"Bounds", func() { ring.Bounds() }},
	} {
		if n := testing.AllocsPerRun(1000, c.do); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

// Every reader holds all the blocks it may: the writer goes on, and others
// read the whole window.
func TestStuckReadersStopNobody(t *testing.T) {
	c := buffer.Config{Frames: 32, BlockFrames: 4, MaxReaders: 5, MaxPins: 3}
	ring, w := newRing(t, c)
	var views []View
	var readers []*Reader
	for range c.MaxReaders {
		readers = append(readers, mustOpen(t, ring))
	}
	live := readers[0]
	for len(views) < c.MaxReaders*c.MaxPins {
		insert(w, 4)
		rd := readers[len(views)%c.MaxReaders]
		v, err := rd.Slice(w.Head()-4, w.Head())
		if err != nil || !v.Borrowed() {
			t.Fatal(err)
		}
		views = append(views, v)
	}
	p := make([]byte, 36*frameBytes)
	live.Seek(w.Head())
	round := func() {
		insert(w, 32)
		if n, err := live.Read(t.Context(), p); n != 32 || err != nil {
			t.Fatal(n, err)
		}
		if at := wrong(p[:32*frameBytes], live.Pos()-32); at >= 0 {
			t.Fatalf("wrong from %d", at)
		}
	}
	for range 1000 {
		round()
	}
	if n := testing.AllocsPerRun(100, round); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	for _, v := range views {
		if at := wrong(v.AppendTo(nil), v.Span().From); at >= 0 {
			t.Errorf("view of %v is wrong from %d", v.Span(), at)
		}
	}
	v, err := live.Slice(w.Head()-4, w.Head())
	if err != nil || v.Borrowed() {
		t.Errorf("a reader whose pins are all in use borrowed once more: %v", err)
	}
	if at := wrong(v.AppendTo(nil), v.Span().From); at >= 0 {
		t.Errorf("copy is wrong from %d", at)
	}
	for _, rd := range readers {
		rd.Close()
	}
	if views[0].Segments() != nil {
		t.Error("a view outlived its reader")
	}
}
