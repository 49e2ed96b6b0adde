package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
)

// slowPass is how long a sync may take before the sink is said not to be
// ready.
const slowPass = 30 * time.Second

// A passer makes what the drains of one sink wrote durable, at the sink's
// interval. It is one goroutine a sink; passes never overlap.
type passer struct {
	sink   *Sink
	drains []*drain
	beats  atomic.Int64 // passes, for the supervisor
	busy   atomic.Bool  // inside one
	since  atomic.Int64 // CLOCK_MONOTONIC ns at which it began
	errs   [len(sinkReasons)]atomic.Int64
	log    *zap.Logger
	limit  *limiter

	recorders []*sink.Recorder // of a round
}

// run passes until the context ends. The last chunk of each drain is made
// durable by its own commit.
func (p *passer) run(ctx context.Context) {
	if p.sink.Never || p.sink.Sync == 0 || len(p.drains) == 0 {
		return
	}
	c := p.drains[0].clock
	for {
		if c.Sleep(ctx, clock.NextTick(c.Monotonic(), p.sink.Sync)) != nil {
			return
		}
		p.beats.Add(1)
		p.since.Store(c.Monotonic())
		p.busy.Store(true)
		if err := p.pass(ctx); err != nil && ctx.Err() == nil {
			p.errs[sinkReason(err)].Add(1)
			p.limit.say("pass "+p.sink.Name, p.log, zapcore.ErrorLevel,
				p.sink.Name+": not all that was written could be synced, named and indexed. What is in doubt is stored again.\n    "+err.Error())
		}
		p.busy.Store(false)
	}
}

// stalled says whether a pass takes longer than a healthy disk ever does.
func (p *passer) stalled(now int64) bool {
	return p.busy.Load() && now-p.since.Load() > int64(slowPass)
}

// pass is one round. The recorders remember what fails: each drain meets it at
// its next write, and writes what is in doubt anew.
func (p *passer) pass(ctx context.Context) error {
	p.recorders = p.recorders[:0]
	for _, d := range p.drains {
		if rec := d.rec(); rec != nil && !d.done.Load() {
			p.recorders = append(p.recorders, rec)
		}
	}
	if batch, ok := p.sink.Store.Bucket.(sink.Batcher); ok && batch.Batched() {
		return sink.Pass(ctx, p.recorders...)
	}
	var errs []error
	for _, rec := range p.recorders {
		errs = append(errs, rec.Sync(ctx))
	}
	return errors.Join(errs...)
}
