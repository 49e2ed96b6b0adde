package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// document is one configuration file, kept for the messages about it.
type document struct {
	name  string // as the user gave it
	order int    // of the layer
	data  []byte
}

// position tells line and column of an offset, both from 1. The column counts
// characters, as editors do.
func (d *document) position(offset int) (line, column int, text string) {
	before := d.data[:offset]
	from := bytes.LastIndexByte(before, '\n') + 1
	line = bytes.Count(before, []byte("\n")) + 1
	column = utf8.RuneCount(before[from:]) + 1
	source, _, _ := bytes.Cut(d.data[from:], []byte("\n"))
	return line, column, string(bytes.TrimSuffix(source, []byte("\r")))
}

// place is where a value or a key was written. The zero place is the program
// itself: a built-in value.
type place struct {
	doc    *document // nil: in no file
	offset int       // bytes from the beginning of doc
	width  int       // bytes
	from   string    // name of the environment variable, or commandLine
}

const (
	builtIn     = "built-in"
	commandLine = "command line"
)

// String is FILE:LINE:COLUMN, or the name of what is no file.
func (p place) String() string {
	if p.doc != nil {
		line, column, _ := p.doc.position(p.offset)
		return fmt.Sprintf("%s:%d:%d", p.doc.name, line, column)
	}
	return p.line()
}

// line is FILE:LINE, or the name of what is no file.
func (p place) line() string {
	if p.doc != nil {
		line, _, _ := p.doc.position(p.offset)
		return fmt.Sprintf("%s:%d", p.doc.name, line)
	}
	return cmp.Or(p.from, builtIn)
}

// fault is one thing that is wrong, and what to do about it.
type fault struct {
	at   place
	text string
}

// String is the message, with the line that it is about marked below it.
func (f fault) String() string {
	f.text = strings.Map(printable, f.text)
	if f.at.doc == nil {
		if f.at.from == "" {
			return f.text
		}
		return f.at.from + ": " + f.text
	}
	const most = 160 // characters of a line that are shown
	line, column, source := f.at.doc.position(f.at.offset)
	head := fmt.Sprintf("%s:%d:%d: %s", f.at.doc.name, line, column, f.text)
	shown := []rune(strings.Map(printable, source))
	if column > most || len(shown) == 0 {
		return head
	}
	end := min(f.at.offset+f.at.width, len(f.at.doc.data))
	width := utf8.RuneCount(f.at.doc.data[f.at.offset:end])
	shown = shown[:min(len(shown), most)]
	width = max(1, min(width, len(shown)-column+1))
	mark := strings.Repeat(" ", column-1) + strings.Repeat("~", width)
	return fmt.Sprintf("%s\n%5d | %s\n      | %s", head, line, string(shown), mark)
}

// printable keeps a hostile file from reaching the terminal. It keeps the
// number of characters.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r == utf8.RuneError || !unicode.IsPrint(r):
		return '?'
	}
	return r
}

// configError is all that is wrong with a configuration.
type configError struct {
	faults []fault
	more   int // faults that are only counted
}

// ExitCode is that of a wrong configuration: EX_CONFIG of sysexits.h, which
// systemd shows as 78/CONFIG.
func (e *configError) ExitCode() int { return 78 }

// Error is all faults in the order of the layers and lines, and their number.
func (e *configError) Error() string {
	var b strings.Builder
	for _, f := range e.faults {
		fmt.Fprintln(&b, f)
	}
	if e.more > 0 {
		fmt.Fprintf(&b, "… and %d more\n", e.more)
	}
	fmt.Fprintf(&b, "%s.", counted(len(e.faults)+e.more, "problem"))
	return b.String()
}

func sortFaults(faults []fault) {
	rank := func(p place) int {
		if p.doc == nil {
			return 1 << 30
		}
		return p.doc.order
	}
	slices.SortStableFunc(faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(rank(a.at), rank(b.at)), cmp.Compare(a.at.offset, b.at.offset), cmp.Compare(a.at.from, b.at.from))
	})
}

// counted writes "1 reader", "2 readers".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// report collects what is wrong and what is merely odd.
type report struct {
	faults, warnings []fault
	more             int             // faults beyond those
	bad              map[string]bool // paths of values that have a fault already
}

// maxFaults is how many faults are told; more are counted.
const maxFaults = 100

func (r *report) full() bool { return len(r.faults) >= maxFaults }

// faultf adds a fault. The arguments are written only if it will be told.
func (r *report) faultf(at place, format string, args ...any) {
	if r.full() {
		r.more++
		return
	}
	r.faults = append(r.faults, fault{at, strings.TrimSpace(fmt.Sprintf(format, args...))})
}

// warnf adds a warning, if there are not too many.
func (r *report) warnf(at place, format string, args ...any) {
	if len(r.warnings) >= maxFaults {
		return
	}
	r.warnings = append(r.warnings, fault{at, strings.TrimSpace(fmt.Sprintf(format, args...))})
}

// mark says that the value at path must not be judged again.
func (r *report) mark(path string) {
	if r.bad == nil {
		r.bad = map[string]bool{}
	}
	r.bad[path] = true
}

// err is nil if nothing is wrong.
func (r *report) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	sortFaults(r.faults)
	return &configError{r.faults, r.more}
}
