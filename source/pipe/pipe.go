// Package pipe is a source of raw samples, packed and little-endian, from
// standard input, a FIFO, a character device or a file: for anything that can
// write samples.
//
// Waking up is what live sound costs, not its bytes. So a source does not wake
// at each write of the feeder: it sleeps to the next tick, a multiple of the
// batch on the monotonic clock, at which all pipes of a process wake together,
// and takes what is there. Between ticks the kernel's buffer holds the sound;
// it is enlarged to a second of it, and where that is refused the ticks are
// closer, so that it is never more than half full.
package pipe

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// Defaults and limits of a Config.
const (
	DefaultBatch   = source.DefaultBatch
	DefaultSilence = 6 * time.Second

	firstFrame = 5 * time.Second // how long the first frame may take
	minTick    = time.Millisecond
	buffered   = time.Second // of sound, in the kernel's buffer
)

// Config describes a pipe. Path, and Stdin for "-", and Format are required.
type Config struct {
	Path    string        // "-": standard input; else a FIFO, a character device or a file
	Stdin   *os.File      // what "-" means; it is not closed
	Format  audio.Format  // of the samples: nothing in them tells it
	Clock   clock.Clock   // nil: the machine's
	Batch   time.Duration // at most this between ticks; 0: DefaultBatch
	Silence time.Duration // of a feeder, before it is a Fault (the first frame may take 5 s at least); 0: DefaultSilence
	Admit   source.Admit  // gate of a regular file, which is read as fast as it goes; nil: none
	Hold    *Hold         // keeps a FIFO open from one source to the next; nil: it is closed between
	Fresh   bool          // what came while it was not open is of no use: it is dropped, in whole frames
	Warn    func(string)  // told what was dropped; nil: nobody is
}

// Source is an open pipe. See source.Source.
type Source struct {
	c     Config
	in    *input
	name  string
	frame int
	state
	err     error // the end, or the fault: every later Read returns it
	wake    int64 // when to look next; 0: at once
	taken   int   // bytes since the last sleep
	emptied bool  // the last look left nothing
	stood   bool  // this process stood still: what is missing lies behind what the pipe held
	heard   int64 // when there were frames, or the opening
	begun   bool
	slow    bool // its feeder was told to be too fast
}

// state is what the next source of a sensor goes on with.
type state struct {
	carry []byte // part of a frame that was read
	held  []byte // frames that were read before it, while it is in doubt whether some are missing before them
	given int    // bytes of held that were given out
	gauge gauge
}

var _ source.Source = (*Source)(nil)

