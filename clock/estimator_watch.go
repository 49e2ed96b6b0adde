package clock

import (
	"math"
	"time"
)

// A Verdict is what the rate of a device says about its source.
type Verdict uint8

const (
	Sound   Verdict = iota
	Unusual         // more than 200 ppm from nominal, or moved by more than 5 ppm in an hour: worth a warning
	Broken          // more than 1 % from nominal for 5 s: no sound card, or one that lies about its rate
)

// String is the verdict in small letters.
func (v Verdict) String() string {
	if v > Broken {
		return "unknown"
	}
	return [...]string{"sound", "unusual", "broken"}[v]
}

const (
	usualPPM  = 200
	movedPPM  = 5
	brokenPPM = 10_000
)

// A Watch judges a device by the rate that its Estimator tells. Drift is never
// corrected; a device is warned of or closed. The zero Watch is ready. It
// belongs to one goroutine.
type Watch struct {
	far   bool
	since int64      // ns: since when the rate has been far off
	hour  [60]extent // of the minutes of the last hour, each at its number mod 60
}

// extent is between which rates a device certainly moved in a minute: it was
// once as slow as slow, and once as fast as fast, or slower and faster.
type extent struct {
	minute     int64
	any        bool
	slow, fast float64 // ppm
}

// Judge takes a rate and its error, both in ppm as Rate returns them, at a time
// in ns on the Estimator's scale, and judges by it and by those of the hour
// before. What the error can explain does not count. It wants to be called
// about once a second, with times that do not go back.
func (w *Watch) Judge(ppm, err float64, at int64) Verdict {
	off := math.Abs(ppm) - err
	if off <= brokenPPM {
		w.far = false
	} else if !w.far {
		w.far, w.since = true, at
	}
	switch {
	case w.far && at-w.since >= int64(5*time.Second):
		return Broken
	case w.moved(ppm, err, at/int64(time.Minute)) > movedPPM, off > usualPPM:
		return Unusual
	}
	return Sound
}

// moved is by how many ppm the rate certainly moved within the last hour.
func (w *Watch) moved(ppm, err float64, minute int64) float64 {
	now := &w.hour[minute%60]
	if !now.any || now.minute != minute {
		*now = extent{minute, true, math.Inf(1), math.Inf(-1)}
	}
	now.slow, now.fast = min(now.slow, ppm+err), max(now.fast, ppm-err)
	slow, fast := now.slow, now.fast
	for _, e := range w.hour {
		if e.any && minute-e.minute < 60 {
			slow, fast = min(slow, e.slow), max(fast, e.fast)
		}
	}
	return fast - slow
}
