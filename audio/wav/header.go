package wav

import (
	"errors"
	"fmt"
	"io"

	"github.com/ingestd/ingestd/audio"
)

// MaxHeader is the longest header that AppendHeader makes, in bytes.
const MaxHeader = 4096

// MaxData is how many bytes of sound a file can have behind any header.
const MaxData = unknown32 - 1 - MaxHeader

// masks tell where the channels of an EXTENSIBLE file are heard. Microphones
// are nowhere; but flac refuses a file without one.
var masks = [...]uint32{3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}

// AppendHeader appends to dst the header of a file of dataBytes of sound, so
// that the sound, then Pad(dataBytes) zeros, make the file whole:
//
//	RIFF size WAVE | fmt | fact, f32 only | bext 602 | guan, even | data size
//
// Up to two channels of s16, s24 and s32 have format tag 1, f32 has tag 3;
// more channels are EXTENSIBLE. Without t there is neither bext nor guan.
//
// If dataBytes < 0 the chunk is still open, and its sizes are 0xFFFFFFFF,
// which readers take for "to the end of the file". Nothing but those sizes
// differs between the header of an open chunk and that of the same chunk when
// it is whole: Patch, or PutSizes, makes the one from the other.
//
// It allocates only if dst has no room; MaxHeader bytes are always enough. It
// keeps neither dst nor t. The error says what in f or t cannot be written, or
// that the header would be longer than MaxHeader.
func AppendHeader(dst []byte, f audio.Format, t *Tags, dataBytes int64) ([]byte, error) {
	if err := f.Check(); err != nil {
		return dst, err
	}
	begin := len(dst)
	if cap(dst)-begin < MaxHeader {
		dst = append(make([]byte, 0, begin+MaxHeader), dst...)
	}
	dst = append(dst, "RIFF\xff\xff\xff\xffWAVE"...)
	dst = appendFormat(dst, f)
	if t != nil {
		if err := t.check(); err != nil {
			return dst[:begin], err
		}
		dst = le.AppendUint32(append(dst, "bext"...), bextBytes)
		dst = appendBext(dst, f, t)
		dst = append(dst, "guan\x00\x00\x00\x00"...)
		guan := len(dst)
		dst = appendGuano(dst, f, t)
		le.PutUint32(dst[guan-4:], uint32(len(dst)-guan))
	}
	dst = append(dst, "data\xff\xff\xff\xff"...)
	if n := len(dst) - begin; n > MaxHeader {
		return dst[:begin], fmt.Errorf("the header would have %d bytes, at most %d are allowed: shorten the note or the fields", n, MaxHeader)
	}
	if dataBytes < 0 {
		return dst, nil
	}
	if err := PutSizes(dst[begin:], f, dataBytes); err != nil {
		return dst[:begin], err
	}
	return dst, nil
}

// appendFormat appends the fmt chunk, and fact for f32.
func appendFormat(dst []byte, f audio.Format) []byte {
	tag, long := uint16(tagPCM), uint32(16)
	if f.Encoding == audio.F32 {
		tag, long = tagFloat, 18
	}
	written := tag
	if f.Channels > 2 {
		written, long = tagExtensible, 40
	}
	dst = le.AppendUint32(append(dst, "fmt "...), long)
	dst = le.AppendUint16(dst, written)
	dst = le.AppendUint16(dst, uint16(f.Channels))
	dst = le.AppendUint32(dst, uint32(f.Rate))
	dst = le.AppendUint32(dst, uint32(f.Rate*f.FrameBytes()))
	dst = le.AppendUint16(dst, uint16(f.FrameBytes()))
	bits := uint16(f.Encoding.Bytes() * 8)
	dst = le.AppendUint16(dst, bits)
	if long > 16 {
		dst = le.AppendUint16(dst, uint16(long-18)) // of what follows
	}
	if long == 40 {
		mask := uint32(0x3FFFF) // all 18 places that have a name
		if f.Channels < len(masks) {
			mask = masks[f.Channels]
		} else if f.Channels < 18 {
			mask = 1<<f.Channels - 1
		}
		dst = le.AppendUint16(dst, bits)
		dst = le.AppendUint32(dst, mask)
		dst = append(le.AppendUint16(dst, tag), guidTail...)
	}
	if tag == tagFloat {
		dst = append(dst, "fact\x04\x00\x00\x00\xff\xff\xff\xff"...)
	}
	return dst
}

// Pad is how many zeros must stand behind dataBytes of sound: 1 if they are
// odd, else 0.
func Pad(dataBytes int64) int { return int(dataBytes & 1) }

// PutSizes writes the sizes of a file with dataBytes of sound, which is whole
// frames of f, into header, which AppendHeader made for f: those of RIFF, with
// Pad, and of data, and for f32 the count of frames in fact.
func PutSizes(header []byte, f audio.Format, dataBytes int64) error {
	end := len(header)
	if end < 44 || string(header[:4]) != "RIFF" || string(header[end-8:end-4]) != "data" {
		return errors.New("put sizes: this is not the header of a chunk")
	}
	if dataBytes < 0 || dataBytes > MaxData || f.Check() != nil || dataBytes%int64(f.FrameBytes()) != 0 {
		return fmt.Errorf("put sizes: %d bytes of %v are not whole frames of at most %d bytes", dataBytes, f, int64(MaxData))
	}
	if f.Encoding == audio.F32 {
		fact := 20 + int(le.Uint32(header[16:])) // behind fmt
		if fact > end-20 || string(header[fact:fact+4]) != "fact" {
			return errors.New("put sizes: the header was made for another format")
		}
		le.PutUint32(header[fact+8:], uint32(dataBytes/int64(f.FrameBytes())))
	}
	le.PutUint32(header[4:], uint32(int64(end)-8+dataBytes+int64(Pad(dataBytes))))
	le.PutUint32(header[end-4:], uint32(dataBytes))
	return nil
}

// Patch makes the file in w whole: it puts the sizes into header, as PutSizes
// does, and writes it, all at once, at the beginning of w. header is what
// AppendHeader made when the chunk was opened, and what the file begins with;
// nothing but the sizes changes. The caller has written the sound and the
// Pad(dataBytes) zeros behind it.
func Patch(w io.WriterAt, header []byte, f audio.Format, dataBytes int64) error {
	if err := PutSizes(header, f, dataBytes); err != nil {
		return err
	}
	_, err := w.WriteAt(header, 0)
	return err
}
