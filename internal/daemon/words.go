package daemon

import (
	"fmt"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// moment is how messages write an instant.
const moment = "15:04:05.000Z"

// lostText says what became of frames that a source did not deliver.
func lostText(sensor string, f audio.Format, frames int64, cause audio.Cause, at time.Time) string {
	why := "are missing"
	switch cause {
	case audio.XRun:
		why = "were lost in the device"
	case audio.Source:
		why = "were lost because the capture process fell behind"
	case audio.Device:
		why = "were not captured because the source was away"
	}
	return fmt.Sprintf("%s: %d frames (%v) %s at %s. The session goes on; the hole is recorded.",
		sensor, frames, f.Duration(frames).Round(100*time.Microsecond), why, at.UTC().Format(moment))
}

// behindText says that a reader was overtaken.
func behindText(reader, sensor string, f audio.Format, frames int64) string {
	return fmt.Sprintf("%s: %s: %d frames (%v) were overwritten before they were stored (disk too slow?). The hole is recorded.",
		reader, sensor, frames, f.Duration(frames).Round(100*time.Microsecond))
}

// brokeText says that a source broke, and what is done about it.
func brokeText(sensor string, err error) string {
	return fmt.Sprintf("%s: %v\n    The other sensors go on; %s is tried again, every %v at least.", sensor, err, sensor, longestWait)
}

// stoppedText says that a sink takes nothing, what becomes of the sound
// meanwhile, and what to do.
func stoppedText(sink string, where fmt.Stringer, sensor string, kept time.Duration, reason int, err error) string {
	volume := sink
	if where != nil {
		volume += ": " + where.String()
	}
	cure := "See what the system says of this disk."
	switch sinkReasons[reason] {
	case "full":
		cure = "Free space."
	case "readonly", "io":
		cure = "dmesg may tell why."
	}
	return fmt.Sprintf("%s: STORING of %s STOPPED: sound is kept in memory for %v, then holes are recorded. It goes on by itself. %s\n    %v",
		volume, sensor, kept.Round(time.Millisecond), cure, err)
}
