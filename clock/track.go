package clock

import "time"

const (
	trackReadings = 8
	trackApart    = int64(20 * time.Millisecond) // readings nearer than that would measure their own error
	trackSlope    = int64(time.Second)           // over which the rates of the clocks are compared, if there is as much
	turnPPM       = 100
)

// A Track carries times between the machine's clocks by its last readings:
// between two of them by proportion, and behind the newest as the clocks went
// for the last second or since they turned. It never changes, so any goroutine
// may use one; a new reading makes a new Track. Times are in ns.
//
// Of one Track, a later time is never an earlier one of another clock. Of one
// and the next, times that lie before the two last readings are the same.
type Track struct {
	r      [trackReadings]Reading // the newest last
	bent   [trackReadings]bool    // the rate changed behind the reading before
	n      int                    // how many there are
	ppm    float64                // of CLOCK_MONOTONIC against RAW, since they were last said to have turned
	noise  float64                // ppm that this may be wrong by, by the errors of the readings
	turned int64
	since  int64 // RAW at the reading from which on they go as they do now
	asleep int64
}

// NewTrack returns the track of one reading, by which all clocks go alike.
func NewTrack(r Reading) *Track {
	t := &Track{n: 1, since: r.Raw, asleep: r.Suspended()}
	t.r[trackReadings-1] = r
	return t
}

// With returns the track that has one more reading. Make it about four times a
// second. A reading that is less than 20 ms behind the last is ignored.
func (t *Track) With(r Reading) *Track {
	last := t.Last()
	d := r.Raw - last.Raw
	if d < trackApart || r.Mono <= last.Mono {
		return t
	}
	u := *t
	copy(u.r[:], t.r[1:])
	u.r[trackReadings-1] = r
	copy(u.bent[:], t.bent[1:])
	u.bent[trackReadings-1] = false
	u.n = min(t.n+1, trackReadings)
	u.asleep += r.Since(last).Suspend
	ppm := 1e6 * float64(r.Mono-last.Mono-d) / float64(d)
	noise := 1e6 * float64(r.Err+last.Err) / float64(d)
	switch {
	case t.n == 1:
		u.ppm, u.noise = ppm, noise
	case max(ppm-t.ppm, t.ppm-ppm) > turnPPM+noise+t.noise:
		u.ppm, u.noise, u.turned, u.since = ppm, noise, last.Steady(), last.Raw
		u.bent[trackReadings-1] = true
	case noise < t.noise/2: // the first reading, or the first behind a turn, was not a good one
		u.ppm, u.noise = ppm, noise
	}
	return &u
}

// Last is the newest reading.
func (t *Track) Last() Reading { return t.r[trackReadings-1] }

// Suspended is how long the machine was suspended since it booted, up to the
// newest reading: what readings are wrong by adds nothing.
func (t *Track) Suspended() int64 { return t.asleep }

// Turned is Steady of the reading behind which the rate of CLOCK_MONOTONIC last
// changed by more than 100 ppm; 0: it did not. A change that falls between two
// readings is seen in two steps. A line of time that runs across it is bent.
func (t *Track) Turned() int64 { return t.turned }

// Bent says that mono, of CLOCK_MONOTONIC, lies between two readings between which
// its rate changed. There Steady may be milliseconds wrong either way.
func (t *Track) Bent(mono int64) bool {
	for i := trackReadings - t.n; i < trackReadings; i++ {
		if mono <= t.r[i].Mono {
			return t.bent[i]
		}
	}
	return false
}

// Steady is Steady, see Reading, when CLOCK_MONOTONIC was mono. That stands still
// in suspend: what it showed between two readings that have a suspend between
// them is dated behind that, late and never early.
func (t *Track) Steady(mono int64) int64 {
	first := trackReadings - t.n
	i := first + 1 // the reading at or behind it
	for i < trackReadings && t.r[i].Mono < mono {
		i++
	}
	switch {
	case mono <= t.r[first].Mono:
		back, ahead := t.slope(first + 1)
		return t.r[first].Steady() - proportion(t.r[first].Mono-mono, ahead, back)
	case i == trackReadings:
		along, ahead := t.slope(i)
		return t.Last().Steady() + proportion(mono-t.Last().Mono, ahead, along)
	}
	a, b := t.r[i-1], t.r[i]
	if b.Since(a).Suspend > 0 {
		return a.Raw + proportion(mono-a.Mono, b.Raw-a.Raw, b.Mono-a.Mono) + b.Suspended()
	}
	return a.Steady() + proportion(mono-a.Mono, b.Steady()-a.Steady(), b.Mono-a.Mono)
}

// Boot is CLOCK_BOOTTIME when Steady was steady.
func (t *Track) Boot(steady int64) int64 {
	first := trackReadings - t.n
	i := first + 1
	for i < trackReadings && t.r[i].Steady() < steady {
		i++
	}
	switch {
	case steady <= t.r[first].Steady():
		mono, raw := t.slope(first + 1)
		return t.r[first].Boot - proportion(t.r[first].Steady()-steady, mono, raw)
	case i == trackReadings:
		mono, raw := t.slope(i)
		return t.Last().Boot + proportion(steady-t.Last().Steady(), mono, raw)
	}
	a, b := t.r[i-1], t.r[i]
	if b.Since(a).Suspend == 0 {
		return a.Boot + proportion(steady-a.Steady(), b.Boot-a.Boot, b.Steady()-a.Steady())
	}
	raw := steady - b.Suspended()
	if raw < a.Raw { // in the suspend between them
		return a.Boot + steady - a.Steady()
	}
	return a.Mono + proportion(raw-a.Raw, b.Mono-a.Mono, b.Raw-a.Raw) + b.Suspended()
}

// slope is how far CLOCK_MONOTONIC and RAW went, in suspend neither, up to the
// reading i, or for the last of them over a second if they did not turn
// meanwhile.
func (t *Track) slope(i int) (mono, raw int64) {
	first := trackReadings - t.n
	if t.n == 1 {
		return 1, 1
	}
	to := min(i, trackReadings-1)
	from := to - 1
	for i == trackReadings && from > first && t.r[from].Raw > t.since && t.r[to].Raw-t.r[from].Raw < trackSlope {
		from--
	}
	return t.r[to].Mono - t.r[from].Mono, t.r[to].Raw - t.r[from].Raw
}

// proportion is d*num/den, rounded down, of numbers that are not negative.
func proportion(d, num, den int64) int64 {
	return int64(scaleDown(uint64(d), uint64(num), uint64(den)))
}
