package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// nextSession names the session that begins at t: the millisecond, or the
// next that is greater than every session in every store. So no name is used
// twice, even if the clock went back.
func nextSession(ctx context.Context, t time.Time, sinks []Sink) (audio.Session, error) {
	id := max(audio.SessionAt(t), 0)
	for _, s := range sinks {
		last, any, err := s.Store.LastSession(ctx)
		if err != nil {
			return 0, fmt.Errorf("look for the last session in sink %s: %w", s.Name, err)
		}
		if any {
			id = max(id, last+1)
		}
	}
	return id, nil
}
