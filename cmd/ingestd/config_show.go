package main

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ingestd/ingestd/configs"
)

// configInit writes the packaged configuration, every key with a comment.
func configInit(w io.Writer) error {
	_, err := io.WriteString(w, configs.Packaged())
	return err
}

// configCheck says that cfg is good, and where each reader would store the
// second chunk of each sensor. It opens nothing.
func configCheck(w io.Writer, cfg *config) error {
	var b strings.Builder
	for _, warning := range cfg.warnings {
		fmt.Fprintln(&b, "warning:", warning)
	}
	fmt.Fprintf(&b, "ok: %s, %s, %s\n", counted(len(cfg.enabled()), "sensor"), counted(len(cfg.Readers), "reader"), counted(len(cfg.Sinks), "sink"))
	for _, r := range cfg.Readers {
		for _, s := range cfg.served(r) {
			name, err := cfg.exampleName(r.Sink, s.ID, secondBlock(r, s))
			if err != nil {
				return fmt.Errorf("name chunk of %s: %w", s.ID, err)
			}
			fmt.Fprintf(&b, "%s: %s -> %s\n", r.Name, s.ID, name)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// secondBlock is the block of the second chunk that r makes of s: 0 if the
// format is known only when the source is opened.
func secondBlock(r *readerConfig, s *sensorConfig) int64 {
	f, _ := s.format()
	frames, err := r.Chunk.frames(f)
	if err != nil {
		return 0
	}
	switch r.Key {
	case keyBytes:
		return frames * int64(f.FrameBytes())
	case keyMS:
		return frames * 1000 / int64(f.Rate)
	}
	return frames
}

// setting is a value in force.
type setting struct {
	field
	path, value, origin string
}

// configShow writes all values in force, by their paths, and with origin where
// each was said.
func configShow(w io.Writer, cfg *config, origin bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, s := range cfg.settings() {
		line := s.path + "\t" + s.value
		if origin {
			line += "\t" + s.origin
		}
		if _, err := fmt.Fprintln(t, line); err != nil {
			return err
		}
	}
	return t.Flush()
}

// settings are all values in force, in the order of the packaged file.
func (c *config) settings() []setting {
	all := c.collect("", "", reflect.ValueOf(c).Elem())
	for _, s := range c.Sensors {
		for _, v := range c.collect("sensor."+s.ID+".", s.Source, reflect.ValueOf(s).Elem()) {
			if s.Source != sourceTone || v.kindTakes(s.Kind) {
				all = append(all, v)
			}
		}
	}
	for _, r := range c.Readers {
		all = append(all, c.collect("reader."+r.Name+".", "", reflect.ValueOf(r).Elem())...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		all = append(all, c.collect("sink."+name+".", c.Sinks[name].Driver, reflect.ValueOf(c.Sinks[name]).Elem())...)
	}
	return all
}

// collect lists the values of a struct that the source or driver takes.
func (c *config) collect(prefix, which string, v reflect.Value) []setting {
	var all []setting
	for _, f := range fieldsOf(v.Type()) {
		path, value := prefix+f.name, v.FieldByIndex(f.Index)
		if !f.takenBy(which) || prefix == "" && (f.name == "sensor" || f.name == "reader" || f.name == "sink") {
			continue
		}
		_, one := value.Addr().Interface().(setter)
		if value.Kind() == reflect.Struct && !one {
			all = append(all, c.collect(path+".", "", value)...)
			continue
		}
		shown := shownValue(value)
		if path == "http.listen" && shown == `""` {
			shown = `"off"`
		}
		all = append(all, setting{f, path, shown, c.at(path).line()})
	}
	return all
}

// shownValue writes a value as the file would have it.
func shownValue(v reflect.Value) string {
	switch s := v.Addr().Interface().(type) {
	case setter:
		return s.String()
	case *[]string:
		return "[" + quotedList(*s) + "]"
	case *[]file:
		names := make([]string, len(*s))
		for i, f := range *s {
			names[i] = string(f)
		}
		return "[" + quotedList(names) + "]"
	case *map[string]string:
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(*s)) {
			pairs = append(pairs, fmt.Sprintf("%s = %q", bareKey(name), (*s)[name]))
		}
		return strings.TrimSpace("{ "+strings.Join(pairs, ", ")) + " }"
	case fmt.Stringer:
		return strconv.Quote(strings.Trim(s.String(), `"`))
	}
	if v.Kind() == reflect.String {
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// bareKey is a key as it is written: without quotes, if it needs none.
func bareKey(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) {
		return strconv.Quote(name)
	}
	return name
}
