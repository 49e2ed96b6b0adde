//go:build unix

package pipe

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// tb is a *testing.T or a *rapid.T.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// worldFormat is the sound of a world's feeder. Each frame begins with its own
// number, and lasts 2 ms; a pipe holds about a second of them.
var worldFormat = audio.Format{Rate: 500, Channels: 32, Encoding: audio.S32}

// frames is how many last so long, in a world.
func frames(d time.Duration) int64 { return worldFormat.Frames(d) }

// A world has a clock that stands still but in Sleep, a feeder that lives by
// it, and somebody who reads the pipe as the daemon does. It knows what the
// feeder lost: each frame says when it was captured.
type world struct {
	clock.Clock // nil: the rest is not asked

	t      tb
	path   string
	now    int64
	feeder *feeder
	pace   func(until int64) int64 // when a Sleep ends; nil: at its time
	hasty  bool                    // it gives up most reads that sleep, and tries some that have ended

	naps   int
	warns  int
	faults int
	pos    int64 // the frames delivered and lost
	end    int64 // At of the last packet
	from   int64 // number of the first frame
	holes  []span
	off    span // how far a frame's position was from its number, at least and at most
	dated  span // ns that a packet was dated later than its last frame was captured, at least and at most
}

// span is a range, or what is lost: where, and how much.
type span struct{ from, to int64 }

func (w *world) Monotonic() int64 { return w.now }
func (w *world) UTC() time.Time   { return time.Unix(0, w.now).UTC() }

func (w *world) Sleep(ctx context.Context, until int64) error {
	if w.pace != nil {
		until = w.pace(until)
	}
	for w.feeder.next <= until {
		w.now = max(w.now, w.feeder.next)
		w.feeder.act(w.now)
	}
	w.now = max(w.now, until)
	if w.naps++; w.hasty && w.naps%3 != 0 {
		return context.Canceled
	}
	return ctx.Err()
}

// A feeder writes what it captured in pieces, each when its last frame was
// captured, or late.
type feeder struct {
	t      tb
	path   string
	piece  time.Duration
	ppm    int64
	reopen bool                           // it opens the pipe for each piece
	leaves bool                           // it closes the pipe while it is away
	late   func(from int64) time.Duration // how late the piece is that begins with that frame; nil: never
	away   []span                         // the frames that it does not capture
	drops  bool                           // what the pipe does not take at once
	wakes  time.Duration                  // how long it takes to see that there is room again; 0: 1 ms

	born    int64 // ns at which frame 0 began
	pos     int64 // the next frame
	next    int64 // ns at which there is something to do
	fd      int   // -1: it has not opened the pipe
	backlog []byte
}

// due is when the feeder has captured so many frames.
func (f *feeder) due(n int64) int64 {
	ns := int64(worldFormat.Duration(n))
	return f.born + ns - ns/1e6*f.ppm
}

// ahead is the end of the next piece, and when it is written.
func (f *feeder) ahead() (end, at int64) {
	for len(f.away) > 0 && f.pos >= f.away[0].from {
		f.pos, f.away = f.away[0].to, f.away[1:]
		if f.leaves {
			f.close()
		}
	}
	end = f.pos + frames(f.piece)
	if len(f.away) > 0 {
		end = min(end, f.away[0].from)
	}
	at = f.due(end)
	if f.late != nil {
		at += int64(f.late(f.pos))
	}
	return end, at
}

// act writes what is due.
func (f *feeder) act(now int64) {
	for {
		end, at := f.ahead()
		if at > now {
			f.next = at
			break
		}
		for ; f.pos < end; f.pos++ {
			had, size := len(f.backlog), worldFormat.FrameBytes()
			f.backlog = slices.Grow(f.backlog, size)[:had+size]
			binary.LittleEndian.PutUint32(f.backlog[had:], uint32(f.pos))
		}
		f.write()
	}
	if len(f.backlog) > 0 {
		f.write()
		f.next = min(f.next, now+max(int64(f.wakes), ms))
	}
}

// write writes what the pipe takes.
func (f *feeder) write() {
	if f.fd < 0 {
		fd, err := unix.Open(f.path, unix.O_WRONLY|unix.O_NONBLOCK, 0)
		if err == unix.ENXIO {
			f.backlog = nil // nobody reads
			return
		}
		if err != nil {
			f.t.Fatal(err)
		}
		f.fd = fd
	}
	for len(f.backlog) > 0 {
		n, err := unix.Write(f.fd, f.backlog[:min(len(f.backlog), 4096)])
		if err == unix.EAGAIN {
			break
		}
		if err != nil {
			f.t.Fatal(err)
		}
		f.backlog = f.backlog[n:]
	}
	if f.drops {
		f.backlog = nil
	}
	if len(f.backlog) == 0 && f.reopen {
		f.close()
	}
}

