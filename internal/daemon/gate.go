package daemon

import (
	"context"
	"sync/atomic"
)

// A gate holds an unpaced source back until its slowest reader has room. Only
// the source waits in it; the pump waits for the source as ever.
type gate struct {
	room    func() int64  // frames that may be written before a reader loses one
	moved   chan struct{} // capacity 1: a reader has moved since the last look
	waiting atomic.Bool   // for a reader: the source is not to blame
}

func newGate(room func() int64) *gate {
	return &gate{room: room, moved: make(chan struct{}, 1)}
}

// admit is the source.Admit given to the source.
func (g *gate) admit(ctx context.Context, frames int) (int, error) {
	for {
		if room := g.room(); room > 0 {
			return int(min(int64(frames), room)), nil
		}
		g.waiting.Store(true)
		select {
		case <-g.moved:
			g.waiting.Store(false)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// progress tells the gate that a reader has moved. It never waits.
func (g *gate) progress() {
	if g == nil {
		return
	}
	select {
	case g.moved <- struct{}{}:
	default:
	}
}
