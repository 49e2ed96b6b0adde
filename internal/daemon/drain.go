package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/source"
)

const (
	pieceTime  = source.DefaultBatch // how much is written at once
	pieceBytes = 1 << 20             // of an unpaced source
	lull       = time.Second         // after which less than a piece is written
	retryFirst = 100 * time.Millisecond
	retryMost  = 5 * time.Second
	retryShare = 16 // of the time that a sink has failed, before it is tried again
)

// A drain takes one reader's frames from the ring to its sink. It is one
// goroutine. What it cannot store it takes again from the ring, for as long as
// the ring has it; what the ring no longer has becomes a hole.
type drain struct {
	reader  Reader
	sink    *Sink
	from    *stream
	r       *reader.Reader
	daemon  *Daemon
	clock   clock.Clock
	log     *zap.Logger
	limit   *limiter
	strict  bool // the first error of the sink ends the drain
	beside  func(task func())
	buffers *buffers

	failedAt int64 // frames written when the sink last failed
	failedOn int64 // CLOCK_MONOTONIC ns at which it began to fail
	reason   int   // why it last failed, of sinkReasons
	gone     int64 // frames overwritten since then
	logged   bool  // the log was told that it fails

	stored
	failing atomic.Pointer[string] // why storing does not go on, if it does not
	beats   atomic.Int64           // what the supervisor watches
	busy    atomic.Bool            // inside the sink
	done    atomic.Bool
	overrun tally
	errs    [len(sinkReasons)]atomic.Int64
}

// sinkReasons are the values of the label reason of a sink's errors.
var sinkReasons = [...]string{"full", "readonly", "io", "exists", "other"}

// run stores until the stream is over. It returns early with the context, or
// if the drain is strict with the sink's first error.
func (d *drain) run(ctx context.Context) error {
	defer d.done.Store(true)
	defer d.r.Close()
	if d.from.Unpaced {
		defer d.startSummer()()
	}
	for {
		end, err := d.step(ctx)
		switch {
		case err == nil && end:
			return nil
		case err == nil:
			continue
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %s: %w", d.reader.Name, d.from.ID, ctx.Err())
		}
		d.failed(ctx, err)
		if d.strict {
			return endedError(d.sink, d.from.ID, err)
		}
		if err := d.clock.Sleep(ctx, d.clock.Monotonic()+int64(d.backOff())); err != nil {
			return fmt.Errorf("%s: %s: %w", d.reader.Name, d.from.ID, err)
		}
	}
}

// backOff is how long the sink is left alone: in proportion to the time that
// it has failed, so that an outage costs little more than itself.
func (d *drain) backOff() time.Duration {
	return min(retryMost, max(retryFirst, time.Duration(d.clock.Monotonic()-d.failedOn)/retryShare))
}

// startSummer starts a goroutine that sums what the drain writes, while it is
// written, until the function that it returns is called.
func (d *drain) startSummer() (stop func()) {
	tasks := make(chan func())
	var wg sync.WaitGroup
	wg.Go(func() {
		for task := range tasks {
			task()
		}
	})
	d.beside = func(task func()) { tasks <- task }
	return func() {
		close(tasks)
		wg.Wait()
	}
}

// piece is about how many frames are taken at once.
func (d *drain) piece() int {
	f := d.from.Format
	if d.from.Unpaced {
		return max(1, min(pieceBytes/f.FrameBytes(), int(d.from.Window/4)))
	}
	return max(1, int(f.Frames(pieceTime)))
}

// step waits for a piece and stores it. end: the stream is over and stored.
func (d *drain) step(ctx context.Context) (end bool, err error) {
	if err := d.await(ctx); err != nil {
		return false, err
	}
	room := d.buffers.take(d.piece() * 5 / 4 * d.from.Format.FrameBytes())
	defer d.buffers.give(room)
	buf, at := *room, d.r.Pos()
	n, err := d.r.Read(ctx, buf)
	d.beats.Add(1)
	d.busy.Store(true)
	defer d.busy.Store(false)
	var lost *reader.LostError
	switch {
	case errors.As(err, &lost):
		err = d.across(ctx, lost.Lost, func(s audio.Span) error { return d.hole(ctx, s, lost.Cause) })
	case err == io.EOF:
		if err = d.close(ctx, 0); err == nil && d.failing.Load() != nil {
			d.goesOn() // nothing is left that could fail
		}
		return true, err
	case err != nil:
		return false, err
	default:
		size := audio.Pos(d.from.Format.FrameBytes())
		err = d.across(ctx, audio.Span{From: at, To: at + audio.Pos(n)}, func(s audio.Span) error {
			return d.store(ctx, buf[(s.From-at)*size:(s.To-at)*size])
		})
		if err == nil {
			d.recovered()
		}
	}
	d.from.gate.progress()
	return false, err
}

