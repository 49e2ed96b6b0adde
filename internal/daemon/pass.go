package daemon

import (
	"context"
)

// A passer makes what the drains of one sink wrote durable, at the sink's
// interval. It is one goroutine a sink; passes never overlap.
type passer struct {
	sink   *Sink
	drains []*drain
}

// run passes until the context ends. The last chunk of each drain is made
// durable by its own commit.
func (p *passer) run(ctx context.Context) {
	if p.sink.Never || p.sink.Sync == 0 || len(p.drains) == 0 {
		return
	}
	c := p.drains[0].clock
	for next := c.Monotonic(); ; {
		next = max(next+int64(p.sink.Sync), c.Monotonic())
		if c.Sleep(ctx, next) != nil {
			return
		}
		for _, d := range p.drains {
			if rec := d.recorder.Load(); rec != nil && !d.done.Load() {
				// The recorder remembers a failure: its drain meets it at the
				// next write, and writes the chunk anew.
				_ = rec.Sync(ctx)
			}
		}
	}
}
