package wav

import (
	"errors"
	"fmt"
	"io"
)

// check is the bounded look at the chunk headers that comes before anything
// else is read. It reads through ReadAt into one small buffer.
type check struct {
	r    io.ReaderAt
	size int64 // of the file
	buf  [40]byte

	riffEnd uint64 // where RIFF says the file ends
	long    bool   // RF64 or BW64
	ds64    bool   // its ds64 chunk was seen
	ds64len uint64 // what that says about the data chunk

	format   sample
	formatAt int64 // 0: not seen yet
	dataAt   int64 // first byte of the sound; 0: not seen yet
	dataLen  int64 // bytes of whole frames
	bext     extent
	guan     extent

	before int  // chunks seen, other than data
	second bool // a second data chunk was seen

	plain bool // go-audio reads the file right and cannot be led astray by it
	exact bool // header and file agree about the sound
	notes []string
}

// extent is the content of a chunk, known to lie in the file.
type extent struct{ off, n int64 }

func (c *check) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// at reads n <= 40 bytes at off, which the caller knows to lie in the file.
// They are valid until the next call.
func (c *check) at(off int64, n int) ([]byte, error) {
	b := c.buf[:n]
	if got, err := c.r.ReadAt(b, off); got < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, off, err)
	}
	return b, nil
}

// read reads a whole extent, which is bounded by the caller and by the file.
func (c *check) read(e extent) ([]byte, error) {
	b := make([]byte, e.n)
	if n, err := c.r.ReadAt(b, e.off); int64(n) < e.n {
		return nil, fmt.Errorf("read %d bytes at %d: %w", e.n, e.off, err)
	}
	return b, nil
}

// chunk is the header of one.
type chunk struct {
	id   string
	size uint32 // as written
	body int64  // offset of what follows the header
}

// chunkAt reads the header at off. ok says that it can be one: its id is text.
func (c *check) chunkAt(off int64) (k chunk, ok bool, err error) {
	if c.size-off < 8 {
		return chunk{}, false, nil
	}
	b, err := c.at(off, 8)
	if err != nil {
		return chunk{}, false, err
	}
	k = chunk{string(b[:4]), le.Uint32(b[4:]), off + 8}
	return k, isID(k.id), nil
}

