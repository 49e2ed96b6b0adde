package readertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/reader"
)

// inTime returns what do returns, or an error if that takes too long: then do
// is left behind.
func inTime(patience time.Duration, do func() error) (err, stuck error) {
	done := make(chan error, 1)
	go func() { done <- do() }()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case err := <-done:
		return err, nil
	case <-limit.C:
		return nil, fmt.Errorf("stuck for %v", patience)
	}
}

// endedContext waits for keys with a context that is over: it hears at once
// what is known of each.
func endedContext(k Keys, some []question, patience time.Duration) error {
	w, ok := k.KeyTrans.(reader.Awaiter)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for more := true; more; more = k.grow() {
		told, err := k.interview(some)
		if err != nil {
			return err
		}
		for q, a := range told {
			if !q.lower {
				continue
			}
			got, stuck := inTime(patience, func() error { return w.AwaitKey(ctx, q.of) })
			if stuck != nil {
				return fmt.Errorf("AwaitKey(%d) with an ended context: %w", q.of, stuck)
			}
			if err := fits(ctx, q, a, got); err != nil {
				return err
			}
		}
	}
	return nil
}

// fits compares what AwaitKey returned with what Lower answers.
func fits(ctx context.Context, q question, a answer, got error) error {
	good := false
	switch {
	case a.err == nil:
		good = got == nil
	case errors.Is(a.err, reader.ErrNotYet):
		good = got != nil && got == ctx.Err()
	case errors.Is(a.err, io.EOF):
		good = got == io.EOF
	default:
		good = got != nil && got != ctx.Err() && got != io.EOF && !errors.Is(got, reader.ErrNotYet)
	}
	if !good {
		return fmt.Errorf("AwaitKey(%d) returned %v, but %v: %v", q.of, got, q, a)
	}
	return nil
}

// awaitedCome waits for keys while more becomes known: exactly those wake
// whose key has come, or never will. It runs in a bubble.
func awaitedCome(k Keys, _ []question) error {
	w, ok := k.KeyTrans.(reader.Awaiter)
	if !ok {
		return nil
	}
	last, wrong := k.ask(question{false, int64(k.Span.To - 1)})
	if wrong != nil || last.err != nil {
		return errors.Join(wrong, last.err)
	}
	waits := map[question]chan error{}
	for _, q := range edges() {
		if q.lower {
			waits[q] = make(chan error, 1)
		}
	}
	for above := int64(1); above < 1<<20 && last.is+above > last.is; above *= 2 {
		waits[question{true, last.is + above}] = make(chan error, 1)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for q, done := range waits {
		go func() { done <- w.AwaitKey(ctx, q.of) }()
	}
	for more := true; more; more = k.grow() {
		synctest.Wait()
		if err := dueWoke(ctx, k, waits); err != nil {
			return err
		}
	}
	cancel()
	synctest.Wait()
	for q, done := range waits {
		select {
		case got := <-done:
			if got != ctx.Err() {
				return fmt.Errorf("AwaitKey(%d), cancelled while it waits, returned %v", q.of, got)
			}
		default:
			return fmt.Errorf("AwaitKey(%d) was cancelled and still waits", q.of)
		}
	}
	return nil
}

// dueWoke compares who woke with what is known, and takes them out of waits.
func dueWoke(ctx context.Context, k Keys, waits map[question]chan error) error {
	for q, done := range waits {
		a, wrong := k.ask(q)
		if wrong != nil {
			return wrong
		}
		select {
		case got := <-done:
			if err := fits(ctx, q, a, got); err != nil {
				return err
			}
			delete(waits, q)
		default:
			if !errors.Is(a.err, reader.ErrNotYet) {
				return fmt.Errorf("AwaitKey(%d) still waits, but %v: %v", q.of, q, a)
			}
		}
	}
	return nil
}
