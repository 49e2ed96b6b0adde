package daemon

import (
	"context"
	"time"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
)

// A passer makes what the drains of one sink wrote durable, at the sink's
// interval. It is one goroutine a sink; passes never overlap.
type passer struct {
	sink   *Sink
	drains []*drain

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
		if c.Sleep(ctx, nextTick(c, p.sink.Sync)) != nil {
			return
		}
		p.pass(ctx)
	}
}

// pass is one round. The recorders remember what fails: each drain meets it at
// its next write, and writes what is in doubt anew.
func (p *passer) pass(ctx context.Context) {
	p.recorders = p.recorders[:0]
	for _, d := range p.drains {
		if rec := d.recorder.Load(); rec != nil && !d.done.Load() {
			p.recorders = append(p.recorders, rec)
		}
	}
	if batch, ok := p.sink.Store.Bucket.(sink.Batcher); ok && batch.Batched() {
		_ = sink.Pass(ctx, p.recorders...)
		return
	}
	for _, rec := range p.recorders {
		_ = rec.Sync(ctx)
	}
}

// nextTick is the next multiple of step on the monotonic clock, ns: all that
// happens at intervals happens at the same instants, with one wake-up.
func nextTick(c clock.Clock, step time.Duration) int64 {
	now := c.Monotonic()
	return now - now%int64(step) + int64(step)
}
