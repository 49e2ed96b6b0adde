package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingestd/ingestd/internal/daemon"
)

// rotation is how long a session lasts, written "24h" or "never".
type rotation struct{ Every time.Duration } // 0: never ends

const (
	never           = "never"
	longestRotation = 24 * time.Hour
)

func (r *rotation) set(n *node) error {
	s, ok := n.content()
	every, err := daemon.ParseRotate(s)
	if ok && err == nil {
		r.Every = every
		return nil
	}
	not := n.kind.String()
	if ok {
		not = quoted(s)
	}
	return errorf(`must be "never", or a length into which a day divides, such as "24h" (at midnight UTC) or "6h", not %s.%s`, not, rotationHint(n.text))
}

func (r rotation) String() string {
	if r.Every == 0 {
		return strconv.Quote(never)
	}
	return strconv.Quote(short(r.Every))
}

// rotationHint offers what may have been meant.
func rotationHint(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, w := range []struct{ write, words string }{
		{"24h", "midnight daily nightly day 1day 1d utc 24"}, {"1h", "hourly hour"}, {never, "never no none off false 0 0s"},
	} {
		if slices.Contains(strings.Fields(w.words), s) {
			return fmt.Sprintf(" Write %q.", w.write)
		}
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil || d <= 0:
		return ""
	case d > longestRotation:
		return fmt.Sprintf(" Write %q or %q.", short(longestRotation), never)
	}
	return besideRotation(d)
}

// besideRotation offers the round lengths beside d.
func besideRotation(d time.Duration) string {
	before := ""
	for write := range strings.FieldsSeq("1m 2m 3m 4m 5m 6m 10m 12m 15m 20m 30m 1h 2h 3h 4h 6h 8h 12h 24h") {
		length, err := time.ParseDuration(write)
		switch {
		case err != nil || length < d:
			before = write
		case length == d || before == "":
			return fmt.Sprintf(" Write %q.", write)
		default:
			return fmt.Sprintf(" Write %q or %q.", before, write)
		}
	}
	return ""
}
