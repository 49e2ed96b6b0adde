package sink

import (
	"context"
	"fmt"

	"github.com/ingestd/ingestd/audio"
)

// times is what a Recorder knows of the session's clock.jsonl. It belongs to the
// goroutine that writes.
type times struct {
	name  string
	lines []byte // they are still to be appended
	begun bool   // it was asked for once
	over  bool   // and for its end
}

// date appends to clock.jsonl what is known of the frames before frame. Lines
// that cannot be appended wait until it is called again: there are never more
// than those of one chunk, because nothing is recorded meanwhile.
func (r *Recorder) date(ctx context.Context, frame int64, over bool, next audio.Session) error {
	if r.c.Clock == nil {
		return nil
	}
	t := &r.times
	if err := r.appendTimes(ctx); err != nil || t.over {
		return err
	}
	lines, err := r.c.Clock(frame, over, next)
	if err != nil {
		return fmt.Errorf("times up to frame %d: %w", frame, err)
	}
	t.lines, t.begun, t.over = lines, true, over
	return r.appendTimes(ctx)
}

func (r *Recorder) appendTimes(ctx context.Context) error {
	if len(r.times.lines) == 0 {
		return nil
	}
	if err := r.drafts.Append(ctx, r.times.name, r.times.lines); err != nil {
		return err
	}
	r.times.lines = nil
	return nil
}
