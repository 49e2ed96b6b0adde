// Package audio holds the words that the whole of ingestd is written in: the
// format of a stream, positions and spans in it, holes and their causes, and
// the key of a stored chunk.
//
// Every position and every length is counted in frames. A frame is one sample
// of each channel. Sound itself is always bytes: packed, little-endian,
// interleaved, as it came from the source; nothing here converts it.
//
// The package imports the standard library only.
package audio

import (
	"fmt"
	"slices"
	"time"
)

// Limits of a Format. They are wide of any device that exists and keep
// arithmetic on sizes far from overflow.
const (
	MaxRate     = 1_536_000 // Hz
	MaxChannels = 64
)

// Encoding is how one sample of one channel is written: little-endian, packed.
// The zero value is no encoding.
type Encoding uint8

// The encodings. S24 takes three bytes. F32 is IEEE 754 with full scale at ±1.
const (
	S16 Encoding = iota + 1
	S24
	S32
	F32
)

var encodings = [...]struct {
	name  string
	bytes int
}{S16: {"s16", 2}, S24: {"s24", 3}, S32: {"s32", 4}, F32: {"f32", 4}}

// ParseEncoding returns the encoding of that name: s16, s24, s32 or f32.
func ParseEncoding(name string) (Encoding, error) {
	for e := S16; e <= F32; e++ {
		if encodings[e].name == name {
			return e, nil
		}
	}
	return 0, fmt.Errorf("unknown encoding %q: use s16, s24, s32 or f32", name)
}

// Valid says whether e is one of the encodings.
func (e Encoding) Valid() bool { return e >= S16 && e <= F32 }

// Bytes is the size of one sample, 0 if e is not valid.
func (e Encoding) Bytes() int {
	if !e.Valid() {
		return 0
	}
	return encodings[e].bytes
}

// String returns the name that ParseEncoding takes.
func (e Encoding) String() string {
	if !e.Valid() {
		return fmt.Sprintf("encoding(%d)", uint8(e))
	}
	return encodings[e].name
}

// MarshalText writes the name.
func (e Encoding) MarshalText() ([]byte, error) {
	if !e.Valid() {
		return nil, fmt.Errorf("encoding %d has no name", uint8(e))
	}
	return []byte(e.String()), nil
}

// UnmarshalText reads the name.
func (e *Encoding) UnmarshalText(text []byte) (err error) {
	*e, err = ParseEncoding(string(text))
	return err
}

// Format says how the bytes of a stream are to be read. It is a value:
// compare it with ==.
type Format struct {
	Rate     int // frames per second
	Channels int
	Encoding Encoding
}

// Check returns an error that names the first field that is out of range.
func (f Format) Check() error {
	switch {
	case f.Rate < 1 || f.Rate > MaxRate:
		return fmt.Errorf("rate %d Hz is out of range 1 to %d", f.Rate, MaxRate)
	case f.Channels < 1 || f.Channels > MaxChannels:
		return fmt.Errorf("%d channels is out of range 1 to %d", f.Channels, MaxChannels)
	case !f.Encoding.Valid():
		return fmt.Errorf("%v is no encoding", f.Encoding)
	}
	return nil
}

// FrameBytes is the size of one frame in bytes.
func (f Format) FrameBytes() int { return f.Channels * f.Encoding.Bytes() }

// Duration is how long n frames last, rounded down to the nanosecond. It is
// exact for any n that lasts less than 292 years.
func (f Format) Duration(frames int64) time.Duration {
	rate := int64(f.Rate)
	return time.Duration(frames/rate)*time.Second + time.Duration(frames%rate*int64(time.Second)/rate)
}

// Frames is how many whole frames fit into d, rounded down.
func (f Format) Frames(d time.Duration) int64 {
	rate := int64(f.Rate)
	return int64(d/time.Second)*rate + int64(d%time.Second)*rate/int64(time.Second)
}

// String is ENCODING/RATE/CHANNELS, such as s16/48000/1.
func (f Format) String() string {
	return fmt.Sprintf("%v/%d/%d", f.Encoding, f.Rate, f.Channels)
}

// Encodings lists the names of all encodings, for messages.
func Encodings() []string {
	names := make([]string, 0, len(encodings))
	for e := S16; e <= F32; e++ {
		names = append(names, e.String())
	}
	return slices.Clip(names)
}
