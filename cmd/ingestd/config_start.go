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
