package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decoder fills a config from a merged tree. The TOML library's own decoding
// ends at the first value of a wrong type and does not tell which element of
// a list it is about; this one reports every fault at its place.
type decoder struct {
	*report
	places map[string]place
	cwd    string // for relative names that are in no file
}

// field is a key that a struct takes.
type field struct {
	reflect.StructField
	name  string
	takes []string // the sources or drivers that take it; empty: all
}

// fieldsOf lists the keys of a struct, those of embedded structs in their
// place.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, inner := range fieldsOf(f.Type) {
				inner.Index = append([]int{i}, inner.Index...)
				all = append(all, inner)
			}
			continue
		}
		if name := f.Tag.Get("toml"); name != "" {
			all = append(all, field{f, name, strings.Fields(f.Tag.Get("for"))})
		}
	}
	return all
}

// takenBy says whether a source or driver takes the key.
func (f field) takenBy(which string) bool {
	return which == "" || len(f.takes) == 0 || slices.Contains(f.takes, which)
}

// kindTakes says whether a kind of tone takes the key.
func (f field) kindTakes(kind string) bool {
	kinds := strings.Fields(f.Tag.Get("kind"))
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}

// subject is the table that is being read: for messages and paths.
type subject struct {
	path  string // "sensor.mic0."
	head  string // "[[sensor]] mic0"
	name  string // "mic0", "sink disk": what a value is said to be of; empty: the path says it
	which string // its source or driver, if keys depend on it
}

// value names the value of a key in a message.
func (s subject) value(key string) string {
	if s.name == "" {
		return s.path + key
	}
	return key + " of " + s.name
}

// table fills the struct v with the fields of n.
func (d *decoder) table(v reflect.Value, n *node, s subject) {
	fields := fieldsOf(v.Type())
	d.unknown(fields, n, s)
	for _, f := range fields {
		value := n.fields[f.name]
		if value == nil {
			continue
		}
		path := s.path + f.name
		d.places[path] = value.at
		if !f.takenBy(s.which) {
			d.mark(path)
			d.faultf(value.key, "key %q in %s is for %s %s; here %[3]s = %[5]q. Remove it.", f.name, s.head, decidedBy(s), quotedList(f.takes), s.which)
			continue
		}
		before := len(d.faults)
		if wrong := d.value(v.FieldByIndex(f.Index), value, f, s); wrong != "" {
			d.faultf(value.at, "%s %s", s.value(f.name), wrong)
		}
		if len(d.faults) > before {
			d.mark(path)
		}
	}
}

// decidedBy names the key that decides which other keys a table takes.
func decidedBy(s subject) string {
	if strings.HasPrefix(s.path, "sink.") {
		return "driver"
	}
	return "source"
}

func quotedList(words []string) string {
	quotes := make([]string, len(words))
	for i, w := range words {
		quotes[i] = strconv.Quote(w)
	}
	return strings.Join(quotes, ", ")
}

// unknown reports the keys of n that no field takes. The key that was meant
// is not reported as missing too.
func (d *decoder) unknown(fields []field, n *node, s subject) {
	var names []string
	for _, f := range fields {
		if f.takenBy(s.which) {
			names = append(names, f.name)
		}
	}
	for _, name := range n.names {
		if slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			continue
		}
		if near := nearest(name, names); near != "" && n.fields[near] == nil {
			d.mark(s.path + near)
		}
		if d.full() {
			d.more++
			continue
		}
		d.faultf(n.fields[name].key, "unknown key %s in %s. %s", quoted(name), s.head, meant(name, "Keys there", names))
	}
}

// value fills v from n. It returns what the value must be, or reports faults
// of its own.
func (d *decoder) value(v reflect.Value, n *node, f field, s subject) (wrong string) {
	switch p := v.Addr().Interface().(type) {
	case setter:
		if err := p.set(n); err != nil {
			return err.Error()
		}
		return ""
	case *file:
		return d.file(p, n)
	case *[]file:
		return d.files(p, n)
	case *[]string:
		return readWords(p, n)
	case *map[string]string:
		return d.labels(p, n)
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.inner(v, n, f, s)
	case reflect.Bool:
		return readTruth(v, n)
	case reflect.Int:
		return readWhole(v, n, f.Tag.Get("unit"))
	}
	return readWord(v, n, strings.Fields(f.Tag.Get("oneof")))
}

// inner fills a table that is a field of another.
func (d *decoder) inner(v reflect.Value, n *node, f field, s subject) string {
	if n.kind != kindTable {
		return fmt.Sprintf("must be a table, not %v. Write [%s].", n.kind, s.path+f.name)
	}
	path := s.path + f.name
	d.table(v, n, subject{path: path + ".", head: "[" + path + "]"})
	return ""
}
