package sink

import (
	"errors"
	"fmt"
	"io"

	"github.com/ingestd/ingestd/audio"
)

// PCM is the codec of chunks that are their frames and nothing else. What
// format that is stands in info.json.
type PCM struct{}

// Name is pcm.
func (PCM) Name() string { return "pcm" }

// Encode begins a chunk without a header.
func (PCM) Encode(h Head) (Encoder, error) { return plain{}, h.Format.Check() }

// Decode takes the bytes of r for frames of format f.
func (PCM) Decode(r io.ReaderAt, size int64, f audio.Format) (Decoder, error) {
	if err := f.Check(); err != nil {
		return nil, fmt.Errorf("decode pcm, which does not tell its own format: %w", err)
	}
	if size%int64(f.FrameBytes()) != 0 {
		return nil, fmt.Errorf("decode pcm: %d bytes are no whole frames of %v", size, f)
	}
	return &pcmDecoder{f, size / int64(f.FrameBytes()), io.NewSectionReader(r, 0, size)}, nil
}

type plain struct{}

func (plain) Header(int64) ([]byte, error)    { return nil, nil }
func (plain) Encode(p []byte) ([]byte, error) { return p, nil }
func (plain) Finish() ([]byte, error)         { return nil, nil }

type pcmDecoder struct {
	format audio.Format
	frames int64
	r      *io.SectionReader
}

func (d *pcmDecoder) Format() audio.Format { return d.format }
func (d *pcmDecoder) Frames() int64        { return d.frames }

func (d *pcmDecoder) Read(p []byte) (int, error) {
	n, err := io.ReadFull(d.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the last piece, which is whole frames because all is
	}
	return n, err
}
