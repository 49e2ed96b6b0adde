package portaudio

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// Source is an open microphone. It belongs to one goroutine.
type Source struct {
	cfg     Config
	system  system
	to      target
	info    Info
	proc    *process
	wire    *wire
	private string // path of the ALSA configuration made for it, or empty

	greeted bool   // the child is of this build
	stage   string // of the start, that was reached last
	heard   int64  // when the last record came, or the process was started
	begun   int64  // child's time of the start
	last    int64  // child's time of the last sound, or 0
	window  window

	losses losses
	now    piece // being delivered
	given  int   // frames of it
	whole  bool  // all of it was given
	told   bool  // the first packet was returned
	at     int64 // of the last packet
	err    error // what it broke by; returned once all frames are

	watched <-chan struct{} // done channel of the context that ends a read
	unwatch func() bool
}

var _ source.Source = (*Source)(nil)

// Info is what is known of an open microphone.
type Info struct {
	Name      string        // of the device, for people
	Selectors []string      // texts for Config.Device that mean it, the one asked for first
	HostAPI   string        // PortAudio's, such as ALSA
	PortAudio string        // its version
	Latency   time.Duration // as it came out
	PID       int           // of the capture process
}

// Info returns what is known of the microphone.
func (s *Source) Info() Info { return s.info }

// Format is as asked for.
func (s *Source) Format() audio.Format { return s.cfg.Format }

// Read returns frames as they come. Its errors are Faults, and those of ctx.
func (s *Source) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if len(p) < s.cfg.Format.FrameBytes() {
		return source.Packet{}, nil
	}
	s.watch(ctx)
	for {
		if err := ctx.Err(); err != nil {
			return source.Packet{}, err
		}
		if !s.whole {
			return s.give(p), nil
		}
		next, ok := s.losses.pop(s.err != nil)
		switch {
		case ok:
			s.now, s.given, s.whole = next, 0, false
		case s.err != nil:
			return source.Packet{}, s.err
		default:
			if err := s.step(ctx); err != nil && !isContext(ctx, err) {
				s.fail(err)
			}
		}
	}
}

// fail notes what the source broke by, and ends its child.
func (s *Source) fail(err error) {
	s.err = err
	s.end()
}

func isContext(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err())
}

// give copies the next frames of the piece to p.
func (s *Source) give(p []byte) source.Packet {
	n := &s.now
	if n.missing[0] > 0 && n.missing[1] > 0 {
		lost := n.missing[0]
		n.missing[0] = 0
		return source.Packet{Lost: lost, Cause: audio.Source}
	}
	size, rate := s.cfg.Format.FrameBytes(), int64(s.cfg.Format.Rate)
	frames := min(len(p)/size, n.frames-s.given)
	copy(p[:frames*size], n.sound[s.given*size:])
	s.given += frames
	s.whole = s.given == n.frames
	// Times may be late, and the next record's less so: they do not go back.
	s.at = max(s.at, n.at+nanoseconds(int64(s.given), rate))
	k := source.Packet{
		Frames: frames, At: s.at,
		Exact: n.flags&aged != 0, First: !s.told,
	}
	switch {
	case n.missing[0] > 0:
		k.Lost, k.Cause = n.missing[0], audio.Source
	case n.missing[1] > 0:
		k.Lost, k.Cause = n.missing[1], audio.XRun
	}
	n.missing = [2]int64{}
	s.told = true
	return k
}

// step takes in one record, and waits for it if none is there.
func (s *Source) step(ctx context.Context) error {
	for {
		r, payload, ok, err := s.wire.next()
		if err != nil {
			return source.Faultf(source.Failed, "%s: %w; it was ended.", s.to.name, err)
		}
		if ok {
			if r.kind != hello { // which is no step of the start
				s.heard = s.cfg.Clock.Monotonic()
			}
			return s.accept(r, payload)
		}
		if err := s.fill(ctx); err != nil {
			return err
		}
	}
}

// fill reads from the child once. Bytes that are there count, however late it
// is: this process may have been the one that stood still.
func (s *Source) fill(ctx context.Context) error {
	limit := s.heard + int64(s.patience())
	for late := false; ; late = s.cfg.Clock.Monotonic() >= limit {
		wait := time.Duration(limit - s.cfg.Clock.Monotonic())
		if err := s.wire.pipe.SetReadDeadline(deadline(max(wait, lastLook))); err != nil {
			return source.Faultf(source.Failed, "%s: %w", s.to.name, err)
		}
		// The context's end moves the deadline; one that came before is seen here.
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.wire.fill()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, io.EOF):
			return s.gone()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return source.Faultf(source.Failed, "%s: read from the capture process: %w", s.to.name, err)
		case late:
			return s.late()
		}
	}
}

const lastLook = 50 * time.Millisecond

// patience is how long the next record may take.
func (s *Source) patience() time.Duration {
	switch s.stage {
	case "":
		return s.cfg.limits.initialize
	case initialized:
		return s.cfg.limits.open
	case opened:
		return s.cfg.limits.start
	}
	return s.cfg.limits.hang
}

// watch makes the end of ctx end a read that waits.
func (s *Source) watch(ctx context.Context) {
	if ctx.Done() == s.watched {
		return
	}
	if s.unwatch != nil {
		s.unwatch()
	}
	s.watched = ctx.Done()
	pipe := s.wire.pipe
	s.unwatch = context.AfterFunc(ctx, func() {
		_ = pipe.SetReadDeadline(time.Unix(1, 0)) // a closed pipe does not wait either
	})
}

// Close ends the capture process and waits for it.
func (s *Source) Close() error {
	if s.err == nil {
		s.err = source.Faultf(source.Failed, "%s: %w", s.to.name, os.ErrClosed)
	}
	s.end()
	if s.unwatch != nil {
		s.unwatch()
	}
	return nil
}

// end ends the child and removes what was made for it. A process that does not
// end keeps its device: no other is started for it.
func (s *Source) end() {
	if s.proc != nil && !s.proc.stop() {
		s.cfg.Turn.leave(s.to.selector.text, s.proc)
	}
	if s.private != "" {
		_ = os.Remove(s.private) // a file in our run-time folder: the next start makes another
		s.private = ""
	}
}
