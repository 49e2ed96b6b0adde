package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/sink"
)

// chunkLength is how much one chunk holds: a length of time ("10s"), frames
// ("43008f") or bytes ("86016B"). One of its fields is set.
type chunkLength struct {
	time          time.Duration
	count, octets int64
}

func (c *chunkLength) set(n *node) error {
	s, ok := n.content()
	if !ok {
		if n.kind != kindInteger {
			return errorf(`must be text such as "10s", "43008f" or "86016B", not %v.`, n.kind)
		}
		return errorf(`must be text with a unit, not a number. Write "%[1]ss" (seconds), "%[1]sf" (frames) or "%[1]sB" (bytes).`, n.text)
	}
	parsed, err := parseChunk(s)
	if err == nil {
		*c = parsed
	}
	return err
}

// parseChunk reads a chunk length. Its error is the end of a sentence that
// begins with the name of the value.
func parseChunk(s string) (c chunkLength, err error) {
	switch {
	case strings.HasSuffix(s, "f"):
		c.count, err = strconv.ParseInt(s[:len(s)-1], 10, 64)
	case strings.HasSuffix(s, "B"):
		c.octets, err = strconv.ParseInt(s[:len(s)-1], 10, 64)
	default:
		c.time, err = time.ParseDuration(s)
	}
	if err != nil {
		return c, errorf(`must be a length of time such as "10s", frames such as "43008f" or bytes such as "86016B", not %s.`, quoted(s))
	}
	if c.time+time.Duration(c.count)+time.Duration(c.octets) <= 0 {
		return c, errorf("must be more than nothing, not %s.", quoted(s))
	}
	return c, nil
}

// maxChunk is how much sound a chunk may hold, in bytes: what a store takes in
// one file, with the longest header.
const maxChunk = sink.MaxChunk - wav.MaxHeader

// frames is the length of a chunk of f, at least one.
func (c chunkLength) frames(f audio.Format) (int64, error) {
	if err := f.Check(); err != nil {
		return 0, err
	}
	frame := int64(f.FrameBytes())
	var n int64
	switch {
	case c.count > 0:
		n = c.count
	case c.octets > 0:
		if c.octets%frame != 0 {
			down := c.octets / frame * frame
			return 0, fmt.Errorf("%v holds no whole number of frames of %d bytes (%v). Write \"%dB\"", c, frame, f, max(down, frame))
		}
		n = c.octets / frame
	default:
		n = f.Frames(c.time)
	}
	if n < 1 {
		return 0, fmt.Errorf("%v is less than one frame at %d Hz", c, f.Rate)
	}
	if n > maxChunk/frame {
		return 0, fmt.Errorf("%v makes chunks of more than 2 GiB with their header (%v). Write at most \"%df\"", c, f, maxChunk/frame)
	}
	return n, nil
}

func (c chunkLength) String() string {
	switch {
	case c.count > 0:
		return fmt.Sprintf(`"%df"`, c.count)
	case c.octets > 0:
		return fmt.Sprintf(`"%dB"`, c.octets)
	}
	return strconv.Quote(short(c.time))
}

// syncPolicy says how often what a sink has written is made durable.
type syncPolicy struct {
	Every time.Duration // 0: see the others
	Chunk bool          // when a chunk is whole
	None  bool          // never
}

func (p *syncPolicy) set(n *node) error {
	s, _ := n.content()
	switch s {
	case "chunk":
		*p = syncPolicy{Chunk: true}
		return nil
	case "none":
		*p = syncPolicy{None: true}
		return nil
	}
	every, err := readDuration(n)
	if err != nil {
		return errorf("%w Or \"chunk\" (when a chunk is whole) or \"none\".", err)
	}
	if every < 10*time.Millisecond || every > time.Hour {
		return errorf(`must be from "10ms" to "1h", or "chunk" or "none", not %s.`, quoted(s))
	}
	*p = syncPolicy{Every: every}
	return nil
}

func (p syncPolicy) String() string {
	switch {
	case p.Chunk:
		return `"chunk"`
	case p.None:
		return `"none"`
	}
	return strconv.Quote(short(p.Every))
}
