package reader

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// The stream of the test below is known at every position: 1,000 frames of
// sound, then a hole of 37 by device, and again.
const (
	cellSound = 1000
	cellHole  = 37
	cell      = cellSound + cellHole
)

// tells says whether a loss is what the stream has there.
func tells(l audio.Hole) bool {
	begin := l.From / cell * cell
	if l.Cause == audio.Overrun {
		return l.From < begin+cellSound && l.To <= begin+cellSound
	}
	return l.Cause == audio.Device && l.From >= begin+cellSound && l.To == begin+cell
}

// ways are four ways to follow a stream. Each gives what it has read to take, a
// view or nothing where it has looked itself, until take wants no more.
func ways(t *testing.T) []func(rd *Reader, take func(View, error) bool) {
	return []func(rd *Reader, take func(View, error) bool){
		func(rd *Reader, take func(View, error) bool) { // by copies, in the place of views
			p := make([]byte, 700*frameBytes)
			for at := rd.Pos(); ; at = rd.Pos() {
				n, err := rd.Read(t.Context(), p)
				if bad := wrong(p[:n*frameBytes], at); bad >= 0 || err == nil && (n == 0 || rd.Pos() != at+audio.Pos(n)) {
					t.Errorf("read of %d frames at %d, wrong from %d", n, at, bad)
				}
				if !take(View{}, err) {
					return
				}
			}
		},
		func(rd *Reader, take func(View, error) bool) {
			for more := true; more; {
				v, err := rd.Next(t.Context(), 3000)
				more = take(v, err)
				v.Release()
			}
		},
		func(rd *Reader, take func(View, error) bool) {
			for v, err := range rd.All(t.Context(), 900, 900) {
				if !take(v, err) {
					return
				}
			}
			take(View{}, io.EOF)
		},
		func(rd *Reader, take func(View, error) bool) {
			for more := true; more; {
				v, err := rd.Until(t.Context(), int64(rd.Pos())+5000)
				more = take(v, err)
				v.Release()
			}
		},
	}
}

// One writer that never pauses, and four readers, each with another way to read:
// every byte is right, every loss exact, and both tile the stream.
// INGESTD_STRESS says for how long; see make stress.
func TestFlatOutWithFourReaders(t *testing.T) {
	length := 300 * time.Millisecond
	if s := os.Getenv("INGESTD_STRESS"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	ring, w := newRing(t, buffer.Config{Frames: 1 << 18, Holes: 1 << 19})
	var all sync.WaitGroup
	var written, total atomic.Int64
	for i, follow := range ways(t) {
		rd := mustOpen(t, ring, []Option{Oldest, Margin(0.25), Oldest, Latest}[i])
		all.Go(func() {
			defer rd.Close()
			var delivered, lost, overruns int64
			at := audio.Pos(0)
			follow(rd, func(v View, err error) bool {
				if bad := wrong(v.AppendTo(nil), v.Span().From); bad >= 0 || v.Frames() > 0 && v.Span().From != at {
					t.Errorf("reader %d: view of %v at %d, wrong from %d", i, v.Span(), at, bad)
					return false
				}
				l := loss(err)
				switch {
				case !l.Empty():
					if l.From != at || !tells(l) || rd.Pos() != l.To {
						t.Errorf("reader %d at %d: %v, then at %d", i, at, l, rd.Pos())
						return false
					}
					lost += l.Len()
					if l.Cause == audio.Overrun {
						overruns++
					}
					if l.Cause == audio.Overrun && i%2 == 0 && !outside(rd, l.To-1) { // Oldest gives nothing up
						t.Errorf("reader %d: %v can be read", i, l)
					}
				case err == nil:
					delivered += int64(rd.Pos() - at)
				case !errors.Is(err, io.EOF):
					t.Errorf("reader %d: %v", i, err)
				}
				at = rd.Pos()
				return err == nil || !l.Empty()
			})
			total.Add(delivered)
			if delivered+lost != int64(ring.Head()) {
				t.Errorf("reader %d: %d delivered, %d lost of %d", i, delivered, lost, ring.Head())
			}
			t.Logf("reader %d: %d of %d frames delivered, %d lost, %d overruns", i, delivered, ring.Head(), lost, overruns)
		})
	}
	all.Go(func() {
		defer w.Close(nil)
		for end := time.Now().Add(length); time.Now().Before(end); {
			for range 50 {
				insert(w, cellSound)
				w.Skip(cellHole, audio.Device)
				written.Add(cellSound)
			}
		}
	})
	all.Wait()
	t.Logf("%d frames written", written.Load())
	if total.Load() == 0 {
		t.Error("nothing was delivered: the run shows nothing")
	}
}
