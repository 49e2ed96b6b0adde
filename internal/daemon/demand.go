package daemon

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/reader"
)

// never is when a source is wanted that nobody reads.
const never = math.MaxInt64

// Listen opens a reader of a sensor, beside those that store it. If the sensor
// is on demand its source runs until the last reader is closed; one that is
// dropped without Close keeps it running until the garbage collector finds it.
// The options are those of reader.Open: without any it begins at the oldest
// frame in memory. The error wraps reader.ErrTooManyReaders if all places are
// taken.
//
// Listen may be called from any goroutine, before Run and after it too. When the
// run is over the reader gets what is left in memory, and then io.EOF.
func (d *Daemon) Listen(sensor string, opts ...reader.Option) (*reader.Reader, error) {
	ids := make([]string, len(d.streams))
	for i, st := range d.streams {
		if st.ID == sensor {
			r, err := reader.Open(st.ring, opts...)
			if err != nil {
				return nil, fmt.Errorf("listen to %s: %w", sensor, err)
			}
			return r, nil
		}
		ids[i] = st.ID
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no sensor %q: there is none", sensor)
	}
	return nil, fmt.Errorf("no sensor %q: there are %s", sensor, strings.Join(ids, ", "))
}

// onDemand pumps while somebody reads, until the context ends or the source is
// over. It returns an error only if a source broke that cannot be opened again.
func (p *pump) onDemand(ctx context.Context) (broken error) {
	for {
		p.wanted = never
		if p.awaitReader(ctx) != nil {
			return nil
		}
		p.wanted = p.time.now()
		p.trouble, p.opened = p.wanted, false
		p.enter(Starting)
		if over, err := p.whileRead(ctx); over || err != nil || ctx.Err() != nil {
			return err
		}
		if p.State() == Retrying {
			p.grow(0) // it was wanted, and away
		}
	}
}

// awaitReader waits for the first reader, with the source closed. The hole grows
// meanwhile, to the limit at most.
func (p *pump) awaitReader(ctx context.Context) error {
	if p.ring.Stats().Readers > 0 {
		return nil
	}
	p.enter(Off)
	for p.left() > 0 {
		soon, cancel := context.WithTimeout(ctx, growHole)
		err := p.ring.AwaitReaders(soon, true)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		p.grow(holeMargin)
	}
	return nil
}

// whileRead pumps until the last reader has gone.
func (p *pump) whileRead(ctx context.Context) (over bool, broken error) {
	read, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		if p.ring.AwaitReaders(read, false) == nil {
			stop()
		}
	})
	defer watch.Wait()
	defer stop()
	return p.record(read)
}

// sayDemand logs that the source has started or stopped. Of readers that come
// and go quickly not each is told of; the last word is true.
func (p *pump) sayDemand(s State) {
	key, other := "off "+p.ID, "read "+p.ID
	text := offText(p.ID)
	if s == Recording {
		key, other = other, key
		text = readText(p.ID, p.Format, p.off)
		p.off = 0
	}
	p.limit.forget(other)
	p.limit.say(key, p.log, zapcore.InfoLevel, text, zap.Stringer("format", p.Format))
}
