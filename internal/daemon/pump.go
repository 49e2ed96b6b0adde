package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

const (
	lateStart   = 2 * time.Second // a first frame later than this comes after a hole
	growHole    = 10 * time.Second
	holeMargin  = 2 * time.Second  // what a growing hole stays behind the clock
	steadyAfter = 10 * time.Second // a source that delivered so long is no longer in trouble
	leastWait   = 150 * time.Millisecond
	longestWait = 5 * time.Second
	waitShare   = 16 // of the time in trouble that is waited before the next attempt
)

// A pump moves the frames of one source into its ring. It owns the stream's
// positions: it knows the source before this one, so it turns the time
// without sound into a hole.
type pump struct {
	*stream
	w     *buffer.Writer
	clock clock.Clock
	log   *zap.Logger
	limit *limiter

	zero    time.Time   // UTC at which the session began
	end     int64       // CLOCK_MONOTONIC ns at the head, holes of unknown length aside
	skipped int64       // frames already skipped behind end
	wanted  int64       // CLOCK_MONOTONIC ns since when somebody reads; 0: the source is not on demand
	off     int64       // frames lost before that, that the log was not told of
	last    audio.Cause // of the hole that the head stands behind; 0: it stands behind sound
	gone    int64       // frames of that hole that the log was not told of
	goneAt  audio.Pos   // where they begin, in the session
	opened  bool        // the source could be opened once
	begun   int64       // CLOCK_MONOTONIC ns at which it was opened, or tried to
	trouble int64       // CLOCK_MONOTONIC ns at which the source was last well
	told    string      // the fault that the log was told since then
}

// run pumps until the context ends, the source is over or the limit is
// reached. Then it closes the ring, and the readers get the rest. It returns
// an error only if a source broke that cannot be opened again.
func (p *pump) run(ctx context.Context) (broken error) {
	defer p.w.Close(nil)
	if p.OnDemand {
		broken = p.onDemand(ctx)
	} else {
		_, broken = p.record(ctx)
	}
	if p.State() != Recording && broken == nil {
		p.grow(0)
	}
	p.tellHole()
	p.enter(Ended)
	return broken
}

// record opens the source again and again, until the context ends, the source
// is over or the limit is reached. It returns whether it is one of the latter.
func (p *pump) record(ctx context.Context) (over bool, broken error) {
	for ctx.Err() == nil && p.left() > 0 {
		err := p.attempt(ctx)
		if err == nil {
			return true, nil
		}
		if ctx.Err() != nil {
			break
		}
		p.broke(err)
		if p.Once && p.opened {
			return true, fmt.Errorf("%s: %w", p.ID, err)
		}
		steady := p.heard.Load() && p.end-p.begun >= int64(steadyAfter)
		if steady {
			p.trouble = p.clock.Monotonic()
		}
		if !steady && p.backOff(ctx) != nil {
			break
		}
	}
	return p.left() == 0, nil
}

// attempt opens the source and pumps until it breaks. nil: it is over.
func (p *pump) attempt(ctx context.Context) error {
	p.beats.Add(1)
	p.begun = p.clock.Monotonic()
	var admit source.Admit
	if p.gate != nil {
		admit = p.gate.admit
	}
	p.opening.Store(true)
	src, err := p.Open(ctx, admit)
	p.opening.Store(false)
	if err != nil {
		return err
	}
	p.opened, p.begun = true, p.clock.Monotonic() // to open it may have taken its time
	if f := src.Format(); f != p.Format {
		err = source.Faultf(source.Failed, "the source delivers %v, the sensor was begun as %v: restart ingestd to record it so", f, p.Format)
	} else {
		err = p.copy(ctx, src)
	}
	if cerr := src.Close(); cerr != nil {
		p.log.Debug("close source", zap.Error(cerr))
	}
	return err
}

// copy is the hot path: source to ring, no allocation, no lock, no wait but
// the source's own. What is told of a hole goes to a log that does not wait
// either.
func (p *pump) copy(ctx context.Context, src source.Source) error {
	for {
		want := p.left()
		if want == 0 {
			return nil
		}
		room := p.w.Reserve(int(min(want, maxRead)))
		pk, err := src.Read(ctx, room)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		p.beats.Add(1)
		if pk.First {
			p.first(pk, src)
		}
		if pk.Lost > 0 {
			p.skip(pk.Lost, pk.Cause)
			p.skipped += pk.Lost
		}
		if pk.Frames > 0 {
			p.tellHole()
			frames := int(min(int64(pk.Frames), p.left())) // a loss may have used up the limit
			p.w.Commit(frames)
			p.frames.Add(int64(frames))
			p.end, p.skipped, p.last = pk.At, 0, 0
		}
	}
}

// maxRead bounds what is asked of a source at once, in frames. The ring gives
// a block at most.
const maxRead = 1 << 20

// left is how many frames may still come before the sensor's limit, or as many
// as are asked for at once if it has none.
func (p *pump) left() int64 {
	if p.Limit == 0 {
		return maxRead
	}
	return max(0, p.Limit-int64(p.w.Head()-p.mark))
}

