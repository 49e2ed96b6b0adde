package sink

import (
	"fmt"
	"io"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
)

// MaxChunk is what the file of a chunk may hold at most, in bytes: many
// programs read the size of a WAV file as a signed number of 32 bits.
const MaxChunk = 1<<31 - 1

// A Codec turns frames into the bytes of a chunk and back. It holds no state.
type Codec interface {
	// Name is what a store and a configuration call it.
	Name() string

	// Encode begins a chunk.
	Encode(h Head) (Encoder, error)

	// Decode reads the chunk in r, which is size bytes long, and allocates by
	// no size that it finds there. A codec whose chunks do not tell their
	// format takes f for it; others need none, and refuse another one.
	Decode(r io.ReaderAt, size int64, f audio.Format) (Decoder, error)
}

// Head is what is known of a chunk when it begins.
type Head struct {
	Format audio.Format
	Tags   wav.Tags // what the chunk says about itself, if its codec can
}

// An Encoder makes the bytes of one chunk's file: the header, then what Encode
// returns, then what Finish returns. It belongs to one goroutine.
type Encoder interface {
	// Header is what the file begins with when it holds that many frames;
	// while it grows, frames is -1. Of one chunk it is always equally long.
	// The slice is valid until the next call.
	Header(frames int64) ([]byte, error)

	// Encode takes the next whole frames and returns bytes of the file, maybe
	// none yet. They may be p itself, and are valid until the next call.
	Encode(p []byte) ([]byte, error)

	// Finish returns what comes after the last frame.
	Finish() ([]byte, error)
}

// A Decoder yields the frames of one chunk, in order.
type Decoder interface {
	Format() audio.Format
	Frames() int64 // in all

	// Read fills p, a multiple of the frame, with the next whole frames and
	// returns their bytes. io.EOF, and nothing with it, after the last.
	Read(p []byte) (int, error)
}

// Codecs lists the names that CodecByName takes.
func Codecs() []string { return []string{"wav", "pcm"} }

// CodecByName returns the codec of that name.
func CodecByName(name string) (Codec, error) {
	switch name {
	case "wav":
		return WAV{}, nil
	case "pcm":
		return PCM{}, nil
	}
	return nil, fmt.Errorf("unknown codec %q: use wav or pcm", name)
}

// CheckCodec returns an error if names of the layout say by their ending that
// they hold something else than the codec makes. An ending that says nothing
// goes with any codec.
func CheckCodec(l Layout, c Codec) error {
	made := map[string]string{".wav": "wav", ".pcm": "pcm", ".raw": "pcm", ".flac": "flac"}
	if want, says := made[l.Ext()]; says && want != c.Name() {
		return fmt.Errorf("layout %q makes names of %s, the codec is %s; let them agree", l, want, c.Name())
	}
	return nil
}
