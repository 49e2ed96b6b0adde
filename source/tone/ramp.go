package tone

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ingestd/ingestd/audio"
)

// rampBits is how many bits of a position a sample of the ramp tells.
func rampBits(e audio.Encoding) int {
	if e == audio.F32 {
		return 24
	}
	return 8 * e.Bytes()
}

// RampAt fills dst, a multiple of the frame, with the ramp from position pos
// on. Sample c of the frame at pos is pos + c × 2^(bits−4), modulo 2^bits, as
// two's complement; for f32 bits is 24 and the sample is that number / 2^24.
// So each sample tells its position modulo 2^bits, and up to 16 channels
// differ.
func RampAt(f audio.Format, pos audio.Pos, dst []byte) {
	step := uint32(1) << (rampBits(f.Encoding) - 4)
	frame, size := f.FrameBytes(), f.Encoding.Bytes()
	for i := uint32(pos); len(dst) >= frame; i++ {
		v, d := i, dst[:frame]
		dst = dst[frame:]
		for ; len(d) >= size; v += step {
			switch f.Encoding {
			case audio.S16:
				binary.LittleEndian.PutUint16(d, uint16(v))
			case audio.S24:
				d[0], d[1], d[2] = byte(v), byte(v>>8), byte(v>>16)
			case audio.S32:
				binary.LittleEndian.PutUint32(d, v)
			case audio.F32:
				binary.LittleEndian.PutUint32(d, math.Float32bits(float32(v&(1<<24-1))/(1<<24)))
			}
			d = d[size:]
		}
	}
}

// RampPos returns the position modulo 2^bits that the first sample of b tells.
func RampPos(f audio.Format, b []byte) (audio.Pos, error) {
	if !f.Encoding.Valid() || len(b) < f.Encoding.Bytes() {
		return 0, fmt.Errorf("%d bytes hold no sample of %v", len(b), f)
	}
	switch f.Encoding {
	case audio.S16:
		return audio.Pos(binary.LittleEndian.Uint16(b)), nil
	case audio.S24:
		return audio.Pos(b[0]) | audio.Pos(b[1])<<8 | audio.Pos(b[2])<<16, nil
	case audio.S32:
		return audio.Pos(binary.LittleEndian.Uint32(b)), nil
	}
	v := float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) * (1 << 24)
	if v != math.Trunc(v) || v < 0 || v >= 1<<24 {
		return 0, fmt.Errorf("sample %v is not of the ramp", v/(1<<24))
	}
	return audio.Pos(v), nil
}

// CheckRamp returns an error that names the first frame of b that is not the
// ramp from position pos on, and the position that it tells instead.
func CheckRamp(f audio.Format, pos audio.Pos, b []byte) error {
	frame := f.FrameBytes()
	if frame == 0 || len(b)%frame != 0 {
		return fmt.Errorf("%d bytes are not whole frames of %v", len(b), f)
	}
	want := make([]byte, frame)
	for i := 0; i < len(b); i += frame {
		at := pos + audio.Pos(i/frame)
		RampAt(f, at, want)
		if got := b[i : i+frame]; string(got) != string(want) {
			told, err := RampPos(f, got)
			if err != nil {
				return fmt.Errorf("frame at %d: %w", at, err)
			}
			return fmt.Errorf("frame at %d is %x, want %x: its first sample tells %d (modulo 2^%d)", at, got, want, told, rampBits(f.Encoding))
		}
	}
	return nil
}