func isID(id string) bool {
	for i := range len(id) {
		if id[i] < ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// known are the chunks that are common in WAV files, for telling a chunk from
// bytes that look like one.
func known(id string) bool {
	switch id {
	case "fmt ", "data", "fact", "bext", "guan", "LIST", "JUNK", "junk", "PAD ", "FLLR", "ds64", "cue ", "smpl", "inst",
		"iXML", "axml", "chna", "id3 ", "ID3 ", "_PMX", "PEAK", "wamd", "acid", "plst", "note", "afsp", "SAUR", "minf", "elm1", "regn", "umid":
		return true
	}
	return false
}

// run walks the file from its first byte to the last chunk.
func (c *check) run() error {
	if c.size == 0 {
		return errEmpty
	}
	b, err := c.at(0, int(min(c.size, 12)))
	if err != nil {
		return err
	}
	switch {
	case len(b) < 4:
		return refuseMagic(b)
	case string(b[:4]) == "RF64" || string(b[:4]) == "BW64":
		c.long = true
	case string(b[:4]) != "RIFF":
		return refuseMagic(b)
	}
	if len(b) < 12 {
		return fmt.Errorf("it ends after %d bytes, within its first header. %s", len(b), again)
	}
	if form := string(b[8:12]); form != "WAVE" {
		return fmt.Errorf("not a WAV file (RIFF of the kind %q). %s", form, convert)
	}
	c.riffEnd, c.plain, c.exact = 8+uint64(le.Uint32(b[4:])), !c.long, true
	return c.walk()
}

func (c *check) walk() error {
	off := int64(12)
	for n := 0; off < c.size; n++ {
		if n == maxChunks {
			if c.dataAt > 0 {
				break
			}
			return fmt.Errorf("it has more than %d chunks and no sound among them. %s", maxChunks, again)
		}
		k, ok, err := c.chunkAt(off)
		if err != nil {
			return err
		}
		if !ok {
			if c.dataAt == 0 {
				return c.refuse(off)
			}
			c.note("the %s bytes behind the sound are no chunk and not read", group(uint64(c.size-off)))
			break
		}
		if off, err = c.visit(k); err != nil {
			return err
		}
	}
	return c.complete()
}

// refuse says what is missing where the chunks end before the sound.
func (c *check) refuse(off int64) error {
	if off+8 > c.size {
		return c.complete()
	}
	return fmt.Errorf("at byte %s, before any sound, stands no chunk. %s", group(uint64(off)), again)
}

// complete refuses a file that lacks one of the two chunks it must have.
func (c *check) complete() error {
	switch {
	case c.dataAt == 0 && c.formatAt == 0:
		return fmt.Errorf("it has neither a format (fmt chunk) nor sound (data chunk). %s", again)
	case c.dataAt == 0:
		return fmt.Errorf("it has no sound (no data chunk). %s", again)
	case c.formatAt == 0:
		return fmt.Errorf("it does not say what its sound is (no fmt chunk). %s", again)
	case c.formatAt > c.dataAt:
		return fmt.Errorf("its format (fmt chunk) stands behind its sound (data chunk). %s", again)
	}
	return nil
}

// visit takes what is wanted from a chunk and returns where the next begins,
// or the end of the file if no next can be found.
func (c *check) visit(k chunk) (next int64, err error) {
	if k.id == "data" {
		return c.visitData(k)
	}
	left := c.size - k.body
	if int64(k.size) > left {
		if c.dataAt > 0 {
			c.note("the %s bytes behind the sound are no whole chunk and not read", group(uint64(c.size-k.body+8)))
			return c.size, nil
		}
		return 0, fmt.Errorf("chunk %q promises %s bytes, the file has %s. %s", k.id, group(uint64(k.size)), group(uint64(left)), again)
	}
	e := extent{k.body, int64(k.size)}
	switch {
	case k.id == "fmt " && c.formatAt == 0:
		err = c.visitFormat(e)
	case k.id == "ds64" && c.long && !c.ds64:
		err = c.visitDS64(e)
	case k.id == "bext" && c.bext.n == 0:
		c.bext = e
	case k.id == "guan" && c.guan.n == 0:
		c.guan = e
	}
	// go-audio looks into LIST and smpl and allocates by what it finds there;
	// each chunk before the sound costs it several reads and allocations.
	if c.before++; c.dataAt == 0 && (k.id == "LIST" || k.id == "smpl" || k.size > 1<<20 || c.before > 32) {
		c.plain = false
	}
	if err != nil {
		return 0, err
	}
	return c.after(e)
}

func (c *check) visitFormat(e extent) error {
	b, err := c.at(e.off, int(min(e.n, 40)))
	if err != nil {
		return err
	}
	c.formatAt = e.off
	if c.dataAt > 0 {
		return nil // complete refuses it
	}
	c.format, err = parseFormat(b, uint64(e.n))
	c.plain = c.plain && c.format.plain && !c.format.widen
	if c.format.widen {
		c.note("its 8-bit sound is widened to s16, exactly")
	}
	return err
}

func (c *check) visitDS64(e extent) error {
	if e.n < 24 {
		return fmt.Errorf("its ds64 chunk has %d bytes, 24 at least are needed. %s", e.n, again)
	}
	b, err := c.at(e.off, 16)
	if err != nil {
		return err
	}
	c.ds64, c.riffEnd, c.ds64len = true, le.Uint64(b)+8, le.Uint64(b[8:])
	return nil
}

// after finds the chunk behind e. One of odd length is followed by a pad byte,
// which some writers forget: it is missing if only that reading gives a chunk,
// or one whose id is known where the other's is not.
func (c *check) after(e extent) (int64, error) {
	end := e.off + e.n
	if e.n%2 == 0 || end+1 >= c.size {
		return end + e.n%2, nil
	}
	padded, pok, err := c.chunkAt(end + 1)
	if err != nil {
		return 0, err
	}
	bare, bok, err := c.chunkAt(end)
	if err != nil {
		return 0, err
	}
	if pok && (known(padded.id) || !bok || !known(bare.id)) || !bok {
		return end + 1, nil
	}
	if c.dataAt == 0 {
		c.plain = false
	}
	return end, nil
}
