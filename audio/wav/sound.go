package wav

import (
	"io"

	goaudio "github.com/go-audio/wav"
)

// section is the sound read by ourselves.
type section struct{ *io.SectionReader }

func (s section) rewind() error {
	_, err := s.Seek(0, io.SeekStart)
	return err
}

// decoded is the sound as go-audio finds it. Only the bytes of its data chunk
// are used: its buffers are slow, and its formats are not what files say.
type decoded struct {
	*goaudio.Decoder
	io.Reader
}

func (d *decoded) rewind() error {
	if err := d.Decoder.Rewind(); err != nil {
		return err
	}
	d.Reader = d.PCMChunk.R
	return nil
}

// openSound gives the file to go-audio if the check found nothing in it that
// go-audio reads wrongly, and if both then agree on where the sound is and
// what it is. It never gives it more than the check has seen.
func openSound(c *check) sound {
	if c.plain {
		file := io.NewSectionReader(c.r, 0, c.dataAt+c.dataLen)
		d := goaudio.NewDecoder(file)
		err := d.FwdToPCM()
		at, _ := file.Seek(0, io.SeekCurrent)
		if err == nil && d.Err() == nil && d.PCMChunk != nil && at == c.dataAt && d.PCMLen() >= c.dataLen &&
			int(d.NumChans) == c.format.Channels && int(d.SampleRate) == c.format.Rate && int(d.BitDepth) == 8*c.format.Encoding.Bytes() {
			return &decoded{d, d.PCMChunk.R}
		}
	}
	return section{io.NewSectionReader(c.r, c.dataAt, c.dataLen)}
}
