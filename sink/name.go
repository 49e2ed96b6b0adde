package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"
)

// Limits of a name in bytes: what file systems and object stores all take.
const (
	MaxName      = 1024 // the whole
	MaxComponent = 255  // between two slashes
)

// ErrName is wrapped by every error about a name that no bucket takes.
var ErrName = errors.New("not a name")

// CheckName returns an error unless every bucket takes name: a relative path
// with slashes, UTF-8, no empty part, no `.` or `..`, no backslash and no
// control character, within the limits, and no part of it ending like a draft.
// Drivers call it before they touch anything.
func CheckName(name string) error {
	switch {
	case len(name) > MaxName:
		return fmt.Errorf("%w: %.40q… is longer than %d bytes", ErrName, name, MaxName)
	case !fs.ValidPath(name) || name == "." || !filepath.IsLocal(name):
		return fmt.Errorf("%w: %.80q is no relative path inside the store", ErrName, name)
	case strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
		return fmt.Errorf("%w: %.80q holds a backslash or a control character", ErrName, name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > MaxComponent {
			return fmt.Errorf("%w: a part of %.40q… is longer than %d bytes", ErrName, name, MaxComponent)
		}
		if draftName(part) {
			return fmt.Errorf("%w: %.80q ends like an unfinished chunk", ErrName, name)
		}
	}
	return nil
}

// draftName says whether a part of a name is kept for what is not finished.
func draftName(part string) bool {
	return strings.HasSuffix(part, ".part") || strings.HasSuffix(part, ".sums")
}

// ErrNotWritten is wrapped when Draft.WriteAt is asked to change bytes that
// were not written before.
var ErrNotWritten = errors.New("these bytes were not written before")

// CheckLines returns an error unless lines are lines, newlines included. Drivers
// call it in Append.
func CheckLines(lines []byte) error {
	if len(lines) < 2 || lines[0] == '\n' || lines[len(lines)-1] != '\n' || bytes.Contains(lines, []byte("\n\n")) {
		return errors.New("each line of a log ends in a newline, and none is empty")
	}
	return nil
}
