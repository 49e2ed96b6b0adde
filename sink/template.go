package sink

import (
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/audio"
)

// field is what a part of a template stands for. The zero value is a constant.
type field uint8

const (
	sessionField field = iota + 1
	sensorField
	blockField
)

var fields = [...]string{sessionField: "{session}", sensorField: "{sensor}", blockField: "{block}"}

// part is a piece of a template: constant text or a field.
type part struct {
	text  string // of a constant
	field field
}

func (p part) String() string {
	if p.field == 0 {
		return p.text
	}
	return fields[p.field]
}

func (p part) render(b []byte, k audio.Key) []byte {
	switch p.field {
	case sessionField:
		return strconv.AppendInt(b, int64(k.Session), 10)
	case sensorField:
		return append(b, k.Sensor...)
	case blockField:
		return appendBlock(b, k.Block)
	}
	return append(b, p.text...)
}

func holds(parts []part, f field) bool {
	for _, p := range parts {
		if p.field == f {
			return true
		}
	}
	return false
}

// levels cuts a template at its slashes.
func levels(parts []part) [][]part {
	var all [][]part
	var level []part
	for _, p := range parts {
		if p.field != 0 {
			level = append(level, p)
			continue
		}
		for i, text := range strings.Split(p.text, "/") {
			if i > 0 {
				all, level = append(all, level), nil
			}
			if text != "" {
				level = append(level, part{text: text})
			}
		}
	}
	return append(all, level)
}

// match reads the fields of a name. There is one way at most to read it: a
// number ends where its digits end, because no constant beside it begins or
// ends with a digit, so parts are taken off the front up to {sensor} and off
// the back down to it, and {sensor} is what is left.
func match(parts []part, name string) (k audio.Key, ok bool) {
	i := 0
	for ; i < len(parts) && parts[i].field != sensorField; i++ {
		p := parts[i]
		n := len(p.text)
		if p.field != 0 {
			n = digitsFront(name)
		}
		if n > len(name) || !p.take(name[:n], &k) {
			return k, false
		}
		name = name[n:]
	}
	if i == len(parts) {
		return k, name == ""
	}
	for j := len(parts) - 1; j > i; j-- {
		p := parts[j]
		n := len(p.text)
		if p.field != 0 {
			n = digitsBack(name)
		}
		if n > len(name) || !p.take(name[len(name)-n:], &k) {
			return k, false
		}
		name = name[:len(name)-n]
	}
	k.Sensor = name
	return k, audio.CheckSensor(name) == nil
}

// take reads text as p: a constant, or a number written exactly as render
// writes it.
func (p part) take(text string, k *audio.Key) bool {
	if p.field == 0 {
		return text == p.text
	}
	least := 1
	if p.field == blockField {
		least = BlockDigits
	}
	if len(text) < least || len(text) > least && text[0] == '0' {
		return false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if p.field == blockField {
		k.Block = n
	} else {
		k.Session = audio.Session(n)
	}
	return err == nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func digitsFront(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func digitsBack(s string) int {
	n := 0
	for n < len(s) && isDigit(s[len(s)-1-n]) {
		n++
	}
	return n
}
