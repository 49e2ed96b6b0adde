package daemon

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// first places the first frames of a source that was just opened, the last of
// which was captured at that time: the time since the last frame of the source
// before is a hole. Sound that is replayed begins with the session, however long
// it took to open it.
func (p *pump) first(pk source.Packet, at int64, src source.Source) {
	begun := at - int64(p.Format.Duration(int64(pk.Frames)+pk.Lost))
	away := time.Duration(begun - p.end)
	_, dated := src.(source.Dated)
	if !p.heard.Swap(true) && p.skipped == 0 && (away < lateStart || dated) {
		p.date(src, away)
		p.slept = p.time.slept()
	} else {
		p.date(src, 0)
		if p.OnDemand && p.State() == Starting && begun-p.wanted < int64(lateStart) { // what it takes to start
			p.wanted = max(p.wanted, begun)
		}
		p.miss(begun)
		if p.skipped == 0 && p.State() == Retrying { // less is missing than can be measured, but not nothing
			p.skip(1, audio.Device, 0)
			p.skipped = 1
		}
	}
	p.dates.anew()
	p.judged = clock.Sound
	p.enter(Recording)
}

// date settles when the stream's first frame was captured: late after the run
// began, or when the replayed sound says.
func (p *pump) date(src source.Source, late time.Duration) {
	if p.dated {
		return
	}
	p.dated = true
	if !p.own {
		p.dates.base = max(0, int64(late))
	}
	if !p.Timing.Stated {
		return
	}
	label := p.time.newest()
	label.UTC += p.dates.base - label.M
	if d, ok := src.(source.Dated); ok {
		if t, known := d.Start(); known {
			label.UTC, label.Err, label.Sync = t.UnixNano(), 0, clock.SyncGiven
		}
	}
	label.M, label.Raw, label.Why = p.dates.base, 0, clock.WhyOpen
	p.check(p.labels.Append(label))
}

// sleep makes a hole of the time in which the machine was suspended. What is
// replayed waited for it, and is as old as it was, unless it plays the part of a
// microphone.
func (p *pump) sleep() {
	if slept := p.time.slept() - p.slept; slept > 0 && !p.own && !p.Unpaced && !p.Timing.Stated {
		p.check(p.dates.asleep(p.w.Head(), slept))
		frames := p.dates.frames(p.end, p.end+slept)
		p.skip(frames, audio.Suspend, 0)
		p.skipped += frames
		p.slept += slept
	}
}

// miss makes a hole of the time up to at, as far as it is none yet. While nobody
// wanted the source it was stopped, and in suspend the machine was.
func (p *pump) miss(at int64) {
	p.missUpTo(min(at, p.wanted), audio.Stopped)
	if slept := p.time.slept() - p.slept; slept > 0 {
		p.missUpTo(min(at, p.end+int64(p.Format.Duration(p.skipped))+slept), audio.Suspend)
		p.slept += slept
	}
	p.missUpTo(at, audio.Device)
}

func (p *pump) missUpTo(at int64, cause audio.Cause) {
	if more := p.dates.frames(p.end, at) - p.skipped; at > p.end && more > 0 {
		p.skip(more, cause, at)
		p.skipped += more
	}
}

// skip makes a hole. at is when it ends, if the clock tells it; else 0. A limit
// ends holes too.
func (p *pump) skip(frames int64, cause audio.Cause, at int64) {
	if p.Limit > 0 {
		if left := p.left(); frames > left {
			frames, at = left, 0
		}
	}
	if frames <= 0 {
		return
	}
	if !cause.Valid() || cause == audio.Overrun { // no source may stop the others by what it says
		cause = audio.Source
	}
	p.date(nil, 0)
	head := p.w.Head()
	if p.last != cause {
		p.tellHole()
		p.last, p.goneAt = cause, head
		p.holes[cause].Add(1)
	}
	to := head + audio.Pos(frames)
	from := p.turnBefore(to, cause)
	p.check(p.dates.hole(from, to, cause, at))
	p.w.Skip(frames, cause)
	p.forget(to)
	p.lost[cause].Add(frames)
	if p.OnDemand && cause == audio.Stopped {
		p.off += frames // the state tells of it
		return
	}
	p.gone += frames
}

// turnBefore begins the sessions that begin before to, which the head is about
// to pass: with sound, or in a hole of that cause. It returns the head, or where
// the last of these sessions begins.
func (p *pump) turnBefore(to audio.Pos, hole audio.Cause) audio.Pos {
	head := p.w.Head()
	for {
		t, ok := p.turns.at(p.turned)
		if !ok {
			return head
		}
		at, err := p.dates.first(t.M, head, to)
		if err != nil {
			p.check(err)
			return head
		}
		if at >= to {
			return head
		}
		p.turned++
		if next, ok := p.turns.at(p.turned); ok {
			if after, err := p.dates.first(next.M, at, at); err == nil && after == at {
				continue // no frame is left for a session in between
			}
		}
		if hole != 0 && at > head {
			p.check(p.dates.hole(head, at, hole, 0))
		}
		p.check(p.dates.turn(at, t))
		p.turns.reached(p.turned)
		head = at
	}
}

// tellHole logs the hole that the head stands behind, once it is over.
func (p *pump) tellHole() {
	if p.gone == 0 {
		return
	}
	at, _ := p.utc(p.goneAt)
	text := lostText(p.ID, p.Format, p.gone, p.last, at)
	level := zapcore.WarnLevel
	if p.last == audio.Stopped { // that was meant
		level = zapcore.InfoLevel
	}
	p.limit.say("hole "+p.ID+" "+p.last.String(), p.log, level, text,
		zap.Stringer("cause", p.last), zap.Int64("frames", p.gone), zap.Int64("position", int64(p.goneAt-p.session(p.goneAt).From)))
	p.gone = 0
}

// grow lengthens the hole of a source that is away or off, up to behind before
// now.
func (p *pump) grow(behind time.Duration) {
	at := p.time.now() - int64(behind)
	if p.heard.Load() || at-p.end > int64(lateStart) {
		p.miss(at)
		p.check(p.dates.grown())
	}
}
