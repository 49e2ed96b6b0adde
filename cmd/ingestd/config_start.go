package main

import (
	"strconv"
	"strings"
	"time"
)

// startTime is when the first frame of a replayed WAV was captured.
type startTime struct {
	File bool      // as the file says, in bext, GUANO or its name
	Time time.Time // in UTC; zero, without File: now
}

func (s *startTime) set(n *node) error {
	if n.kind == kindLocal {
		return errorf("is %q: add Z (UTC) or an offset such as +01:00.", n.text)
	}
	if _, ok := n.content(); !ok && n.kind != kindMoment && n.kind != kindInteger {
		return errorf(`must be "now", "file", a time such as "2026-11-21T10:00:00Z" or Unix milliseconds, not %v.`, n.kind)
	}
	switch n.text {
	case "now":
		*s = startTime{}
		return nil
	case "file":
		*s = startTime{File: true}
		return nil
	}
	text := n.text
	if n.kind == kindInteger {
		text = strings.ReplaceAll(text, "_", "")
	}
	t, err := parseTime(text)
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

// setFlag reads what set reads, and what is handy to type: the time before now,
// such as -10m, and @ with the seconds since 1970.
func (s *startTime) setFlag(text string, now time.Time) error {
	if seconds, ok := strings.CutPrefix(text, "@"); ok {
		t, err := parseSeconds(seconds)
		*s = startTime{Time: t}
		return err
	}
	if ago, err := time.ParseDuration(text); err == nil && ago < 0 {
		*s = startTime{Time: now.Add(ago)}
		if s.Time.Unix() < 0 {
			return errorf("%s is before 1970.", quoted(text))
		}
		return nil
	}
	return s.set(flagNode(text))
}

// parseSeconds reads seconds since 1970 with up to nine digits of a fraction.
func parseSeconds(s string) (time.Time, error) {
	whole, part, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseUint(whole, 10, 37) // up to the year 6325
	ns, err2 := strconv.ParseUint((part + "000000000")[:max(9, len(part))], 10, 30)
	if err != nil || err2 != nil || len(part) > 9 {
		return time.Time{}, errorf(`must be seconds since 1970 behind its @, such as "@1795287841.15", not %s.`, quoted("@"+s))
	}
	return time.Unix(int64(seconds), int64(ns)).UTC(), nil
}

// ahead is how far a start may lie behind now: the clocks of two machines
// differ. A session of the future would spoil the names of all later ones,
// each of which must be greater.
const ahead = 24 * time.Hour

// future says whether s is later than sound can have been captured.
func (s startTime) future(now time.Time) bool { return s.Time.After(now.Add(ahead)) }

// parseTime reads an RFC 3339 time, for which an offset is demanded, or Unix
// milliseconds, from 1970 on. Its error is the end of a sentence that begins
// with the name of the value.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(s, " ", "T", 1))
	if ms, digits := strconv.ParseInt(s, 10, 64); digits == nil {
		t, err = time.UnixMilli(ms), nil
	}
	switch {
	case err == nil && t.Unix() < 0:
		return t, errorf("%s is before 1970.", quoted(s))
	case err == nil && t.Year() > 9999:
		return t, errorf("%s is behind the year 9999. Are these Unix milliseconds?", quoted(s))
	case err == nil:
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if _, err := time.Parse(layout, strings.Replace(s, " ", "T", 1)); err == nil {
			return t, errorf("is %q: add Z (UTC) or an offset such as +01:00.", s)
		}
	}
	return t, errorf(`must be "now", "file", a time such as "2026-11-21T10:00:00Z" or Unix milliseconds, not %s.`, quoted(s))
}
