package wav

import (
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// sample is how the sound of a file is laid out, before 8 bits are widened.
type sample struct {
	audio.Format      // as the Reader delivers it
	plain        bool // format tag 1 in a fmt chunk of ordinary length
	widen        bool // the file has 8 bits a sample
	frameBytes   int  // in the file
}

// parseFormat reads the first bytes of a fmt chunk of length bytes: 16, or up
// to 40 where there are as many.
func parseFormat(b []byte, length uint64) (sample, error) {
	if len(b) < 16 {
		return sample{}, fmt.Errorf("its format (the fmt chunk) has %d bytes, 16 at least are needed. %s", length, again)
	}
	tag, bits := le.Uint16(b), int(le.Uint16(b[14:]))
	channels, rate, align := int(le.Uint16(b[2:])), le.Uint32(b[4:]), int(le.Uint16(b[12:]))
	s := sample{plain: tag == tagPCM && length <= 64}
	if tag == tagExtensible {
		if len(b) < 40 {
			return sample{}, fmt.Errorf("its format is EXTENSIBLE with %d bytes, 40 are needed. %s", length, again)
		}
		if string(b[26:40]) != guidTail {
			return sample{}, fmt.Errorf("its format is EXTENSIBLE with an unknown SubFormat %x. %s", b[24:40], reads+convert)
		}
		tag = le.Uint16(b[24:])
	}
	switch {
	case tag == tagPCM && bits == 8:
		s.Encoding, s.widen = audio.S16, true
	case tag == tagPCM && bits == 16:
		s.Encoding = audio.S16
	case tag == tagPCM && bits == 24:
		s.Encoding = audio.S24
	case tag == tagPCM && bits == 32:
		s.Encoding = audio.S32
	case tag == tagFloat && bits == 32:
		s.Encoding = audio.F32
	default:
		return sample{}, refuseTag(tag, bits)
	}
	if channels < 1 || channels > audio.MaxChannels {
		return sample{}, fmt.Errorf("it has %d channels; 1 to %d can be read. %s", channels, audio.MaxChannels, again)
	}
	if rate < 1 || rate > audio.MaxRate {
		return sample{}, fmt.Errorf("its rate is %d Hz; 1 to %d can be read. %s", rate, audio.MaxRate, again)
	}
	s.Rate, s.Channels, s.frameBytes = int(rate), channels, channels*bits/8
	if align != s.frameBytes {
		return sample{}, fmt.Errorf("its block align is %d bytes, but a frame of %d x %d bits has %d. %s",
			align, channels, bits, s.frameBytes, again)
	}
	return s, nil
}
