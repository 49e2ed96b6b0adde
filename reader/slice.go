package reader

import (
	"fmt"
	"io"
	"iter"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// Slice returns all of [i, j), or an error: a *LostError for the first loss in
// the range, or a *FutureError if nothing of it is lost and the head has not
// reached j. An empty range is an empty view. Slice neither waits nor moves
// the cursor.
//
// The view borrows memory of the ring if the range lies in few enough blocks,
// and owns a copy if not: Range walks a long one without copying it. Release
// the view.
func (r *Reader) Slice(i, j audio.Pos) (View, error) { return r.place.Slice(i, j) }

// Range opens all of [i, j) to be walked in pieces or copied, under the
// conditions of Slice and with its errors. It reads and holds nothing, however
// long the range is.
func (r *Reader) Range(i, j audio.Pos) (Range, error) { return r.place.Range(i, j) }

// Runs tells what there is in [i, j), sound, holes, overruns and what is yet to
// come, in order and without a gap, and reads nothing of it.
func (r *Reader) Runs(i, j audio.Pos) iter.Seq[Run] { return r.place.Runs(i, j) }

// Copy copies frames from position at on into dst, and returns how many. If
// they are fewer than dst has room for, err says what there is instead of the
// next one: a *LostError or a *FutureError; with no room for a frame,
// io.ErrShortBuffer, unless dst is empty. It neither waits nor moves the cursor.
func (r *Reader) Copy(dst []byte, at audio.Pos) (frames int, err error) {
	room := len(dst) / r.ring.FrameBytes()
	switch {
	case at < 0:
		return 0, fmt.Errorf("copy from %d: a position is not negative", at)
	case len(dst) > 0 && room == 0:
		return 0, io.ErrShortBuffer
	}
	for frames < room {
		n, err := r.place.Copy(dst[frames*r.ring.FrameBytes():], at+audio.Pos(frames))
		if n == 0 {
			if err == nil {
				err = &FutureError{Want: audio.Span{From: at + audio.Pos(frames), To: ahead(at, int64(room))}, Head: r.ring.Head()}
			}
			return frames, err
		}
		frames += n
	}
	return frames, nil
}

// Last returns the newest frames frames, or the errors of Slice if there are
// not so many without a break.
func (r *Reader) Last(frames int64) (View, error) {
	head := r.ring.Head()
	if frames < 0 {
		return View{}, fmt.Errorf("the last %d frames: a number of frames is not negative", frames)
	}
	if frames > int64(head) {
		return View{}, fmt.Errorf("the last %d frames: %w, the head is at %d", frames, ErrOutside, head)
	}
	return r.Slice(head-audio.Pos(frames), head)
}

// An Index is one end of a range as people give it: a position, a distance
// back from the head, or, as the zero Index, left out.
type Index struct {
	n     int64
	given bool
}

// At is the position n, or, if n is negative, the one -n frames before the
// head: At(-1) is the newest frame.
func At(n int64) Index { return Index{n, true} }

// Resolve turns the ends of a range into positions. A left-out beginning is the
// oldest frame, a left-out end the head. What cannot be a range then was
// overwritten up to its end, a *LostError, or begins behind the head, a
// *FutureError. An end before the first frame ever is an error, not cut to it.
func (r *Reader) Resolve(i, j Index) (s audio.Span, err error) {
	bounds := r.ring.Bounds()
	if s.From, err = i.from(bounds.From, bounds.To); err != nil {
		return audio.Span{}, err
	}
	if s.To, err = j.from(bounds.To, bounds.To); err != nil {
		return audio.Span{}, err
	}
	switch {
	case !i.given && j.given && s.To <= s.From && s.From > 0:
		return audio.Span{}, r.place.Overrun(audio.Span{To: s.To}, 0)
	case i.given && !j.given && s.From > s.To:
		return audio.Span{}, &FutureError{Want: audio.Span{From: s.From, To: s.From}, Head: s.To}
	}
	return s, nil
}

func (i Index) from(missing, head audio.Pos) (audio.Pos, error) {
	switch {
	case !i.given:
		return missing, nil
	case i.n >= 0:
		return audio.Pos(i.n), nil
	case int64(head)+i.n < 0:
		return 0, fmt.Errorf("asked for %d frames before the head: %w, it is at %d", -i.n, ErrOutside, head)
	}
	return head + audio.Pos(i.n), nil
}

// Frame returns the one frame at i, with the errors of Slice.
func (r *Reader) Frame(i Index) (View, error) {
	bounds := r.ring.Bounds()
	if !i.given {
		return View{}, fmt.Errorf("frame: no position is given")
	}
	at, err := i.from(0, bounds.To)
	if err != nil {
		return View{}, err
	}
	return r.Slice(at, at+1)
}

// What Range and Runs give.
type (
	// A Range is frames to be walked or copied.
	Range = buffer.Range
	// A Run is positions that have the same to be said of them.
	Run = buffer.Run
)
