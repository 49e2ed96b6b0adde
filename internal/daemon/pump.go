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
	time  *timekeeper
	turns *turns
	log   *zap.Logger
	limit *limiter

	// Times are steady, see timekeeper.
	end     int64       // at the head, holes of unknown length aside
	skipped int64       // frames already skipped behind end
	slept   int64       // ns of suspend that were taken note of
	turned  int         // turns that were made
	wanted  int64       // since when somebody reads; 0: the source is not on demand
	off     int64       // frames lost before that, that the log was not told of
	last    audio.Cause // of the hole that the head stands behind; 0: it stands behind sound
	gone    int64       // frames of that hole that the log was not told of
	goneAt  audio.Pos   // where they begin
	opened  bool        // the source could be opened once
	begun   int64       // when it was opened, or tried to
	trouble int64       // when the source was last well
	judged  clock.Verdict
	dated   bool      // the stream's beginning is settled
	forgets audio.Pos // where the ledger forgets next
	told    string    // the fault that the log was told since then
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
	p.check(p.dates.close(p.w.Head()))
	p.enter(Ended)
	return broken
}

// check logs an error of the ledger. There is none that the daemon does not make
// itself, and sound goes on all the same.
func (p *pump) check(err error) {
	if err != nil {
		p.limit.say("ledger "+p.ID, p.log, zapcore.ErrorLevel, "the ledger of "+p.ID+": "+err.Error())
	}
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
			p.trouble = p.time.now()
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
	p.begun = p.time.now()
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
	p.opened, p.begun = true, p.time.now() // to open it may have taken its time
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
		if err := p.take(pk, src); err != nil {
			return err
		}
	}
}

// take takes a packet, whose frames lie in the room reserved.
func (p *pump) take(pk source.Packet, src source.Source) error {
	at := p.time.steady(pk.At)
	if pk.First {
		p.first(pk, at, src)
	} else {
		p.sleep()
	}
	if pk.Lost > 0 {
		p.skip(pk.Lost, pk.Cause, 0)
		p.skipped += pk.Lost
	}
	if pk.Frames == 0 {
		return nil
	}
	p.tellHole()
	frames := int(min(int64(pk.Frames), p.left())) // a loss may have used up the limit
	end := p.w.Head() + audio.Pos(frames)
	p.dates.observe(end, p.seen(pk), pk.Exact)
	p.turnBefore(end, 0)
	p.check(p.dates.publish(end))
	p.w.Commit(frames)
	p.frames.Add(int64(frames))
	p.end, p.skipped, p.last = p.dates.end(end, at), 0, 0
	p.forget(end)
	return p.judge()
}

// seen is the time by which a packet is dated, of CLOCK_MONOTONIC. A source that
// knows arrivals places its frames by a line of its own, which may be as wrong as
// it is smooth: the estimator sees when they came.
func (p *pump) seen(pk source.Packet) int64 {
	if p.Timing.Source == FromArrival {
		return p.clock.Monotonic()
	}
	return pk.At
}

// What a ledger keeps, whoever may ask, and how often it forgets.
const (
	keepTimes   = 7 * 24 * time.Hour // of a sink that takes nothing for longer times are known less well
	forgetEvery = time.Minute
)

// forget gives back what nobody asks the ledger for any more.
func (p *pump) forget(head audio.Pos) {
	if head < p.forgets {
		return
	}
	p.forgets = head + audio.Pos(p.Format.Frames(forgetEvery))
	p.dates.ledger.Forget(max(p.needs(), head-audio.Pos(p.Format.Frames(keepTimes))))
}

// judge tells of a device whose rate is unusual, and returns an error for one
// that is none.
func (p *pump) judge() error {
	v := clock.Verdict(p.dates.verdict.Load())
	if v == p.judged {
		return nil
	}
	p.judged = v
	ppm, _ := p.dates.drift()
	switch {
	case v == clock.Broken && p.Timing.Source == FromDevice:
		return source.Faultf(source.Rate, "%s", brokenRateText(p.Format.Rate, ppm))
	case v != clock.Sound:
		p.limit.say("rate "+p.ID, p.log, zapcore.WarnLevel, rateText(p.ID, p.Format.Rate, ppm), zap.Float64("ppm", ppm))
	}
	return nil
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
	return max(0, p.Limit-int64(p.w.Head()))
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
	now := p.time.now()
	if away := time.Duration(now - p.end); away-p.Format.Duration(p.skipped) >= growHole {
		p.grow(holeMargin)
	}
	wait := min(longestWait, max(leastWait, time.Duration(now-p.trouble)/waitShare))
	wait -= time.Duration(rand.Float64() * float64(wait) / 5) // so that many do not try at once
	return p.clock.Sleep(ctx, p.clock.Monotonic()+int64(wait))
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