// Open opens the pipe. It waits for no feeder.
func Open(_ context.Context, c Config) (*Source, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Batch == 0 {
		c.Batch = DefaultBatch
	}
	if c.Silence == 0 {
		c.Silence = DefaultSilence
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	switch err := c.Format.Check(); {
	case err != nil:
		return nil, &source.Fault{Reason: source.Failed, Err: err}
	case c.Batch < minTick || c.Batch > 10*time.Second:
		return nil, source.Faultf(source.Failed, "batch %v is out of range %v to 10s", c.Batch, minTick)
	case c.Silence < 2*c.Batch:
		return nil, source.Faultf(source.Failed, "silence %v is shorter than two batches of %v", c.Silence, c.Batch)
	}
	in, state, err := c.Hold.take(c.Path)
	if in == nil && err == nil {
		in, err = openInput(c.Path, c.Stdin)
	}
	if err != nil {
		return nil, err
	}
	s := &Source{c: c, in: in, name: c.Path, frame: c.Format.FrameBytes(), heard: c.Clock.Monotonic(), state: state}
	if c.Path == "-" {
		s.name = "standard input"
	}
	rate := int64(c.Format.Rate) * int64(s.frame)
	in.enlarge(rate * int64(max(buffered, 2*c.Batch)) / int64(time.Second))
	if c.Fresh && !in.regular {
		s.freshen()
	}
	if s.gauge.rate == 0 {
		s.gauge = newGauge(c.Format.Rate, s.heard)
	}
	s.gauge.tick = tickOf(c.Batch, int64(in.capacity), rate)
	return s, nil
}

// tickOf divides batch by the smallest whole number that keeps a buffer of
// capacity bytes half empty.
func tickOf(batch time.Duration, capacity, bytesPerSecond int64) time.Duration {
	half := max(capacity/2*int64(time.Second)/bytesPerSecond, int64(minTick))
	parts := (int64(batch) + half - 1) / half
	return batch / time.Duration(parts)
}

// Format is the configured one.
func (s *Source) Format() audio.Format { return s.c.Format }

// Read waits for the next tick, unless the one before left something, and
// takes what is there. It gives nothing out while it is in doubt whether
// frames are missing before it.
func (s *Source) Read(ctx context.Context, p []byte) (source.Packet, error) {
	p = p[:len(p)/s.frame*s.frame]
	if len(p) == 0 {
		return source.Packet{}, nil
	}
	for {
		if s.err != nil {
			s.gauge.doubt = 0 // it is left to the hole that follows
		}
		if len(s.held) > 0 && s.gauge.sure() {
			return s.release(ctx, p)
		}
		if s.err != nil {
			return source.Packet{}, s.err
		}
		room, err := s.wait(ctx, len(p))
		if err != nil {
			return source.Packet{}, err
		}
		frames := 0
		if s.emptied = false; room > 0 {
			frames = s.fill(p[:room])
		}
		now := s.c.Clock.Monotonic()
		if !s.in.regular {
			s.look(now, frames)
		}
		switch {
		case frames > 0 && len(s.held) == 0 && (s.gauge.sure() || s.stood):
			return s.packet(frames, now), nil
		case frames > 0:
			s.held = append(s.held, p[:frames*s.frame]...)
		}
	}
}

// look tells the gauge of a look into the pipe, and settles when the next one
// is.
func (s *Source) look(now int64, frames int) {
	s.gauge.look(now, frames)
	if s.emptied {
		s.rest(now)
	}
	if frames > 0 {
		s.heard = now
	} else if s.err == nil {
		s.err = s.silence(now)
	}
}

// keptBytes is how much memory a source keeps for the next doubt.
const keptBytes = 256 << 10

// release gives out what was held back.
func (s *Source) release(ctx context.Context, p []byte) (source.Packet, error) {
	if err := ctx.Err(); err != nil {
		return source.Packet{}, err
	}
	n := copy(p, s.held[s.given:])
	s.given += n
	pk := s.packet(n/s.frame, s.c.Clock.Monotonic())
	if s.given == len(s.held) {
		if s.held, s.given = s.held[:0], 0; cap(s.held) > keptBytes {
			s.held = nil
		}
	}
	return pk, nil
}

// packet tells of frames that are given out at now, and of what is missing
// before them.
func (s *Source) packet(frames int, now int64) source.Packet {
	pk := source.Packet{Frames: frames, At: now, First: !s.begun}
	s.begun = true
	if s.in.regular {
		return pk
	}
	pk.Lost, pk.At = s.gauge.date(now, int64(frames), int64((len(s.held)-s.given)/s.frame), pk.First)
	if pk.First {
		pk.Lost = 0
	}
	if pk.Lost > 0 {
		pk.Cause = audio.Device
	}
	return pk
}

// wait returns when to look into the pipe, and for how many bytes.
func (s *Source) wait(ctx context.Context, room int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if s.in.regular {
		if s.c.Admit == nil {
			return room, nil
		}
		n, err := s.c.Admit(ctx, room/s.frame)
		return min(max(n, 1)*s.frame, room), err
	}
	if s.wake != 0 {
		if err := s.c.Clock.Sleep(ctx, s.wake); err != nil {
			return 0, err
		}
		s.stood = s.c.Clock.Monotonic()-s.wake > int64(s.gauge.tick)
		s.wake, s.taken = 0, 0
	}
	now := s.c.Clock.Monotonic()
	allowed := s.gauge.allowed(now)
	if allowed == 0 {
		s.wake = clock.NextTick(now, s.gauge.tick)
		s.heard = now // it is not silent: it has to wait
		if !s.slow {
			s.slow = true
			s.c.Warn(s.name + ": its feeder is faster than the sound lasts, and has to wait: this is live sound (with ffmpeg: -re). To store a recording, use replay")
		}
	}
	return min(room/s.frame, allowed) * s.frame, nil
}

// fill does one read behind what was carried over, returns the whole frames
// now in p and carries the rest.
func (s *Source) fill(p []byte) int {
	had := copy(p, s.carry)
	n, err := s.in.read(p[had:])
	switch {
	case err == errEmpty:
	case err == errNoWriter:
		s.drop("when its writer left")
	case err == io.EOF:
		s.drop("at the end")
		s.err = io.EOF
	case err != nil:
		s.err = source.Faultf(source.Failed, "read %s: %w", s.name, err)
	}
	s.emptied = n < len(p)-had
	if n == 0 {
		return 0
	}
	s.taken += n
	frames := (had + n) / s.frame
	s.carry = append(s.carry[:0], p[frames*s.frame:had+n]...)
	return frames
}

// rest sets when to look again at a pipe that was emptied: at the next tick, a
// tenth of one if it matters when, or soon if it was nearly full, which says
// that its writer waits for us.
func (s *Source) rest(now int64) {
	step := s.gauge.tick
	if s.gauge.keen(now) {
		step = max(step/10, minTick)
	}
	s.wake = clock.NextTick(now, step)
	if s.taken >= s.in.capacity/4*3 {
		s.wake = min(s.wake, now+int64(minTick))
	}
}

func (s *Source) drop(when string) {
	if len(s.carry) > 0 {
		s.c.Warn(fmt.Sprintf("%s: %d bytes %s are no whole frame of %d and were dropped", s.name, len(s.carry), when, s.frame))
		s.carry = s.carry[:0]
	}
}

// silence returns a Fault if there were no frames for too long.
func (s *Source) silence(now int64) error {
	quiet := time.Duration(now - s.heard)
	if s.begun && quiet > s.c.Silence {
		return source.Faultf(source.Stall, "%s has been silent for %v: is its feeder running?", s.name, quiet.Round(100*time.Millisecond))
	}
	if !s.begun && quiet > max(firstFrame, s.c.Silence) {
		return source.Faultf(source.Stall, "%s has no sound after %v: start what feeds it", s.name, quiet.Round(100*time.Millisecond))
	}
	return nil
}

// Close closes the pipe, or gives it back to the Hold. Standard input stays
// open.
func (s *Source) Close() error {
	if s.in == nil {
		return nil
	}
	in := s.in
	s.in = nil
	return s.c.Hold.give(s.c.Path, in, s.state)
}
