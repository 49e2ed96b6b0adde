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

// The functions of this file fill a value from a node. They return what the
// value must be, as the end of the sentence "rate of mic1 …".

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
		return fmt.Sprintf("must be one line of text, at most %d bytes long.", maxText)
	}
	v.SetString(s)
	return ""
}

// maxText and maxItems bound what is read: bytes of a text, elements of a list.
const maxText, maxItems = 4096, 1000

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
			return fmt.Sprintf("must be lines of text, each at most %d bytes long.", maxText)
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
	if len(n.names) == 0 {
		return ""
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
	if err := homeless(s); err != nil {
		return err.Error()
	}
	if s != "" && s != standardInput && !filepath.IsAbs(s) {
		s = filepath.Join(d.folder(n.at), s)
	}
	*p = file(s)
	return ""
}

// references are how secrets will be referred to. Nothing is looked up yet.
const references = "env: file: cred:"

// homeless refuses ~/name and ~user/name, which a shell would have replaced, and
// references. The error is the end of a sentence that begins with the name of
// the value.
func homeless(name string) error {
	for prefix := range strings.FieldsSeq(references) {
		if strings.HasPrefix(name, prefix) {
			return errorf("must not begin with %q: references are not known yet, and %s would be taken as the name of a file. Write the path; or %s if it is called so.", prefix, quoted(name), quoted("./"+name))
		}
	}
	first, rest, _ := strings.Cut(name, "/")
	if !strings.HasPrefix(first, "~") {
		return nil
	}
	home := "the whole path"
	if first == "~" {
		home += fmt.Sprintf(" (in a shell: %s)", quoted(strings.TrimSuffix("$HOME/"+rest, "/")))
	}
	return errorf("must not begin with ~, which only a shell replaces: %s. Write %s; or %s if it is called so.", quoted(name), home, quoted("./"+name))
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
