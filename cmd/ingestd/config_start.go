package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// startTime is when the source of a sensor starts, and with a replayed WAV when
// its first frame was captured.
type startTime struct {
	OnDemand bool      // it runs only while somebody reads
	File     bool      // as the file says, in bext, GUANO or its name
	Time     time.Time // in UTC; zero, without the others: now
}

// onDemand is the word for it.
const onDemand = "on-demand"

func (s *startTime) set(n *node) error {
	must := `must be "now", "on-demand", or of a WAV "file", a time such as "2026-11-21T10:00:00Z" or Unix milliseconds, not %v.`
	if text, ok := n.content(); ok && text == onDemand {
		*s = startTime{OnDemand: true}
		return nil
	} else if near := nearest(text, []string{"now", "file", onDemand}); ok && near != "" {
		must += fmt.Sprintf(" Did you mean %q?", near)
	}
	return s.read(n, must)
}

// read reads everything but on-demand. must is the end of a sentence that says
// what is allowed, with a verb for what was written.
func (s *startTime) read(n *node, must string) error {
	if n.kind == kindLocal {
		return errorf("is %q: add Z (UTC) or an offset such as +01:00.", n.text)
	}
	if _, ok := n.content(); !ok && n.kind != kindMoment && n.kind != kindInteger {
		return errorf(must, n.kind)
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
	t, err := parseTime(text, must)
	if err != nil {
		return err
	}
	*s = startTime{Time: t}
	return nil
}

func (s startTime) String() string {
	switch {
	case s.OnDemand:
		return strconv.Quote(onDemand)
	case s.File:
		return `"file"`
	case s.Time.IsZero():
		return `"now"`
	}
	return strconv.Quote(s.Time.Format(time.RFC3339Nano))
}

// setFlag reads what set reads of a WAV, and what is handy to type: the time before now,
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
	return s.read(flagNode(text), `must be "now", "file", a time such as "2026-11-21T10:00:00Z" or Unix milliseconds, not %v.`)
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
// with the name of the value; must is as for read.
func parseTime(s, must string) (time.Time, error) {
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
	return t, errorf(must, quoted(s))
}

// start judges when a sensor starts, and when a WAV begins.
func (k checker) start(path, name string, s *sensorConfig) {
	switch {
	case s.Start.OnDemand:
		k.onDemand(path, name, s)
	case s.Source != sourceWAV && s.Start != (startTime{}):
		k.wrong(path+".start", `start of %s is %v, and only a WAV is told when it was recorded. Write start = "now" or "on-demand".`, name, s.Start)
	case !k.now.IsZero() && s.Start.future(k.now):
		k.wrong(path+".start", "start of %s is in the future: %v. Write when it was recorded.", name, s.Start)
	case s.Loop && s.Start.File:
		k.wrong(path+".start", `start of %s is "file", and a loop is later each time than its files say. Write start = "now" or a time, or loop = false.`, name)
	case s.Loop && s.Speed.Times == 0:
		k.warnf(k.c.at(path+".loop"), "%s is played in a loop as fast as the sinks take it: that fills the disk, with sound that is dated ahead of the clock. Set speed = 1, or loop = false.", name)
	}
}

// onDemand judges a source that runs only while somebody reads.
func (k checker) onDemand(path, name string, s *sensorConfig) {
	if s.waits() {
		k.wrong(path+".start", `start of %s is "on-demand", and with speed = 0 it is as fast as the sinks take it: who listens is no sink. Set speed = 1, or start = "now".`, name)
	}
	if r := k.c.storedBy(s); r != nil && s.Enabled {
		k.warnf(k.c.at(path+".start"), `start = "on-demand" has no effect on %s: reader %s stores it, so it runs always. Leave it out of the sensors of %[2]s, or remove start.`, name, cmp.Or(r.title, r.Name))
	}
}
