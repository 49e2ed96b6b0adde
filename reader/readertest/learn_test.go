package readertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// learner is a ledger, with room for bugs.
type learner struct {
	spoiled
	await func(ctx context.Context, key int64) error
}

func (l *learner) AwaitKey(ctx context.Context, key int64) error {
	if l.await != nil {
		return l.await(ctx, key)
	}
	return l.KeyTrans.(reader.Awaiter).AwaitKey(ctx, key)
}

// learning has an entry of key i/2 at each position 10*i, 40 of them; it
// learns 40 more, and its end.
func learning(spoil func(l *reader.Ledger, s *learner)) func() Keys {
	return func() Keys {
		l := new(reader.Ledger)
		told := int64(0)
		grow := func() bool {
			for upTo := told + 40; told < upTo; told++ {
				if l.Append(audio.Pos(10*told), told/2) != nil {
					return false
				}
			}
			return true
		}
		grow()
		s := &learner{spoiled: spoiled{KeyTrans: l}}
		if spoil != nil {
			spoil(l, s)
		}
		steps := 0
		return Keys{KeyTrans: s, Span: audio.Span{From: 0, To: 391}, Want: func(p audio.Pos) int64 { return int64(p) / 20 }, Grow: func() bool {
			if steps++; steps == 2 {
				return l.Close() == nil
			}
			return grow()
		}}
	}
}

func spoilLedgerKey(f func(l *reader.Ledger, p audio.Pos, key int64, err error) (int64, error)) func() Keys {
	return learning(func(l *reader.Ledger, s *learner) {
		s.key = func(p audio.Pos) (int64, error) {
			key, err := l.Key(p)
			return f(l, p, key, err)
		}
	})
}

func spoilLedgerLower(f func(l *reader.Ledger, key int64, p audio.Pos, err error) (audio.Pos, error)) func() Keys {
	return learning(func(l *reader.Ledger, s *learner) {
		s.lower = func(key int64) (audio.Pos, error) {
			p, err := l.Lower(key)
			return f(l, key, p, err)
		}
	})
}

func spoilAwait(f func(ctx context.Context, l *reader.Ledger, key int64) error) func() Keys {
	return learning(func(l *reader.Ledger, s *learner) {
		s.await = func(ctx context.Context, key int64) error { return f(ctx, l, key) }
	})
}

// bugsOfLearning are in a ledger that grows.
func bugsOfLearning() map[string]func() Keys {
	return map[string]func() Keys{
		"the last key goes on": spoilLedgerKey(func(l *reader.Ledger, p audio.Pos, key int64, err error) (int64, error) {
			for q := p; errors.Is(err, reader.ErrNotYet) && p < 2000; q-- {
				key, err = l.Key(q)
			}
			return key, err
		}),
		"< for <= in Key": spoilLedgerKey(func(l *reader.Ledger, p audio.Pos, key int64, err error) (int64, error) {
			if p > 0 {
				return l.Key(p - 1)
			}
			return key, err
		}),
		"< for <= in Lower": spoilLedgerLower(func(l *reader.Ledger, key int64, p audio.Pos, err error) (audio.Pos, error) {
			if key >= 0 && err == nil {
				return l.Lower(key + 1)
			}
			return p, err
		}),
		"behind the last is at the end": spoilLedgerLower(func(_ *reader.Ledger, key int64, p audio.Pos, err error) (audio.Pos, error) {
			if errors.Is(err, reader.ErrNotYet) && key < 1000 {
				return 391, nil
			}
			return p, err
		}),
		"known and then not yet": spoilLedgerKey(func(l *reader.Ledger, p audio.Pos, key int64, err error) (int64, error) {
			if _, later := l.Key(500); later == nil && p < 10 {
				return 0, fmt.Errorf("key of position %d: %w", p, reader.ErrNotYet)
			}
			return key, err
		}),
		"the end while it grows": spoilLedgerLower(func(_ *reader.Ledger, key int64, p audio.Pos, err error) (audio.Pos, error) {
			if errors.Is(err, reader.ErrNotYet) {
				return 0, io.EOF
			}
			return p, err
		}),
		"both shifted by one, as the law allows": learning(func(l *reader.Ledger, s *learner) {
			s.key = func(p audio.Pos) (int64, error) {
				key, err := l.Key(p)
				return plus(key, err, 1)
			}
			s.lower = func(key int64) (audio.Pos, error) { return l.Lower(max(key, -1<<62) - 1) }
			s.await = func(ctx context.Context, key int64) error { return l.AwaitKey(ctx, max(key, -1<<62)-1) }
		}),
	}
}

// bugsOfWaiting are in AwaitKey of a ledger that grows.
func bugsOfWaiting() map[string]func() Keys {
	return map[string]func() Keys{
		"does not wait":      spoilAwait(func(context.Context, *reader.Ledger, int64) error { return nil }),
		"returns not yet":    spoilAwait(func(_ context.Context, l *reader.Ledger, key int64) error { _, err := l.Lower(key); return err }),
		"context ignored":    spoilAwait(func(_ context.Context, l *reader.Ledger, key int64) error { return poll(context.Background(), l, key) }),
		"looks now and then": spoilAwait(poll),
		"own error for the context": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			return swap(l.AwaitKey(ctx, key), ctx.Err(), errSpoil)
		}),
		"own error for the end": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			return swap(l.AwaitKey(ctx, key), io.EOF, errSpoil)
		}),
		"the end is success": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			return swap(l.AwaitKey(ctx, key), io.EOF, nil)
		}),
		"the end is the context's error": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			return swap(l.AwaitKey(ctx, key), io.EOF, context.Canceled)
		}),
		"context before the answer": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return l.AwaitKey(ctx, key)
		}),
		"wakes at any key": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error { return l.AwaitKey(ctx, min(key, 25)) }),
		"waits for the key behind": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			return l.AwaitKey(ctx, min(key, 1<<62)+1)
		}),
		"the end does not wake": spoilAwait(func(ctx context.Context, l *reader.Ledger, key int64) error {
			if err := l.AwaitKey(ctx, key); err != io.EOF || ctx.Err() != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}),
	}
}

// swap is err, or another one for it.
func swap(err, of, other error) error {
	if err != nil && err == of {
		return other
	}
	return err
}

// poll looks once an hour.
func poll(ctx context.Context, l *reader.Ledger, key int64) error {
	for {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		if err := l.AwaitKey(now, key); err != now.Err() {
			return err
		}
		select {
		case <-time.After(time.Hour):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