func (f *feeder) close() {
	if f.fd >= 0 {
		unix.Close(f.fd)
		f.fd = -1
	}
}

// newWorld begins when the clock shows that many ns: where its ticks are.
func newWorld(t tb, dir string, begin int64, f feeder) *world {
	w := &world{t: t, path: filepath.Join(dir, "pipe"), now: begin}
	unix.Unlink(w.path)
	if err := unix.Mkfifo(w.path, 0o600); err != nil {
		t.Fatal(err)
	}
	f.t, f.path, f.born, f.fd = t, w.path, begin, -1
	w.feeder = &f
	_, f.next = f.ahead()
	return w
}

// run reads for that long, and opens the pipe again when its source broke, as
// the daemon's pump does: the time since the last frame is then a hole.
func (w *world) run(length time.Duration) {
	hold := &Hold{}
	defer hold.Close()
	defer w.feeder.close()
	until, sound := w.now+int64(length), w.now
	for w.now < until {
		s, err := Open(context.Background(), Config{Path: w.path, Format: worldFormat, Clock: w, Hold: hold, Warn: func(string) { w.warns++ }})
		if err != nil {
			w.t.Fatal(err)
		}
		err = w.read(s, until)
		if s.Close(); err == nil {
			return
		}
		var f *source.Fault
		if w.faults++; !errors.As(err, &f) || f.Reason != source.Stall {
			w.t.Fatal(err)
		}
		if s.begun {
			sound = w.now
		}
		wait := min(5*time.Second, max(150*time.Millisecond, time.Duration(w.now-sound)/16))
		_ = w.Sleep(context.Background(), w.now+int64(wait))
	}
}

// read reads a source until it breaks. Its buffer is the rest of a block, as
// often happens.
func (w *world) read(s *Source, until int64) error {
	block := make([]byte, 64<<10)
	ended, end := context.WithCancel(context.Background())
	end()
	for rest := block; w.now < until; {
		if len(rest) == 0 {
			rest = block
		}
		if w.hasty {
			if k, err := s.Read(ended, rest); err != context.Canceled || k != (source.Packet{}) {
				w.t.Fatalf("%+v, %v, in a context that had ended", k, err)
			}
		}
		k, err := s.Read(context.Background(), rest)
		if err == context.Canceled {
			continue // as if it had not been called
		}
		if err != nil {
			return err
		}
		w.take(k, rest)
		rest = rest[k.Frames*worldFormat.FrameBytes():]
	}
	return nil
}

// take places a packet.
func (w *world) take(k source.Packet, sound []byte) {
	lost := k.Lost
	if k.First && w.end > 0 {
		lost += worldFormat.Frames(max(0, time.Duration(k.At-w.end)-worldFormat.Duration(int64(k.Frames)+k.Lost)))
	}
	if k.At < w.end || k.At > w.now || (k.Lost > 0) != (k.Cause == audio.Device) || k.Frames == 0 {
		w.t.Errorf("%+v at %d, behind %d", k, w.now, w.end)
	}
	if lost > 0 {
		w.holes = append(w.holes, span{w.pos, w.pos + lost})
	}
	if w.end == 0 {
		w.from = int64(binary.LittleEndian.Uint32(sound))
	}
	w.pos, w.end = w.pos+lost, k.At
	for i := range k.Frames {
		off := w.pos - int64(binary.LittleEndian.Uint32(sound[i*worldFormat.FrameBytes():])) + w.from
		w.off.from, w.off.to = min(w.off.from, off), max(w.off.to, off)
		w.pos++
	}
	if w.now-w.feeder.born < int64(20*time.Second) {
		return // the line is still drawn
	}
	last := int64(binary.LittleEndian.Uint32(sound[(k.Frames-1)*worldFormat.FrameBytes():]))
	wrong := k.At - w.feeder.due(last+1)
	w.dated.from, w.dated.to = min(w.dated.from, wrong), max(w.dated.to, wrong)
}

// within checks that no frame was placed further than d from where it belongs,
// nor dated wrong by a tick and 100 ms beside, or two ticks if the feeder drifts.
func (w *world) within(d time.Duration) {
	w.t.Helper()
	least, most := worldFormat.Duration(w.off.from), worldFormat.Duration(w.off.to)
	if least < -d || most > d {
		w.t.Errorf("frames were placed up to %v too early and %v too late", -least, most)
	}
	d += tick + 100*time.Millisecond
	if w.feeder.ppm != 0 {
		d += tick
	}
	if least, most := time.Duration(w.dated.from), time.Duration(w.dated.to); least < -d || most > d {
		w.t.Errorf("frames were dated up to %v too early and %v too late", -least, most)
	}
}

// lost is how long all holes are.
func (w *world) lost() time.Duration {
	n := int64(0)
	for _, h := range w.holes {
		n += h.to - h.from
	}
	return worldFormat.Duration(n)
}

var _ tb = (*testing.T)(nil)
