package wav

import (
	"errors"
	"fmt"
	"strings"
)

// What a refusal ends with: the cure.
const (
	reads   = "PCM 8/16/24/32 and float 32 can. "
	convert = "Convert: ffmpeg -i IN -c:a pcm_s16le OUT.wav"
	deep    = "Convert: ffmpeg -i IN -c:a pcm_s24le OUT.wav"
	tofloat = "Convert: ffmpeg -i IN -c:a pcm_f32le OUT.wav"
	unpack  = "Unpack it first."
	again   = "The file is damaged: copy it again from where it was recorded, or leave it out."
)

var errEmpty = errors.New("the file is empty. Copy it again from where it was recorded, or leave it out.")

// magics are the first bytes of files that are often called .wav.
var magics = [...]struct{ begin, kind, cure string }{
	{"ID3", "an MP3", convert}, {"\xff\xfb", "an MP3", convert}, {"\xff\xf3", "an MP3", convert}, {"\xff\xf2", "an MP3", convert},
	{"OggS", "an Ogg file", convert}, {"fLaC", "a FLAC file", deep}, {"FORM", "an AIFF file", deep}, {".snd", "an AU file", deep},
	{"caff", "a CAF file", deep}, {"riff", "a Wave64 file", deep}, {"wvpk", "a WavPack file", deep}, {"MAC ", "a Monkey's Audio file", deep},
	{"\x1aE\xdf\xa3", "a Matroska file", convert}, {"PK\x03\x04", "a ZIP archive", unpack}, {"\x1f\x8b", "a gzip archive", unpack},
}

// refuseMagic says what a file is that begins with b, which is no WAV.
func refuseMagic(b []byte) error {
	head := string(b[:min(4, len(b))])
	if head == "RIFX" {
		return fmt.Errorf("its numbers are big-endian (it starts with \"RIFX\") and cannot be read. %s", deep)
	}
	if strings.Trim(string(b), "\x00") == "" {
		return fmt.Errorf("not a WAV file: it starts with zeros, so its content was never written (a crash, a full disk?). %s", again)
	}
	for _, m := range magics {
		if strings.HasPrefix(string(b), m.begin) {
			return fmt.Errorf("not a WAV file (starts with %q: %s?). %s", m.begin, m.kind, m.cure)
		}
	}
	if len(b) >= 8 && string(b[4:8]) == "ftyp" {
		return fmt.Errorf("not a WAV file (an MP4 or M4A?). %s", convert)
	}
	return fmt.Errorf("not a WAV file (starts with %q). %s", head, convert)
}

// tags names the formats that cannot be read.
var tags = [...]struct {
	tag  uint16
	name string
}{
	{0x0002, "ADPCM"}, {0x0011, "ADPCM"}, {0x0006, "A-law"}, {0x0007, "mu-law"}, {0x0031, "GSM 6.10"}, {0x0040, "G.721"},
	{0x0045, "G.726"}, {0x0050, "MPEG"}, {0x0055, "MP3"}, {0x0161, "WMA"}, {0x0162, "WMA"},
}

// refuseTag says why sound of that format tag and depth cannot be read.
func refuseTag(tag uint16, bits int) error {
	switch tag {
	case tagPCM:
		return fmt.Errorf("PCM of %d bits cannot be read. %s%s", bits, reads, deep)
	case tagFloat:
		return fmt.Errorf("float of %d bits cannot be read. %s%s", bits, reads, tofloat)
	}
	for _, t := range tags {
		if t.tag == tag {
			return fmt.Errorf("%s (format tag 0x%04X) cannot be read. %s%s", t.name, tag, reads, convert)
		}
	}
	return fmt.Errorf("format tag 0x%04X cannot be read. %s%s", tag, reads, convert)
}

// group writes n with a space between thousands.
func group(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// seconds writes how long frames last, to the millisecond below.
func seconds(frames, rate int64) string {
	s := fmt.Sprintf("%d.%03d", frames/rate, frames%rate*1000/rate)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " s"
}
