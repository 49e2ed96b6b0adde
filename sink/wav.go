package sink

import (
	"errors"
	"io"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
)

// WAV is the codec of chunks that are complete WAV files: any program plays
// them, and they say themselves what they are. While a chunk grows, its sizes
// say "to the end of the file".
type WAV struct{}

// Name is wav.
func (WAV) Name() string { return "wav" }

// Encode begins a chunk whose header holds h.Tags.
func (WAV) Encode(h Head) (Encoder, error) {
	e := &wavEncoder{format: h.Format, frameBytes: int64(h.Format.FrameBytes())}
	var err error
	e.header, err = wav.AppendHeader(make([]byte, 0, wav.MaxHeader), h.Format, &h.Tags, -1)
	e.sized = make([]byte, len(e.header))
	return e, err
}

// Decode reads any WAV file whose sound is kept as it is; f is not looked at.
func (WAV) Decode(r io.ReaderAt, size int64, _ audio.Format) (Decoder, error) {
	return wav.Open(r, size)
}

type wavEncoder struct {
	format     audio.Format
	frameBytes int64
	header     []byte // of the growing file
	sized      []byte
	bytes      int64 // of sound
}

func (e *wavEncoder) Header(frames int64) ([]byte, error) {
	if frames < 0 {
		return e.header, nil
	}
	copy(e.sized, e.header)
	return e.sized, wav.PutSizes(e.sized, e.format, frames*e.frameBytes)
}

func (e *wavEncoder) Encode(p []byte) ([]byte, error) {
	if int64(len(p))%e.frameBytes != 0 {
		return nil, errors.New("encode wav: not whole frames")
	}
	e.bytes += int64(len(p))
	return p, nil
}

func (e *wavEncoder) Finish() ([]byte, error) {
	return make([]byte, wav.Pad(e.bytes)), nil
}
