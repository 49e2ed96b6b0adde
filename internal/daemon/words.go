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
	length := f.Duration(frames).Round(100 * time.Microsecond)
	const tail = "The session goes on; the hole is recorded."
	why := "are missing"
	switch cause {
	case audio.Device:
		return fmt.Sprintf("%s: not captured: %v from %s on (%d frames): the source was away. %s",
			sensor, length, at.UTC().Format(moment), frames, tail)
	case audio.Stopped:
		why = "are not there, because the recorder was off,"
	case audio.XRun:
		why = "were lost in the device"
	case audio.Source:
		why = "were lost because the capture process fell behind"
	}
	return fmt.Sprintf("%s: %d frames (%v) %s at %s. %s", sensor, frames, length, why, at.UTC().Format(moment), tail)
}

// offText says that nobody reads a sensor on demand.
func offText(sensor string) string { return sensor + ": off until somebody reads it" }

// readText says that somebody reads a sensor on demand, and how much of the
// session is a hole because nobody did before.
func readText(sensor string, f audio.Format, off int64) string {
	text := sensor + ": recording, because somebody reads it"
	if off == 0 {
		return text
	}
	return fmt.Sprintf("%s. It was off for %v (%d frames)", text, f.Duration(off).Round(time.Millisecond), off)
}

// behindText says that a reader was overtaken.
func behindText(reader, sensor string, f audio.Format, frames int64) string {
	return fmt.Sprintf("%s: %s: %d frames (%v) were overwritten before they were stored (disk too slow?). The hole is recorded.",
		reader, sensor, frames, f.Duration(frames).Round(100*time.Microsecond))
}

// stepText says that the wall clock was set, and what that means.
func stepText(step time.Duration) string {
	by := "forward by " + step.String()
	if step < 0 {
		by = "back by " + (-step).String()
	}
	return "the system clock was set " + by + ": nothing is renamed, moved or lost; times in clock.jsonl say both."
}

// syncText says that the wall clock is kept right from now on, or is not.
func syncText(on bool, within time.Duration) string {
	if on {
		return "the system clock is synchronised, to within " + within.Round(time.Microsecond).String()
	}
	return "the system clock is not synchronised: times of day may be wrong by " + within.Round(time.Second).String() + " or more, lengths are not. Run chrony or systemd-timesyncd."
}

// rateText says that a device is further from its rate than such devices are.
func rateText(sensor string, rate int, ppm float64) string {
	return fmt.Sprintf("%s: delivers %+.0f ppm of %d Hz, or has changed that lately: an unusual clock. Times are right all the same; sound is not corrected.", sensor, ppm, rate)
}

// brokenRateText says that a source lies about its rate.
func brokenRateText(rate int, ppm float64) string {
	return fmt.Sprintf("it delivers %.0f frames a second instead of %d: no sound card does that. Is a sound server or a null device in its place?", float64(rate)*(1+ppm/1e6), rate)
}

// brokeText says that a source broke, and what is done about it.
func brokeText(sensor string, err error) string {
	return fmt.Sprintf("%s: %v\n    The other sensors go on; %s is tried again, every %v or sooner.", sensor, err, sensor, longestWait)
}

// stoppedText says that a sink takes nothing, what becomes of the sound
// meanwhile, and what to do.
func stoppedText(sink *Sink, sensor string, kept time.Duration, err error) string {
	return fmt.Sprintf("%s: STORING of %s STOPPED: sound is kept in memory for %v, then holes are recorded. It goes on by itself. %s\n    %v",
		sink.place(), sensor, kept.Round(100*time.Millisecond), diskCure(err), err)
}

// goesOnText says that a sink takes sound again, and what was lost meanwhile.
func goesOnText(sink *Sink, sensor string, f audio.Format, frames int64) string {
	text := sink.Name + ": storing of " + sensor + " goes on."
	if frames == 0 {
		return text + " Nothing was lost."
	}
	return fmt.Sprintf("%s Lost: %v (%d frames) were overwritten in memory meanwhile. The hole is recorded.",
		text, f.Duration(frames).Round(100*time.Microsecond), frames)
}

// againText says that a sink failed for a moment, soon after it had before.
func againText(sink *Sink, sensor string, length time.Duration, from time.Time) string {
	return fmt.Sprintf("%s: storing of %s had stopped again at %s for %v, and goes on. Nothing was lost.",
		sink.Name, sensor, from.UTC().Format(moment), length.Round(time.Millisecond))
}

// endedError says that nothing more is stored of a replay.
func endedError(sink *Sink, sensor string, err error) error {
	return fmt.Errorf("%s: storing of %s ended: what was stored until then is whole. %s\n    %w", sink.place(), sensor, diskCure(err), err)
}

// place is the name of the sink and, if it says, where it is.
func (s *Sink) place() string {
	if where, ok := s.Store.Bucket.(fmt.Stringer); ok {
		return s.Name + ": " + where.String()
	}
	return s.Name
}

// diskCure is what to do about an error of a sink.
func diskCure(err error) string {
	switch sinkReasons[sinkReason(err)] {
	case "full":
		return "Free space."
	case "readonly", "io":
		return "dmesg may tell why."
	}
	return "See what the system says of this disk."
}
