package main

import (
	"encoding"
	"fmt"
	"path/filepath"
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
		if near := nearest(name, names); near != "" {
			d.mark(s.path + near)
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

func readTruth(v reflect.Value, n *node) string {
	on, err := strconv.ParseBool(n.text)
	if n.kind != kindBoolean && (n.kind != kindWord || err != nil) {
		return fmt.Sprintf("must be true or false, not %v.", n.kind)
	}
	v.SetBool(on)
	return ""
}

// readWhole reads a number without a fraction.
func readWhole(v reflect.Value, n *node, unit string) string {
	base := 0
	if n.kind == kindWord {
		base = 10
	}
	i, err := strconv.ParseInt(n.text, base, 64)
	if (n.kind == kindInteger || n.kind == kindWord) && err == nil {
		v.SetInt(i)
		return ""
	}
	hint := ""
	if n.kind == kindText || n.kind == kindDecimal || n.kind == kindWord {
		hint = wholeHint(n.text)
	}
	if n.kind == kindWord {
		return fmt.Sprintf("must be a whole number of %s, not %s.%s", unit, quoted(n.text), hint)
	}
	kind := n.kind.String()
	if n.kind == kindDecimal {
		kind = n.text
	}
	return fmt.Sprintf("must be a whole number of %s, not %s.%s", unit, kind, hint)
}

// wholeHint offers the number that "384k", "48 kHz" or 48000.0 stand for.
func wholeHint(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	s, times := strings.TrimSuffix(s, "hz"), 1.0
	if strings.HasSuffix(s, "k") {
		s, times = s[:len(s)-1], 1000
	}
	f, err := strconv.ParseFloat(s, 64)
	if f *= times; err != nil || f != float64(int32(f)) {
		return ""
	}
	return fmt.Sprintf(" Write %d.", int32(f))
}

// readWord reads text, or a word out of a list.
func readWord(v reflect.Value, n *node, choice []string) string {
	s, ok := n.content()
	if !ok && len(choice) > 0 {
		return fmt.Sprintf("must be one of %s, not %v.", quotedList(choice), n.kind)
	}
	if !ok {
		return fmt.Sprintf("must be text in quotes, not %v.", n.kind)
	}
	if len(choice) > 0 && !slices.Contains(choice, s) {
		near := ""
		if name := nearest(s, choice); name != "" {
			near = fmt.Sprintf(" Did you mean %q?", name)
		}
		return fmt.Sprintf("must be one of %s, not %s.%s", quotedList(choice), quoted(s), near)
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(s)); err != nil {
			return fmt.Sprintf("is wrong: %v.", err)
		}
		return ""
	}
	if len(s) > maxText || strings.ContainsFunc(s, isControl) {
		return fmt.Sprintf("must be a line of at most %d bytes.", maxText)
	}
	v.SetString(s)
	return ""
}

// maxText and maxItems bound what is read: bytes of a text, elements of a list.
const maxText, maxItems = 4096, 10000

// isControl says whether a character has no place in a line of text.
func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufffd' }

func readWords(p *[]string, n *node) string {
	if n.kind != kindList {
		return fmt.Sprintf("must be a list, such as [\"a\", \"b\"], not %v.", n.kind)
	}
	if len(n.items) > maxItems {
		return fmt.Sprintf("must have at most %d elements.", maxItems)
	}
	all := make([]string, 0, len(n.items))
	for _, item := range n.items {
		s, ok := item.content()
		if !ok {
			return fmt.Sprintf("must be a list of texts in quotes; one of them is %v.", item.kind)
		}
		if len(s) > maxText || strings.ContainsFunc(s, isControl) {
			return fmt.Sprintf("must be lines of at most %d bytes.", maxText)
		}
		all = append(all, s)
	}
	*p = all
	return ""
}

func (d *decoder) labels(p *map[string]string, n *node) string {
	if n.kind != kindTable {
		return fmt.Sprintf("must be a table, such as { side = \"inlet\" }, not %v.", n.kind)
	}
	all := map[string]string{}
	for _, name := range n.names {
		s, ok := n.fields[name].content()
		if !ok {
			return fmt.Sprintf("must be texts in quotes; %s is %v.", quoted(name), n.fields[name].kind)
		}
		if len(name) == 0 || len(name)+len(s) > 1024 || len(n.names) > 64 || strings.ContainsFunc(name+s, isControl) {
			return "must be at most 64 lines of text, each with its name at most 1024 bytes long."
		}
		all[name] = s
	}
	*p = all
	return ""
}

func (d *decoder) file(p *file, n *node) string {
	s, ok := n.content()
	if !ok || len(s) > maxText || strings.ContainsFunc(s, isControl) {
		return "must be the name of a file or folder, in quotes."
	}
	if s != "" && s != standardInput && !filepath.IsAbs(s) {
		s = filepath.Join(d.folder(n.at), s)
	}
	*p = file(s)
	return ""
}

func (d *decoder) files(p *[]file, n *node) string {
	var names []string
	if wrong := readWords(&names, n); wrong != "" {
		return wrong
	}
	*p = nil
	for _, item := range n.items {
		var f file
		if wrong := d.file(&f, item); wrong != "" {
			return wrong
		}
		*p = append(*p, f)
	}
	return ""
}

// folder is where a relative name that was written at p begins.
func (d *decoder) folder(p place) string {
	if p.doc == nil {
		return d.cwd
	}
	folder := filepath.Dir(p.doc.name)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(d.cwd, folder)
	}
	return folder
}
