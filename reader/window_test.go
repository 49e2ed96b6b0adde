package reader

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// TestSeed_S11: windows of a length, at a distance.
func TestSeed_S11(t *testing.T) {
	for _, c := range []struct {
		frames, hop int64
		want        []audio.Span // before, between and behind the hole [20, 30), up to 37
	}{
		{5, 5, []audio.Span{span(0, 5), span(5, 10), span(10, 15), span(15, 20), span(20, 30), span(30, 35), span(35, 37)}},
		{8, 8, []audio.Span{span(0, 8), span(8, 16), span(16, 20), span(20, 30), span(30, 37)}},
		{10, 5, []audio.Span{span(0, 10), span(5, 15), span(10, 20), span(20, 30), span(30, 37)}},
		{4, 3, []audio.Span{span(0, 4), span(3, 7), span(6, 10), span(9, 13), span(12, 16), span(15, 19), span(18, 20), span(20, 30), span(30, 34), span(33, 37)}},
		{2, 9, []audio.Span{span(0, 2), span(9, 11), span(18, 20), span(27, 30), span(30, 32)}},
	} {
		synctest.Test(t, func(t *testing.T) {
			ring, w := newRing(t, buffer.Config{Frames: 60, BlockFrames: 4, MaxPins: 2})
			rd := mustOpen(t, ring)
			var got []audio.Span
			go func() {
				for v, err := range rd.All(t.Context(), c.frames, c.hop) {
					if l := loss(err); !l.Empty() {
						got = append(got, l.Span)
						continue
					}
					if at := wrong(v.AppendTo(nil), v.Span().From); err != nil || at >= 0 || v.Frames() == 0 {
						t.Errorf("window %v: %v, wrong from %d", v.Span(), err, at)
					}
					got = append(got, v.Span())
				}
			}()
			insert(w, 7)
			synctest.Wait()
			insert(w, 13)
			synctest.Wait()
			w.Skip(10, audio.Device)
			for range 7 {
				insert(w, 1)
				synctest.Wait()
			}
			w.Close(nil)
			synctest.Wait()
			if !slices.Equal(got, c.want) {
				t.Errorf("%d every %d:\ngot  %v\nwant %v", c.frames, c.hop, got, c.want)
			}
		})
	}
	ring, _ := newRing(t, buffer.Config{Frames: 60, BlockFrames: 4})
	rd := mustOpen(t, ring)
	for _, bad := range [][2]int64{{0, 1}, {1, 0}, {61, 1}, {-1, 1}} {
		given := 0
		for v, err := range rd.All(t.Context(), bad[0], bad[1]) {
			if given++; err == nil || v.Frames() != 0 {
				t.Errorf("windows of %v: %v, %v", bad, v.Span(), err)
			}
		}
		if given != 1 {
			t.Errorf("windows of %v: %d errors", bad, given)
		}
	}
}

func TestWindowsEndWithTheLoopTheContextAndFail(t *testing.T) {
	ring, w := newRing(t, buffer.Config{Frames: 20, BlockFrames: 1})
	rd := mustOpen(t, ring, Fail)
	insert(w, 20)
	for v, err := range rd.All(t.Context(), 4, 2) {
		if err != nil || v.Span() != span(0, 4) {
			t.Errorf("%v, %v", v.Span(), err)
		}
		break
	}
	if rd.Pos() != 2 {
		t.Errorf("left at %d, want behind the first hop", rd.Pos())
	}
	insert(w, 50)
	given := 0
	for _, err := range rd.All(t.Context(), 4, 2) {
		if given++; loss(err) != overrun(2, ring.Bounds().From).lost {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rd.Seek(ring.Head() - 4)
	for v, err := range rd.All(ctx, 4, 4) {
		if given++; err != nil && err != context.Canceled || err == nil && v.Frames() != 4 {
			t.Errorf("%v, %v", v.Span(), err)
		}
		cancel()
	}
	if given != 3 {
		t.Errorf("%d were given, want a loss that stays, a window, the end of the context", given)
	}
}

// The data of all sensors in [bt, tt), for one window of time after another: a hole is told
// for the sensor that has it and for no other.
func TestGatherAsksSeveralReadersOneQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rates := []int{8000, 44100, 96000}
		var rs []*Reader
		var ws []*buffer.Writer
		for _, rate := range rates {
			ring, w := newRing(t, buffer.Config{Frames: int64(10 * rate)})
			rs, ws = append(rs, mustOpen(t, ring, Keys(Millis(0, rate)))), append(ws, w)
		}
		go func() {
			for range 4 { // seconds
				for i, w := range ws {
					if i == 1 && w.Head() == 88200 { // the third second of the second sensor begins with a hole
						w.Skip(100, audio.XRun)
						insert(w, rates[i]-100)
						continue
					}
					insert(w, rates[i])
					synctest.Wait()
				}
			}
		}()
		for bt := int64(0); bt < 4000; bt += 2000 {
			for i, part := range Gather(t.Context(), rs, bt, bt+2000) {
				want := span(audio.Pos(bt)*audio.Pos(rates[i])/1000, audio.Pos(bt+2000)*audio.Pos(rates[i])/1000)
				if i == 1 && bt == 2000 {
					if loss(part.Err) != (audio.Hole{Span: span(88200, 88300), Cause: audio.XRun}) {
						t.Errorf("sensor %d from %d ms: %v", i, bt, part.Err)
					}
					continue
				}
				if part.Err != nil || part.View.Span() != want || wrong(part.View.AppendTo(nil), want.From) >= 0 {
					t.Errorf("sensor %d from %d ms: %v, %v; want %v", i, bt, part.View.Span(), part.Err, want)
				}
				part.View.Release()
			}
		}
		ws[0].Close(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for i, part := range Gather(ctx, rs, 3999, 5000) {
			if i == 0 && (part.Err != io.EOF || part.View.Frames() != 8) || i > 0 && part.Err != context.DeadlineExceeded {
				t.Errorf("sensor %d: %v, %v", i, part.View.Span(), part.Err)
			}
		}
	})
}
