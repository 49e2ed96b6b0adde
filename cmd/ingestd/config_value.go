package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// The types below are structs, so that a bare number in the file never becomes
// a count of nanoseconds. Each reads itself from a node: set returns what the
// value must be, as the end of the sentence "ring of mic0 …".
type setter interface {
	set(n *node) error
	String() string
}

// errorf makes the end of such a sentence.
func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// content is the text of n, if it is text.
func (n *node) content() (string, bool) { return n.text, n.kind == kindText || n.kind == kindWord }

// duration is a length of time that is not negative, written "10s" or "200ms".
type duration struct{ time.Duration }

func (d *duration) set(n *node) error {
	parsed, err := readDuration(n)
	if err != nil {
		return err
	}
	d.Duration = parsed
	return nil
}

func (d duration) String() string { return strconv.Quote(short(d.Duration)) }

func readDuration(n *node) (time.Duration, error) {
	s, ok := n.content()
	if !ok {
		return 0, errorf(`must be text with a unit, such as "10s", not %v.%s`, n.kind, seconds(n))
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, errorf(`must be a length of time such as "10s", "200ms" or "1h", not %s.%s`, quoted(s), seconds(n))
	case d < 0:
		return 0, errorf("must not be negative: %s.", quoted(s))
	}
	return d, nil
}

// seconds offers to read a bare number as seconds.
func seconds(n *node) string {
	if _, err := strconv.ParseFloat(n.text, 64); err != nil || len(n.text) > 12 {
		return ""
	}
	return fmt.Sprintf(" If seconds are meant, write %q.", n.text+"s")
}

// short writes a duration without the zeros at its end: 10m, not 10m0s.
func short(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// quoted writes what a user wrote, cut to a line's length.
func quoted(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:77], "") + "..."
	}
	return strconv.Quote(s)
}

// speed is how many times faster than real a WAV is played; 0 is as fast as
// the sinks take it.
type speed struct{ Times float64 }

// Speeds beyond these say nothing that 0 does not say better.
const minSpeed, maxSpeed = 0.001, source.MaxSpeed

func (s *speed) set(n *node) error {
	v, err := readNumber(n)
	if err != nil {
		return errorf("must be a number: 1 is real time, 0 as fast as the sinks take it. %w", err)
	}
	if v != 0 && (v < minSpeed || v > maxSpeed) {
		return errorf("must be 0 (as fast as the sinks take it) or from %v to %v, not %v.", minSpeed, maxSpeed, v)
	}
	s.Times = v
	return nil
}

func (s speed) String() string { return number{s.Times}.String() }

// number is a finite number.
type number struct{ Value float64 }

func (v *number) set(n *node) error {
	f, err := readNumber(n)
	if err != nil {
		return errorf("must be a number. %w", err)
	}
	v.Value = f
	return nil
}

func (v number) String() string {
	s := strconv.FormatFloat(v.Value, 'g', -1, 64)
	if strings.ContainsAny(s, ".e") {
		return s
	}
	return s + ".0"
}

func readNumber(n *node) (float64, error) {
	if n.kind != kindInteger && n.kind != kindDecimal && n.kind != kindWord {
		if _, err := strconv.ParseFloat(n.text, 64); n.kind == kindText && err == nil {
			return 0, errorf("Write %s, without quotes.", n.text)
		}
		return 0, errorf("This is %v.", n.kind)
	}
	if n.kind == kindInteger {
		i, err := strconv.ParseInt(n.text, 0, 64)
		return float64(i), err
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, errorf("%s is not a number that can be used.", quoted(n.text))
	}
	return f, nil
}

// startTime is when the first frame of a replayed WAV was captured.
type startTime struct {
	File bool      // as the file says, in bext, GUANO or its name
	Time time.Time // in UTC; zero, without File: now
}

func (s *startTime) set(n *node) error {
	if n.kind == kindLocal {
		return errorf("is %q: add Z (UTC) or an offset such as +01:00.", n.text)
	}
	if _, ok := n.content(); !ok && n.kind != kindMoment {
		return errorf(`must be "now", "file" or a time such as "2026-11-21T10:00:00Z", not %v.`, n.kind)
	}
	switch n.text {
	case "now":
		*s = startTime{}
		return nil
	case "file":
		*s = startTime{File: true}
		return nil
	}
	t, err := parseTime(n.text)
	if err != nil {
		return err
	}
	*s = startTime{Time: t}
	return nil
}

func (s startTime) String() string {
	switch {
	case s.File:
		return `"file"`
	case s.Time.IsZero():
		return `"now"`
	}
	return strconv.Quote(s.Time.Format(time.RFC3339Nano))
}

// parseTime reads an RFC 3339 time, for which an offset is demanded, from 1970
// on. Its error is the end of a sentence that begins with the name of the
// value.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(s, " ", "T", 1))
	switch {
	case err == nil && t.Unix() < 0:
		return t, errorf("%s is before 1970.", quoted(s))
	case err == nil:
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if _, err := time.Parse(layout, strings.Replace(s, " ", "T", 1)); err == nil {
			return t, errorf("is %q: add Z (UTC) or an offset such as +01:00.", s)
		}
	}
	return t, errorf(`must be "now", "file" or a time such as "2026-11-21T10:00:00Z", not %s.`, quoted(s))
}

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

// maxChunk is the longest chunk in bytes: beyond it, tools that count in 32
// bits read a WAV wrongly.
const maxChunk = 1<<31 - 1

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
		return 0, fmt.Errorf("%v makes chunks of more than 2 GiB (%v). Write at most \"%df\"", c, f, maxChunk/frame)
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

// location is where a sensor stands, in degrees (WGS 84).
type location struct {
	Latitude, Longitude float64
	Known               bool
}

func (l *location) set(n *node) error {
	must := errorf("must be a latitude and a longitude in degrees, such as [46.5191, 6.5668].")
	if n.kind != kindList || len(n.items) != 2 {
		return must
	}
	latitude, err := readNumber(n.items[0])
	longitude, err2 := readNumber(n.items[1])
	if err != nil || err2 != nil || math.Abs(latitude) > 90 || math.Abs(longitude) > 180 {
		return must
	}
	*l = location{latitude, longitude, true}
	return nil
}

func (l location) String() string {
	if !l.Known {
		return "[]"
	}
	return fmt.Sprintf("[%v, %v]", number{l.Latitude}, number{l.Longitude})
}

// file is the name of a file or folder. In a configuration file a relative one
// begins at the folder of that file, else at the working directory.
type file string

func (f file) String() string { return strconv.Quote(string(f)) }
