package pipe

import (
	"math"
	"time"
)

// What a feeder may do and still be live.
const (
	lead    = 2 * time.Second        // it may be ahead of the clock by this much
	fastest = 1.002                  // and faster than the nominal rate by this much
	recent  = 2 * time.Second        // what it was late by is judged over this long
	gap     = 500 * time.Millisecond // later than it used to be by this much: sound is missing
	usual   = 5                      // what it used to be late by is the least of so many times recent
)

// A gauge compares what a feeder delivers with the time that passes. A feeder
// that pauses and does not make up for it has lost sound; one that is faster
// than its sound lasts is no live feeder, and has to wait.
type gauge struct {
	rate   int64
	start  int64   // ns at which frame 0 began
	frames int64   // delivered or lost since
	tokens float64 // frames that may be taken now
	at     int64   // ns at which tokens was right

	least  [usual]int64 // least lateness of the last periods, ns; the newest first
	period int64        // ns at which the newest began
}

// begin starts the count with the first frames, taken at now.
func (g *gauge) begin(rate int, now int64) {
	*g = gauge{rate: int64(rate), start: now, at: now, period: now, tokens: lead.Seconds() * float64(rate)}
	for i := range g.least {
		g.least[i] = math.MaxInt64
	}
}

// allowed is how many frames may be taken at now.
func (g *gauge) allowed(now int64) int {
	g.tokens += float64(now-g.at) / 1e9 * float64(g.rate) * fastest
	g.tokens = min(g.tokens, lead.Seconds()*float64(g.rate))
	g.at = now
	return int(g.tokens)
}

// took notes that frames were taken.
func (g *gauge) took(frames int) {
	g.frames += int64(frames)
	g.tokens -= float64(frames)
}

// late is by how much what was taken lags behind the clock, ns.
func (g *gauge) late(now int64) int64 {
	whole, part := g.frames/g.rate, g.frames%g.rate
	return now - g.start - whole*int64(time.Second) - part*int64(time.Second)/g.rate
}

// missing returns how many frames the feeder has lost, as far as can be told
// at now, when the pipe was emptied: at once if its writer left and another
// came, else when it has been late for a while.
func (g *gauge) missing(now int64, anew bool) int64 {
	late := g.late(now)
	if now-g.period >= int64(recent) {
		copy(g.least[1:], g.least[:])
		g.least[0], g.period = math.MaxInt64, now
	}
	full := g.least[1] // the last period that is over
	g.least[0] = min(g.least[0], late)
	used := int64(math.MaxInt64)
	for _, l := range g.least[1:] {
		used = min(used, l)
	}
	if anew {
		used = min(used, g.least[0])
		full = late
	}
	if used == math.MaxInt64 || full == math.MaxInt64 {
		return 0
	}
	lost := full - used
	if lost < int64(gap) && !(anew && lost > 0) {
		return 0
	}
	frames := lost / int64(time.Second) * g.rate
	frames += lost % int64(time.Second) * g.rate / int64(time.Second)
	g.frames += frames
	for i := range g.least {
		if g.least[i] != math.MaxInt64 {
			g.least[i] = max(g.least[i]-lost, used)
		}
	}
	return frames
}
