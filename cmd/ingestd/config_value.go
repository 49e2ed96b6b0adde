package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

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
		return errorf("must be 0 (as fast as the sinks take it) or from %v to %d, not %v.", minSpeed, int(maxSpeed), number{v})
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

// location is where a sensor stands, in degrees (WGS 84); an empty
// list if that is not known.
type location struct {
	Latitude, Longitude float64
	Known               bool
}

func (l *location) set(n *node) error {
	must := errorf("must be a latitude and a longitude in degrees, such as [46.5191, 6.5668].")
	if n.kind == kindList && len(n.items) == 0 {
		*l = location{}
		return nil
	}
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
