package wav

import (
	"bytes"
	"strconv"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// bextBytes is the length of a bext chunk without coding history:
//
//	  0 Description 256       "session=… sensor=… block=…"
//	256 Originator 32         "ingestd"
//	288 OriginatorReference 32   "SESSION/BLOCK"
//	320 OriginationDate 10    "2026-11-21", UTC
//	330 OriginationTime 8     "14:00:00"
//	338 TimeReference 8       frames since midnight, rounded down
//	346 Version 2             1
//	348 UMID 64 and reserved 190, zero
const bextBytes = 602

// appendBext appends the content of a bext chunk.
func appendBext(dst []byte, f audio.Format, t *Tags) []byte {
	begin := len(dst)
	fill := func(n int) {
		for len(dst) < begin+n {
			dst = append(dst, 0)
		}
		dst = dst[:begin+n]
	}
	if t.Sensor != "" {
		dst = strconv.AppendInt(append(dst, "session="...), int64(t.Session), 10)
		dst = append(append(dst, " sensor="...), t.Sensor...)
		dst = appendBlock(append(dst, " block="...), t.Block)
	}
	fill(256)
	dst = append(dst, "ingestd"...)
	fill(288)
	if t.Sensor != "" {
		dst = append(strconv.AppendInt(dst, int64(t.Session), 10), '/')
		if dst = appendBlock(dst, t.Block); len(dst) > begin+320 {
			dst = dst[:begin+288] // a part would name another block
		}
	}
	fill(320)
	if t.Start.IsZero() {
		fill(346)
	} else {
		at := t.Start.UTC()
		dst = at.AppendFormat(dst, "2006-01-0215:04:05")
		midnight := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		dst = le.AppendUint64(dst, uint64(f.Frames(at.Sub(midnight))))
	}
	dst = append(dst, 1, 0)
	fill(bextBytes)
	return dst
}

// appendBlock appends a block with 14 digits, as the names of chunks have it.
func appendBlock(dst []byte, block int64) []byte {
	for limit := int64(10_000_000_000_000); limit > 1 && block < limit; limit /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, block, 10)
}

// parseBext returns the start that a bext chunk gives, or the zero time.
// Without a TimeReference the time to the second counts.
func parseBext(b []byte, rate int) time.Time {
	if len(b) < 346 {
		return time.Time{}
	}
	date, clock, frames := b[320:330], b[330:338], le.Uint64(b[338:346])
	y, m, d := digits(date[:4]), digits(date[5:7]), digits(date[8:])
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1 || m < 1 || d < 1 || day.Year() != y || day.Month() != time.Month(m) || day.Day() != d {
		return time.Time{}
	}
	if frames > uint64(rate)*86400 {
		return time.Time{}
	}
	if frames > 0 {
		return day.Add(audio.Format{Rate: rate}.Duration(int64(frames)))
	}
	h, min, s := digits(clock[:2]), digits(clock[3:5]), digits(clock[6:])
	if h < 0 || h > 23 || min < 0 || min > 59 || s < 0 || s > 59 {
		return day
	}
	return day.Add(time.Duration(h*3600+min*60+s) * time.Second)
}

// digits reads a decimal number, -1 if b is none.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// readTags reads bext and GUANO, where the file has them.
func (c *check) readTags(t *Tags) error {
	if c.guan.n > maxGuano {
		c.note("its GUANO chunk of %s bytes is too long and not read", group(uint64(c.guan.n)))
	} else if c.guan.n > 0 {
		text, err := c.read(c.guan)
		if err != nil {
			return err
		}
		parseGuano(text, t)
		if bytes.Count(text, []byte("\n")) > maxFields {
			c.note("only the first %d lines of its GUANO chunk are read", maxFields)
		}
		if t.Start.IsZero() && bytes.Contains(text, []byte("\nTimestamp:")) {
			c.note("its GUANO Timestamp has no offset from UTC, or is no time, and is not used")
		}
	}
	if t.Start.IsZero() && c.bext.n > 0 {
		b, err := c.read(extent{c.bext.off, min(c.bext.n, bextBytes)})
		if err != nil {
			return err
		}
		t.Start = parseBext(b, c.format.Rate)
	}
	return nil
}
