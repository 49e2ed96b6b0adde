// Package reader walks the ring of a sensor. Each Reader has its own cursor,
// its own keys and its own rule for what happens when it falls too far
// behind. It is forked from another one, never shared.
//
// Ranges are half-open everywhere: [From, To). Nothing that was lost is passed
// over in silence: what a Reader delivers and the losses that it reports
// follow each other without a gap and without an overlap.
package reader

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// What a Reader answers.
type (
	// A LostError says that frames do not exist: overwritten, or never captured.
	LostError = buffer.LostError
	// A FutureError says that frames have not been captured yet.
	FutureError = buffer.FutureError
	// A View is the frames of a span, unchanged until it is released.
	View = buffer.View
)

// Errors that callers branch on.
var (
	ErrTooManyReaders = buffer.ErrTooManyReaders
	ErrOutside        = buffer.ErrOutside // both LostError and FutureError
	ErrClosed         = buffer.ErrReaderClosed
)

// A Reader is a cursor on a ring. It belongs to one goroutine; only Pos, Lag
// and Keys may be called from any.
type Reader struct {
	ring    *buffer.Ring
	place   *buffer.Place
	options options
	cursor  atomic.Int64 // the owner stores it
	resume  audio.Pos    // where the policy resumes; all before it is given up
	failed  error        // an overrun under Fail
}

// Open takes a place at the ring. It returns ErrTooManyReaders if all are
// taken. By default the reader begins at the oldest frame, has positions for
// keys, and resumes at the oldest frame after an overrun.
func Open(r *buffer.Ring, opts ...Option) (*Reader, error) {
	return open(r, options{begin: oldest, keys: Frames(0), policy: oldest, items: untilNext}, opts)
}

// Fork opens another reader on the same ring, at the same position and with the
// same options, unless opts say otherwise. A loss that was not told yet, or that
// Fail makes stay, is met by the fork anew. A closed reader is not forked.
func (r *Reader) Fork(opts ...Option) (*Reader, error) {
	if r.place.Closed() {
		return nil, ErrClosed
	}
	o := r.options
	pos := r.Pos()
	o.begin = func(*buffer.Ring) audio.Pos { return pos }
	return open(r.ring, o, opts)
}

func open(ring *buffer.Ring, o options, opts []Option) (*Reader, error) {
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	place, err := ring.Take()
	if err != nil {
		return nil, err
	}
	r := &Reader{ring: ring, place: place, options: o}
	r.Seek(o.begin(ring))
	return r, nil
}

// Close releases all views and gives the place back. It may be called more
// than once. Afterwards everything that reads, waits or forks returns ErrClosed
// and moves nothing; what only tells, such as Pos, Lag, Runs and Positions, still
// does.
func (r *Reader) Close() error {
	r.place.Close()
	return nil
}

// Ring is the ring that is read.
func (r *Reader) Ring() *buffer.Ring { return r.ring }

// Keys is the reader's map between keys and positions.
func (r *Reader) Keys() KeyTrans { return r.options.keys }

// Pos is the position of the next frame that Read wants. It may be called from
// any goroutine.
func (r *Reader) Pos() audio.Pos { return audio.Pos(r.cursor.Load()) }

// Lag is how many stored frames lie between Pos and the head: holes do not
// count. It may be called from any goroutine.
func (r *Reader) Lag() int64 {
	pos := r.Pos() // before the head, so that it is not ahead of it
	return max(0, r.ring.Stored(r.ring.Head())-r.ring.Stored(pos))
}

// Seek moves the cursor to p, which may be lost or yet to come; a negative p is
// the first position. An error that stayed under Fail is over.
func (r *Reader) Seek(p audio.Pos) {
	r.cursor.Store(int64(max(0, p)))
	r.resume, r.failed = 0, nil
}

// Read copies the next frames into p: as many as there are, up to the length
// of p, the head, or the next hole. It waits for one. It counts frames, not
// bytes, and moves the cursor by them. It returns in one of these ways:
//
//	frames > 0, nil       sound
//	0, nil                p is empty
//	0, *LostError         the frames from Pos on do not exist; told once, the
//	                      cursor now stands at Lost.To
//	0, io.EOF             the stream is over
//	0, ctx.Err()          the context ended; looked at first
//	0, io.ErrShortBuffer  p has no room for one frame
//	0, another error      the stream ended with it, or the reader is closed
//
// Several losses in a row, of different causes, are told one by one.
func (r *Reader) Read(ctx context.Context, p []byte) (frames int, err error) {
	frames, err = r.Peek(ctx, p)
	r.move(int64(frames), err)
	return frames, err
}