// first places the first frames of a source that was just opened: the time
// since the last frame of the one before is a hole. Sound that is replayed
// begins with the session, however long it took to open it.
func (p *pump) first(pk source.Packet, src source.Source) {
	begun := pk.At - int64(p.Format.Duration(int64(pk.Frames)+pk.Lost))
	away := time.Duration(begun - p.end)
	_, dated := src.(source.Dated)
	if !p.heard.Swap(true) && p.skipped == 0 && (away < lateStart || dated) {
		p.date(src, away)
	} else {
		p.date(src, 0)
		if p.OnDemand && p.State() == Starting && begun-p.wanted < int64(lateStart) { // what it takes to start
			p.wanted = max(p.wanted, begun)
		}
		p.miss(begun)
	}
	p.enter(Recording)
}

// date settles when the session's first frame was captured: late after the
// session began, or when the replayed sound says.
func (p *pump) date(src source.Source, late time.Duration) {
	if p.start.Load() != nil {
		return
	}
	begin := p.zero.Add(late)
	if d, ok := src.(source.Dated); ok {
		if t, known := d.Start(); known {
			begin = t
		}
	}
	p.start.Store(&begin)
}

// miss makes a hole of the time up to at, as far as it is none yet. While nobody
// wanted the source it was stopped.
func (p *pump) miss(at int64) {
	for _, part := range []struct {
		to    int64
		cause audio.Cause
	}{{min(at, p.wanted), audio.Stopped}, {at, audio.Device}} {
		if more := p.Format.Frames(max(0, time.Duration(part.to-p.end))) - p.skipped; more > 0 {
			p.skip(more, part.cause)
			p.skipped += more
		}
	}
}

// skip makes a hole. A limit ends holes too.
func (p *pump) skip(frames int64, cause audio.Cause) {
	if p.Limit > 0 {
		frames = min(frames, p.left())
	}
	if frames <= 0 {
		return
	}
	if !cause.Valid() || cause == audio.Overrun { // no source may stop the others by what it says
		cause = audio.Source
	}
	if p.start.Load() == nil {
		p.start.Store(&p.zero)
	}
	if p.last != cause {
		p.tellHole()
		p.last, p.goneAt = cause, p.w.Head()-p.mark
		p.holes[cause].Add(1)
	}
	p.w.Skip(frames, cause)
	p.lost[cause].Add(frames)
	if p.OnDemand && cause == audio.Stopped {
		p.off += frames // the state tells of it
		return
	}
	p.gone += frames
}

// tellHole logs the hole that the head stands behind, once it is over.
func (p *pump) tellHole() {
	if p.gone == 0 {
		return
	}
	text := lostText(p.ID, p.Format, p.gone, p.last, p.begin().Add(p.Format.Duration(int64(p.goneAt))))
	level := zapcore.WarnLevel
	if p.last == audio.Stopped { // that was meant
		level = zapcore.InfoLevel
	}
	p.limit.say("hole "+p.ID+" "+p.last.String(), p.log, level, text,
		zap.Stringer("cause", p.last), zap.Int64("frames", p.gone), zap.Int64("position", int64(p.goneAt)))
	p.gone = 0
}

// grow lengthens the hole of a source that is away or off, up to behind before
// now.
func (p *pump) grow(behind time.Duration) {
	at := p.clock.Monotonic() - int64(behind)
	if p.heard.Load() || at-p.end > int64(lateStart) {
		p.miss(at)
	}
}

// broke tells of a source that broke or could not be opened: once for each
// new fault, not for each attempt, and no more than once a minute.
func (p *pump) broke(err error) {
	reason := source.Failed
	var f *source.Fault
	if errors.As(err, &f) {
		reason = f.Reason
	}
	p.restarted(reason)
	text := err.Error()
	p.fault.Store(&text)
	p.enter(Retrying)
	over := p.Once && p.opened // the error of run says so
	if p.told == text || over {
		return
	}
	if p.limit.say(p.brokeKey(reason), p.log, zapcore.WarnLevel, brokeText(p.ID, err), zap.String("reason", string(reason))) {
		p.told = text
	}
}

// brokeKey is what the limiter calls the message that the source broke.
func (p *pump) brokeKey(why source.Reason) string { return "broke " + p.ID + " " + string(why) }

// backOff waits before the next attempt, longer the longer the trouble lasts:
// a short outage costs little more than itself, a long one little CPU. It lets
// the hole grow meanwhile, so that readers and chunks go on.
func (p *pump) backOff(ctx context.Context) error {
	now := p.clock.Monotonic()
	if away := time.Duration(now - p.end); away-p.Format.Duration(p.skipped) >= growHole {
		p.grow(holeMargin)
	}
	wait := min(longestWait, max(leastWait, time.Duration(now-p.trouble)/waitShare))
	wait -= time.Duration(rand.Float64() * float64(wait) / 5) // so that many do not try at once
	return p.clock.Sleep(ctx, now+int64(wait))
}

// enter changes the state and says so.
func (p *pump) enter(s State) {
	old := p.State()
	if old == s {
		return
	}
	p.since.Store(p.clock.Monotonic()) // first: no state is ever seen to last since before it began
	p.state.Store(int32(s))
	tell := s == Ended || s == Recording && (old != Retrying || p.told != "") // a fault that was not logged is not seen to end
	if s == Recording || s == Off {
		p.fault.Store(nil)
		p.told = ""
		for _, why := range source.Reasons() {
			p.limit.forget(p.brokeKey(why)) // the hole tells of it
		}
	}
	switch {
	case p.OnDemand && (s == Recording || s == Off):
		p.sayDemand(s)
	case tell:
		p.log.Info(s.String(), zap.Stringer("format", p.Format))
	}
}
