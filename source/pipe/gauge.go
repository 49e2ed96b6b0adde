package pipe

import (
	"math"
	"time"
)

// A gauge compares what a feeder delivers with the time that passes. Raw
// samples carry no counter, so this is all that tells that some are missing.
//
// Frame n is due at zero + n/rate: the line, which goes through the earliest
// arrivals. A feeder that loses nothing is behind it by what it was held up,
// and makes up for that; one that lost sound stays behind it by as much.
//
//   - How late a feeder is, is judged when something comes: until then it may be
//     on time, with a long piece. There may be more in the pipe, so it may be less
//     late than it seems, and is never more. That a writer left and another came
//     tells nothing: some open the pipe anew for each piece.
//   - Later than gap is doubt. In doubt the pipe is looked into more often, and
//     what comes is held back. Once the feeder is seen less late, it has made up
//     for it and nothing is missing. Else, when settle has passed, what it was
//     late by at least is missing, before what was held back.
//   - A hole moves the count of frames and not the line. So what was told too
//     much or too little by one hole is put right by the next, and nothing adds up.
//   - The line follows the drift of the feeder's clock no faster than a clock can
//     drift, and leaves a tick free on either side. So a feeder that does not
//     drift stays on its line for ever, however it writes.
//
// A hole begins where the sound ends, and its length is right to a tenth of a
// tick if the feeder writes at least once in settle and does not drift, else to
// a tick and what it takes to read a piece. To that comes what it is late by of
// itself, at best, in that time. What is missing for less than gap is told with the next hole, or as
// soon as there is more of it; what a slow clock would explain never is. Who
// makes up for more than settle later is told a hole that there is not.
type gauge struct {
	rate   int64
	tick   time.Duration // between two looks, without doubt
	tokens float64       // frames that may be taken now
	at     int64         // ns at which tokens was right

	frames int64 // taken or lost since zero
	begun  int64 // ns at which the first were seen; 0: none were
	heard  int64 // ns at which the last were
	zero   int64 // ns at which frame 0 was due
	doubt  int64 // ns at which it began; 0: there is none
	least  int64 // ns that the feeder was late in it
	owed   int64 // frames that are missing and not told yet
	told   int64 // ns that the last frames were dated

	recent int64 // ns that the feeder was late at least, lately
	since  int64 // ns at which that began
}

// What a feeder may do and still be live.
const (
	lead    = 5 * time.Second  // it may be ahead of the clock by this much
	makeUp  = 10 * time.Second // and make up for this much
	fastest = 1.002            // and be faster than the nominal rate by this much
	slowest = 300e-6           // a slow clock drifts by this much at most: what is more is missing

	leastGap    = 500 * time.Millisecond
	leastSettle = time.Second
	learning    = 10 * time.Second // in which the line is drawn
)

// newGauge is of a pipe that is opened at now.
func newGauge(rate int, now int64) gauge {
	return gauge{rate: int64(rate), at: now, tokens: lead.Seconds() * float64(rate), recent: math.MaxInt64}
}

// gap is how late a feeder may be without doubt: two ticks, since a piece that
// was seen in time may be seen a tick later for ever, as its clock drifts, and
// the line leaves it another.
func (g *gauge) gap() int64 { return int64(max(leastGap, 2*g.tick)) }

// settle is how long a doubt lasts.
func (g *gauge) settle() int64 { return int64(max(leastSettle, 4*g.tick)) }

// sure says that there is no doubt.
func (g *gauge) sure() bool { return g.doubt == 0 }

// keen says that it matters when exactly frames come.
func (g *gauge) keen(now int64) bool { return !g.sure() || now-g.begun < g.settle() }

// allowed is how many frames may be taken at now.
func (g *gauge) allowed(now int64) int {
	g.tokens += float64(now-g.at) / 1e9 * float64(g.rate) * fastest
	most := makeUp
	if g.begun == 0 {
		most = lead
	}
	g.tokens = min(g.tokens, most.Seconds()*float64(g.rate))
	g.at = now
	return int(g.tokens)
}

// due is when that many frames must have come.
func (g *gauge) due(frames int64) int64 { return g.zero + g.lasting(frames) }

// lasting is how long so many frames last, ns.
func (g *gauge) lasting(frames int64) int64 {
	return frames/g.rate*int64(time.Second) + frames%g.rate*int64(time.Second)/g.rate
}

// look takes in a look into the pipe at now, in which so many frames were
// taken.
func (g *gauge) look(now int64, frames int) {
	g.frames += int64(frames)
	g.tokens -= float64(frames)
	if g.begun == 0 {
		if frames == 0 {
			return
		}
		g.begun, g.since, g.zero = now, now, now-g.lasting(g.frames)
	}
	late := now - g.due(g.frames)
	if late < 0 && now-g.begun < int64(learning) {
		g.zero, late = g.zero+late, 0
	}
	if frames > 0 {
		g.heard = now
	}
	switch {
	case !g.sure():
		if g.least = min(g.least, late); g.least <= g.gap() {
			g.doubt = 0
		} else if now-g.doubt >= g.settle() {
			g.decide(now)
		}
	case frames == 0:
	case late > g.gap():
		g.doubt, g.least = now, late
	default:
		g.follow(now, late)
	}
}

// decide ends a doubt: what it is about is missing. If the feeder fell silent
// before it could make up for it, that is left to the hole that follows, unless
// it is much: a piece that was late before a pause stays where it is.
func (g *gauge) decide(now int64) {
	g.doubt = 0
	if now-g.heard >= g.gap() && g.least < g.gap()+int64(g.tick) {
		return
	}
	frames := g.least/int64(time.Second)*g.rate + g.least%int64(time.Second)*g.rate/int64(time.Second)
	g.frames += frames
	g.owed += frames
	g.since, g.recent = 0, math.MaxInt64
}

// follow moves the line with the feeder's clock.
func (g *gauge) follow(now, late int64) {
	if g.since == 0 {
		g.since = now
	}
	g.recent = min(g.recent, late)
	past := now - g.since
	if past < int64(learning) {
		return
	}
	slack := int64(g.tick)
	switch {
	case g.recent > slack:
		g.zero += min(g.recent-slack, int64(float64(past)*slowest))
	case g.recent < -slack:
		g.zero -= min(-slack-g.recent, int64(float64(past)*(fastest-1)))
	}
	g.since, g.recent = now, math.MaxInt64
}

// date returns what is missing before the next frames, and when the last of
// them was captured, as far as an arrival tells: when it was due, but not
// later than now. Behind them so many were taken that are not dated yet. resumed:
// another source took those before.
func (g *gauge) date(now int64, frames, behind int64, resumed bool) (lost, at int64) {
	lost, g.owed = g.owed, 0
	at = g.due(g.frames - behind)
	if resumed && g.told != 0 { // who has both makes the hole, of the time between
		at = g.told + g.lasting(lost+frames)
	}
	g.told = max(g.told, min(now, at))
	return lost, g.told
}
