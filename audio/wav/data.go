package wav

import "fmt"

// visitData settles how much sound there is: what the header promises, what
// the file has, in whole frames.
func (c *check) visitData(k chunk) (next int64, err error) {
	if c.dataAt > 0 {
		return c.visitSecond(k)
	}
	c.dataAt = k.body
	left := c.size - k.body
	promised, open := uint64(k.size), k.size == unknown32
	if open && c.ds64 {
		promised, open = c.ds64len, false
	}
	if c.formatAt == 0 { // refused; walk on to see whether a format follows
		if open || promised > uint64(left) {
			return c.size, nil
		}
		return c.after(extent{k.body, int64(promised)})
	}
	use := left
	switch {
	case open:
		c.odd(left, "the header does not say how much sound there is (a recording that was not finished?)")
	case promised == 0 && left > 0:
		empty, err := c.emptyAgrees(k.body)
		if err != nil {
			return 0, err
		}
		if empty {
			return c.visitEmpty(k, left)
		}
		c.odd(left, "the header promises no sound, the file has %s bytes", group(uint64(left)))
	case promised > uint64(left):
		c.odd(left, "the header promises %s bytes of sound, the file has %s", group(promised), group(uint64(left)))
	default:
		use = int64(promised)
	}
	if part := use % int64(c.format.frameBytes); part > 0 {
		c.note("its sound ends with %d of the %d bytes of a frame; they are left out", part, c.format.frameBytes)
		c.exact, c.plain = false, false
		c.dataLen = use - part
	} else {
		c.dataLen = use
	}
	if open || promised > uint64(left) || use != int64(promised) {
		return c.size, nil
	}
	return c.after(extent{k.body, use})
}

func (c *check) visitSecond(k chunk) (next int64, err error) {
	if !c.second {
		c.note("there is a second data chunk, of %s bytes; it is not read", group(uint64(k.size)))
	}
	c.second = true
	if int64(k.size) > c.size-k.body {
		return c.size, nil
	}
	return c.after(extent{k.body, int64(k.size)})
}

// odd notes that header and file disagree, and that bytes of sound are used.
func (c *check) odd(bytes int64, format string, args ...any) {
	used := seconds(bytes/int64(c.format.frameBytes), int64(c.format.Rate))
	c.note("%s. Using %s.", fmt.Sprintf(format, args...), used)
	c.exact, c.plain = false, false
}

// visitEmpty leaves the sound empty, and says so if left bytes follow that the
// header knows nothing of.
func (c *check) visitEmpty(k chunk, left int64) (next int64, err error) {
	if c.riffEnd > uint64(k.body) {
		return k.body, nil
	}
	c.exact = false
	c.note("the header says that there is no sound and that the file ends there; %s bytes follow and are not read", group(uint64(left)))
	return c.size, nil
}

// emptyAgrees says whether a data chunk of size 0 at body is truly empty: RIFF
// ends there too, or chunks follow that end where RIFF does.
func (c *check) emptyAgrees(body int64) (bool, error) {
	off := uint64(body)
	for range maxChunks {
		if off == c.riffEnd || off == c.riffEnd+1 && off%2 == 0 {
			return true, nil
		}
		if off > c.riffEnd {
			break
		}
		k, ok, err := c.chunkAt(int64(off))
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		off += 8 + uint64(k.size) + uint64(k.size%2)
	}
	return false, nil
}
