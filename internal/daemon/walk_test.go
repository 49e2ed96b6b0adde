package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// countedOpens counts how often a source is opened and closed.
type countedOpens struct {
	opens, closes atomic.Int64
	most          atomic.Int64 // ever open at once
}

type countedSource struct {
	source.Source
	c      *countedOpens
	closed bool
}

// of counts the sources that open makes.
func (c *countedOpens) of(open func(context.Context, source.Admit) (source.Source, error)) func(context.Context, source.Admit) (source.Source, error) {
	return func(ctx context.Context, admit source.Admit) (source.Source, error) {
		src, err := open(ctx, admit)
		if err != nil {
			return nil, err
		}
		c.most.Store(max(c.most.Load(), c.opens.Add(1)-c.closes.Load()))
		return &countedSource{Source: src, c: c}, nil
	}
}

func (s *countedSource) Close() error {
	if !s.closed {
		s.closed = true
		s.c.closes.Add(1)
	}
	return s.Source.Close()
}

// want compares the counts, when nothing moves.
func (c *countedOpens) want(t *testing.T, when string, opens, closes int64) {
	t.Helper()
	synctest.Wait()
	if o, e, most := c.opens.Load(), c.closes.Load(), c.most.Load(); o != opens || e != closes || most > 1 {
		t.Errorf("%s: opened %d times and closed %d times, at most %d at once; want %d, %d, 1", when, o, e, most, opens, closes)
	}
}

// during runs a daemon while do lasts, stops it and waits for its end.
func (b *bench) during(do func(d *Daemon)) *Daemon {
	b.t.Helper()
	d, err := New(b.t.Context(), b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := d.Register(); err != nil {
		b.t.Fatal(err)
	}
	stop, cancel := context.WithCancel(b.t.Context())
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() {
		if err := d.Run(stop, b.t.Context()); err != nil {
			b.t.Error(err)
		}
	})
	synctest.Wait()
	do(d)
	cancel()
	wait.Wait()
	return d
}

// A stretch is what lies between two positions: sound, or a hole.
type stretch struct {
	audio.Span
	cause audio.Cause // 0: sound
}

func (s stretch) String() string {
	if s.cause == 0 {
		return fmt.Sprintf("sound %v", s.Span)
	}
	return fmt.Sprintf("%v %v", s.cause, s.Span)
}

// A walker reads a sensor that plays the ramp, and takes note of what it meets.
// Behind a hole the ramp begins anew, since the source was opened anew.
type walker struct {
	t *testing.T
	*reader.Reader
	ramp  audio.Pos // of the next frame
	met   []stretch
	ended bool // by io.EOF
}

// walk opens a reader of a sensor.
func walk(t *testing.T, d *Daemon, sensor string, opts ...reader.Option) *walker {
	t.Helper()
	r, err := d.Listen(sensor, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return &walker{t: t, Reader: r, ramp: -1}
}

// to reads up to a position, or to the end of the stream.
func (w *walker) to(pos audio.Pos) {
	w.t.Helper()
	buf := make([]byte, 1<<12)
	for w.Pos() < pos {
		at := w.Pos()
		n, err := w.Read(w.t.Context(), buf[:min(len(buf)/mono.FrameBytes(), int(pos-at))*mono.FrameBytes()])
		var lost *reader.LostError
		switch {
		case err == io.EOF:
			w.ended = true
			return
		case errors.As(err, &lost):
			w.note(stretch{lost.Lost, lost.Cause})
			w.ramp = 0
		case err != nil:
			w.t.Fatal(err)
		default:
			w.check(buf[:n*mono.FrameBytes()])
			w.note(stretch{Span: audio.Span{From: at, To: at + audio.Pos(n)}})
		}
	}
}

// check compares sound with the ramp.
func (w *walker) check(pcm []byte) {
	w.t.Helper()
	if w.ramp < 0 { // it came in the middle
		at, err := tone.RampPos(mono, pcm[:mono.FrameBytes()])
		if err != nil {
			w.t.Fatal(err)
		}
		w.ramp = at
	}
	if err := tone.CheckRamp(mono, w.ramp, pcm); err != nil {
		w.t.Fatal(err)
	}
	w.ramp += audio.Pos(len(pcm) / mono.FrameBytes())
}

// note adds what was met, which begins where the last ended.
func (w *walker) note(s stretch) {
	w.t.Helper()
	last := len(w.met) - 1
	switch {
	case last >= 0 && w.met[last].To != s.From:
		w.t.Fatalf("%v follows %v", s, w.met[last])
	case last >= 0 && w.met[last].cause == s.cause:
		w.met[last].To = s.To
	default:
		w.met = append(w.met, s)
	}
}

// frames is how many of mono a time has.
func frames(d time.Duration) audio.Pos { return audio.Pos(mono.Frames(d)) }

// wantMet compares what a walker met.
func (w *walker) wantMet(want ...stretch) {
	w.t.Helper()
	if !slices.Equal(w.met, want) {
		w.t.Errorf("met  %v\nwant %v", w.met, want)
	}
}

// sound and off are stretches between two times of the session.
func sound(from, to time.Duration) stretch {
	return stretch{Span: audio.Span{From: frames(from), To: frames(to)}}
}

func off(from, to time.Duration) stretch {
	return stretch{audio.Span{From: frames(from), To: frames(to)}, audio.Stopped}
}
