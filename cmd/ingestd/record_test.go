package main

import (
	"errors"
	"testing"

	"github.com/ingestd/ingestd/internal/daemon"
)

func TestRecordSaysHowMuchOfWhatWasAskedForItHas(t *testing.T) {
	const second = 1000
	code := func(err error) int {
		var coded *exitError
		if errors.As(err, &coded) {
			return coded.code
		}
		return exitFailed
	}
	for _, c := range []struct {
		captured, stored int64
		trouble          string
		interrupted      bool
		code             int
		want             string
	}{
		{0, 0, "", false, 1, "nothing of mic0 was recorded: its source ended before any sound came"},
		{0, 0, "no input matches.\n    Seen now: none", true, 1, "nothing of mic0 was recorded: no input matches."},
		{0, 0, "", true, 130, errEarly.Error()},
		{5 * second, 0, "", false, 1, "nothing of mic0 was recorded: none of its sound could be stored"},
		{3 * second, 3 * second, "", false, 3, "3s of 5s of mic0 recorded: its source ended"},
		{5 * second, 4 * second, "", false, 3, "4s of 5s of mic0 recorded: the rest is a hole"},
	} {
		m := daemon.SensorStatus{ID: "mic0", Rate: second, Channels: 1, Captured: c.captured, LastError: c.trouble}
		err := partlyRecorded(m, c.stored, 5*second)
		if c.stored == 0 {
			err = nothingRecorded(m, c.interrupted)
		}
		if err == nil || err.Error() != c.want || code(err) != c.code {
			t.Errorf("%+v: %v, exit %d", c, err, code(err))
		}
	}
}