// Peek is Read, and leaves the cursor where it is. A Read that follows gives
// the same frames, and perhaps more, or the same loss.
func (r *Reader) Peek(ctx context.Context, p []byte) (frames int, err error) {
	room := len(p) / r.ring.FrameBytes()
	switch {
	case len(p) == 0:
		return 0, nil
	case room == 0:
		return 0, io.ErrShortBuffer
	}
	err = r.wait(ctx, int64(room), func(at audio.Pos) (bool, error) {
		var err error
		frames, err = r.place.Copy(p, at)
		return frames > 0, err
	})
	return frames, err
}

// ReadFull reads until p is full of frames; with no room for one it returns
// io.ErrShortBuffer, unless p is empty. If it returns fewer than p has room for,
// err says why: what Read would, of what comes behind these frames, or
// io.ErrUnexpectedEOF if the stream ended between them.
func (r *Reader) ReadFull(ctx context.Context, p []byte) (frames int, err error) {
	size := r.ring.FrameBytes()
	if len(p) > 0 && len(p) < size {
		return 0, io.ErrShortBuffer
	}
	for room := len(p) / size; frames < room; {
		n, err := r.Read(ctx, p[frames*size:])
		if err == io.EOF && frames > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return frames, err
		}
		frames += n
	}
	return frames, nil
}

// Next is Read without the copying: a view of the next frames, at most frames
// of them, up to the head, the next hole, or as many blocks as the reader can
// borrow. It moves the cursor behind the view, and returns the errors of Read.
// Release the view.
func (r *Reader) Next(ctx context.Context, frames int64) (v View, err error) {
	if frames < 1 {
		return View{}, fmt.Errorf("next %d frames: a view of at least one is needed", frames)
	}
	err = r.wait(ctx, frames, func(at audio.Pos) (bool, error) {
		var err error
		v, err = r.place.Lend(at, frames)
		return v.Frames() > 0, err
	})
	r.move(v.Frames(), err)
	return v, err
}

// wait tries take at the cursor until it has got frames, of which frames are
// wanted, or there is a reason why it cannot.
func (r *Reader) wait(ctx context.Context, frames int64, take func(at audio.Pos) (bool, error)) error {
	if r.failed != nil {
		return r.failed
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		want := audio.Span{From: r.Pos(), To: ahead(r.Pos(), frames)}
		if want.From < r.resume {
			return r.place.Overrun(want, r.resume)
		}
		over := r.ring.Closed() // before the frames, or the last of them are missed
		got, err := take(want.From)
		switch {
		case err != nil:
			return r.told(want, err)
		case got:
			return nil
		case over:
			return r.end()
		}
		if err := r.place.Wait(ctx, ahead(want.From, 1)); err != nil {
			return err
		}
	}
}

// told turns a loss into what the policy makes of it.
func (r *Reader) told(want audio.Span, err error) error {
	lost, ok := err.(*LostError)
	if !ok || lost.Cause != audio.Overrun {
		return err
	}
	if r.options.policy == nil {
		r.failed = lost
		return lost
	}
	r.resume = r.options.policy(r.ring)
	return r.place.Overrun(audio.Span{From: lost.Lost.From, To: want.To}, r.resume)
}

// move moves the cursor behind what was delivered or told as lost.
func (r *Reader) move(frames int64, err error) {
	if lost, ok := err.(*LostError); ok && r.failed == nil {
		r.cursor.Store(int64(lost.Lost.To))
	} else if frames > 0 {
		r.cursor.Add(frames)
	}
}

// end is the error at the end of the stream.
func (r *Reader) end() error {
	if err := r.ring.Err(); err != nil {
		return err
	}
	return io.EOF
}

// Await returns nil once the head has reached pos or the stream is over, or
// the context's error if that ends first. It does not move the cursor.
func (r *Reader) Await(ctx context.Context, pos audio.Pos) error {
	return r.place.Wait(ctx, pos)
}
