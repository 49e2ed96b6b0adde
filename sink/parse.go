package sink

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ingestd/ingestd/audio"
)

// ParseLayout reads a template. It refuses one that could give two keys one
// name, or a chunk a name that means something else in a store.
func ParseLayout(template string) (Layout, error) {
	l := Layout{template: template}
	parts, err := split(template)
	if err == nil {
		l.parts = parts
		err = l.check()
	}
	if err != nil {
		return Layout{}, err
	}
	return l, nil
}

// split cuts a template into its parts.
func split(template string) ([]part, error) {
	if template == "" {
		return nil, fmt.Errorf("layout is empty; the usual one is %q", DefaultLayout)
	}
	if !utf8.ValidString(template) || strings.ContainsFunc(template, func(r rune) bool { return unicode.IsControl(r) || r == '\\' }) {
		return nil, fmt.Errorf("layout %q holds a backslash, a control character or what is not UTF-8", template)
	}
	var parts []part
	for rest := template; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			parts, rest = append(parts, part{text: rest}), ""
			continue
		}
		end := strings.IndexAny(rest[open+1:], "{}") + open + 1
		if rest[open] == '}' || end == open || rest[end] == '{' {
			return nil, fmt.Errorf("layout %q: a brace has no partner", template)
		}
		if open > 0 {
			parts = append(parts, part{text: rest[:open]})
		}
		name := rest[open : end+1]
		f := slices.Index(fields[1:], name) + 1
		if f == 0 {
			return nil, fmt.Errorf("unknown field %s in layout. Fields: %s.", name, strings.Join(fields[1:], " "))
		}
		parts, rest = append(parts, part{field: field(f)}), rest[end+1:]
	}
	return parts, nil
}

func (l Layout) check() error {
	for _, f := range []field{sessionField, blockField} {
		if !holds(l.parts, f) {
			return fmt.Errorf("layout %q lacks %s, e.g. %q", l.template, fields[f], DefaultLayout)
		}
	}
	for i, p := range l.parts {
		if p.field == 0 {
			continue
		}
		if holds(l.parts[i+1:], p.field) {
			return fmt.Errorf("layout %q has %s twice", l.template, p)
		}
		if i > 0 && l.parts[i-1].touches(true) || i+1 < len(l.parts) && l.parts[i+1].touches(false) {
			return fmt.Errorf("layout %q: %s touches a field or a digit, so a name could be read in two ways; put a slash, a dash or a letter between", l.template, p)
		}
	}
	for i, level := range levels(l.parts) {
		if err := l.checkLevel(i, level); err != nil {
			return err
		}
	}
	return l.checkLength()
}

// touches says whether a field beside p could not be told from it. end: the
// field stands behind p.
func (p part) touches(end bool) bool {
	if p.field != 0 {
		return true
	}
	if end {
		return isDigit(p.text[len(p.text)-1])
	}
	return isDigit(p.text[0])
}

// checkLevel refuses what stands between two slashes if it is no name, or
// could be one that a store uses otherwise.
func (l Layout) checkLevel(i int, level []part) error {
	count := len(levels(l.parts))
	if len(level) == 0 {
		return fmt.Errorf("layout %q has an empty part: it begins or ends with a slash, or has two in a row", l.template)
	}
	text := ""
	for _, p := range level {
		text += p.String()
	}
	if text == "." || text == ".." {
		return fmt.Errorf("layout %q has the part %q", l.template, text)
	}
	if draftName(text) {
		return fmt.Errorf("layout %q: %q ends like an unfinished chunk", l.template, text)
	}
	last := i == count-1
	if last && !holds(level, blockField) {
		return fmt.Errorf("layout %q: {block} must stand behind the last slash", l.template)
	}
	if last && strings.HasSuffix(text, ".jsonl") {
		return fmt.Errorf("layout %q: names that end in .jsonl are those of logs", l.template)
	}
	reserved := []string{"aside", "_view"}
	if i > 0 {
		reserved = nil
		if text == "info" {
			reserved = []string{"info"}
		}
	}
	for _, word := range reserved {
		if couldBe(level, word) {
			instead := "another name there"
			if holds(level, sensorField) {
				instead = strconv.Quote("of-" + l.template)
			}
			return fmt.Errorf("layout %q: %q could be the folder %s, which a store keeps for something else. Write %s", l.template, text, word, instead)
		}
	}
	return nil
}

// couldBe says whether some key makes word of this level of a template.
func couldBe(level []part, word string) bool {
	if holds(level, sessionField) || holds(level, blockField) {
		return false // no word that is kept has a digit
	}
	before, after, seen := "", "", false
	for _, p := range level {
		switch {
		case p.field == sensorField:
			seen = true
		case seen:
			after += p.text
		default:
			before += p.text
		}
	}
	if !seen {
		return before == word
	}
	rest, ok := strings.CutPrefix(word, before)
	if ok {
		rest, ok = strings.CutSuffix(rest, after)
	}
	return ok && audio.CheckSensor(rest) == nil
}

// checkLength renders the longest key there is.
func (l Layout) checkLength() error {
	longest := audio.Key{Session: math.MaxInt64, Sensor: strings.Repeat("s", audio.MaxSensor), Block: math.MaxInt64}
	var b []byte
	for _, p := range l.parts {
		b = p.render(b, longest)
	}
	if err := CheckName(string(b)); err != nil {
		return fmt.Errorf("layout %q: %w", l.template, err)
	}
	return nil
}