// await returns when most of a piece can be read, or less if no more has come
// for a while. One wake-up a piece, when the source's own batch is there, is
// what a reader costs.
func (d *drain) await(ctx context.Context) error {
	soon, cancel := context.WithTimeout(ctx, lull)
	defer cancel()
	err := d.r.Await(soon, d.r.Pos()+audio.Pos(max(1, d.piece()*3/4)))
	if err != nil && ctx.Err() == nil {
		return d.r.Await(ctx, d.r.Pos()+1)
	}
	return err
}

func (d *drain) store(ctx context.Context, p []byte) error {
	rec, err := d.open(ctx)
	if err != nil {
		return err
	}
	return rec.Write(ctx, p)
}

// hole records what is lost to this reader. While storing does not work, what
// the ring overwrote is the disk's fault.
func (d *drain) hole(ctx context.Context, lost audio.Span, cause audio.Cause) error {
	rec, err := d.open(ctx)
	if err != nil {
		return err
	}
	if cause == audio.Overrun {
		frames := d.overrun.lose(lost)
		if d.failing.Load() != nil {
			cause = audio.Disk
			d.gone += frames
		} else if frames > 0 {
			d.limit.say("overrun "+d.reader.Name+" "+d.from.ID, d.log, zapcore.WarnLevel, behindText(d.reader.Name, d.from.ID, d.from.Format, frames),
				zap.Stringer("cause", cause), zap.Int64("frames", frames), zap.Int64("position", int64(lost.From-d.mark.From)))
		}
	}
	return rec.Hole(ctx, lost.Len(), cause)
}

// resumeAt is the part of the window that is given up after an overrun. A
// reader that was too slow would be overrun again at once at its very edge;
// one that only waited for its sink has nothing to give up.
func (d *drain) resumeAt() float64 {
	if d.failing.Load() != nil {
		return 0
	}
	return margin
}

// failed goes back to what must be stored again after an error of the sink,
// and tells of it.
func (d *drain) failed(ctx context.Context, err error) {
	text, reason := err.Error(), sinkReason(err)
	d.errs[reason].Add(1)
	news := reason != d.reason
	if d.failing.Swap(&text) == nil {
		news = true
		d.failedOn, d.gone = d.clock.Monotonic(), 0
	}
	d.reason = reason
	d.failedAt = d.written()
	if d.strict {
		return // it is over: the error of run says so
	}
	d.rewind(ctx)
	if !news {
		return // it is known to fail so
	}
	kept := d.from.Format.Duration(max(0, d.from.Window-d.r.Lag()))
	if d.limit.say(d.stoppedKey(sinkReasons[reason]), d.log, zapcore.ErrorLevel,
		stoppedText(d.sink, d.from.ID, kept, err), zap.String("reason", sinkReasons[reason])) {
		d.logged = true
	}
}

// recovered takes note, after a piece was stored, that storing goes on: behind
// the frame at which it failed, because what comes before may fail there again,
// and durably where that comes later.
func (d *drain) recovered() {
	if d.failing.Load() == nil {
		return
	}
	at := d.written()
	if d.sink.Sync > 0 && !d.sink.Never {
		at = d.durable()
	}
	if at <= d.failedAt {
		return
	}
	d.goesOn()
}

// goesOn ends the time in which the sink failed, and tells of its end. If its
// beginning was not logged, because another was a moment ago, both are told as
// one.
func (d *drain) goesOn() {
	d.failing.Store(nil)
	for _, reason := range sinkReasons {
		d.limit.forget(d.stoppedKey(reason))
	}
	since := time.Duration(d.clock.Monotonic() - d.failedOn)
	text := goesOnText(d.sink, d.from.ID, d.from.Format, d.gone)
	switch {
	case d.gone > 0:
		d.log.Warn(text, zap.Int64("frames", d.gone))
	case d.logged:
		d.log.Info(text)
	default:
		d.limit.say(d.stoppedKey("again"), d.log, zapcore.InfoLevel, againText(d.sink, d.from.ID, since, d.clock.UTC().Add(-since)))
	}
	d.logged = false
}

// stoppedKey is what the limiter calls the message that storing stopped for a
// reason.
func (d *drain) stoppedKey(reason string) string {
	return "stopped " + d.sink.Name + " " + d.reader.Name + " " + d.from.ID + " " + reason
}

// sinkReason is the index in sinkReasons of err.
func sinkReason(err error) int {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return 0
	case errors.Is(err, syscall.EROFS):
		return 1
	case errors.Is(err, syscall.EIO):
		return 2
	case errors.Is(err, sink.ErrExists):
		return 3
	}
	return 4
}
