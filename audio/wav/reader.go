package wav

import (
	"errors"
	"io"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// A Reader yields the frames of one WAV file. It belongs to one goroutine; it
// does not close what it reads from.
type Reader struct {
	format audio.Format
	widen  bool
	exact  bool
	dataAt int64
	frames int64
	notes  []string
	tags   Tags

	sound sound
	left  int64 // bytes that Read still has to deliver
	err   error // that ended the sound early
}

// sound is the bytes of the data chunk as they stand in the file.
type sound interface {
	io.Reader
	rewind() error
}

// Open checks the headers of the size bytes in r and returns a Reader that
// stands at the first frame. The error is one line, without the name of the
// file, that says what is wrong and what to do about it.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	c := check{r: r, size: size}
	if err := c.run(); err != nil {
		return nil, err
	}
	w := &Reader{format: c.format.Format, widen: c.format.widen, exact: c.exact, dataAt: c.dataAt,
		frames: c.dataLen / int64(c.format.frameBytes)}
	w.left = w.frames * int64(w.format.FrameBytes())
	err := c.readTags(&w.tags)
	if err != nil {
		return nil, err
	}
	w.notes = c.notes
	w.sound = openSound(&c)
	return w, nil
}

// Format is the format of the bytes that Read delivers. Sound of 8 bits is
// delivered as s16: (v-128)*256.
func (r *Reader) Format() audio.Format { return r.format }

// Frames is how many whole frames the file has.
func (r *Reader) Frames() int64 { return r.frames }

// Header is how many bytes stand before the first frame in the file.
func (r *Reader) Header() int64 { return r.dataAt }

// Exact says whether header and file agree about the sound. If not, Notes says
// how they differ; whoever wants whole files only refuses this one.
func (r *Reader) Exact() bool { return r.exact }

// Notes are lines for the user about what is odd with the file and what was
// made of it. The caller must not change them.
func (r *Reader) Notes() []string { return r.notes }

// Tags is what bext and GUANO say about the file.
func (r *Reader) Tags() Tags { return r.tags }

// Start is when the first frame was captured, if the file says so: the GUANO
// Timestamp if it has an offset from UTC, else bext, whose date and time are
// taken for UTC.
func (r *Reader) Start() (time.Time, bool) { return r.tags.Start, !r.tags.Start.IsZero() }

// Rewind goes back to the first frame.
func (r *Reader) Rewind() error {
	if err := r.sound.rewind(); err != nil {
		return err
	}
	r.left, r.err = r.frames*int64(r.format.FrameBytes()), nil
	return nil
}

var errShrunk = errors.New("the file became shorter while it was read")

// Read fills p with whole frames and returns the bytes written. It returns
// io.EOF, and no bytes, behind the last frame. If p has no room for one frame
// the error is io.ErrShortBuffer; so io.ReadAll, which offers what room it
// has, is not for a Reader.
func (r *Reader) Read(p []byte) (n int, err error) {
	frame := r.format.FrameBytes()
	switch {
	case len(p) == 0:
		return 0, nil
	case r.err != nil:
		return 0, r.err
	case r.left == 0:
		return 0, io.EOF
	case len(p) < frame:
		return 0, io.ErrShortBuffer
	}
	n = int(min(int64(len(p)), r.left))
	n -= n % frame
	if r.widen {
		var half int
		half, err = io.ReadFull(r.sound, p[n/2:n])
		widen(p[:n], half)
		n = half * 2
	} else {
		n, err = io.ReadFull(r.sound, p[:n])
	}
	r.left -= int64(n)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errShrunk
	}
	r.err = err
	if n -= n % frame; n == 0 {
		return 0, err
	}
	return n, nil
}

// widen turns the unsigned bytes in the second half of p, n of which are
// there, into s16 from the beginning of p. Sample i is written at 2i, which is
// never beyond where it is read.
func widen(p []byte, n int) {
	half := p[len(p)/2:]
	for i := range n {
		v := half[i]
		p[2*i], p[2*i+1] = 0, v^0x80
	}
}
