package reader

import (
	"context"
	"fmt"
	"io"

	"github.com/ingestd/ingestd/audio"
)

// Compose takes the keys of inner for the positions of outer:
//
//	Key(p)   = outer.Key(inner.Key(p))
//	Lower(k) = inner.Lower(outer.Lower(k))
//
// A position whose key of inner is negative has no key: there is no such
// position of outer. Lower then answers with the first position that has one.
//
// Errors say which of the two returned them. It is an Awaiter for both: it
// waits for outer first, and only then for inner.
func Compose(outer, inner KeyTrans) KeyTrans { return composed{outer, inner} }

type composed struct{ outer, inner KeyTrans }

var _ Awaiter = composed{}

func (c composed) Key(p audio.Pos) (int64, error) {
	middle, err := c.inner.Key(p)
	if err != nil {
		return 0, fmt.Errorf("inner keys: %w", err)
	}
	if middle < 0 {
		return 0, fmt.Errorf("inner keys: key %d of position %d is no position of the outer keys: it is negative", middle, p)
	}
	key, err := c.outer.Key(audio.Pos(middle))
	if err != nil {
		return 0, fmt.Errorf("outer keys: %w", err)
	}
	return key, nil
}

func (c composed) Lower(key int64) (audio.Pos, error) {
	middle, err := c.outer.Lower(key)
	if err != nil {
		return 0, fmt.Errorf("outer keys: %w", err)
	}
	p, err := c.inner.Lower(int64(middle))
	if err != nil {
		return 0, fmt.Errorf("inner keys: %w", err)
	}
	return p, nil
}

func (c composed) wish(key int64) <-chan struct{} {
	rung := wish(c.outer, key)
	middle, err := c.outer.Lower(key)
	if err != nil {
		return rung
	}
	return wish(c.inner, int64(middle))
}

func (c composed) AwaitKey(ctx context.Context, key int64) error {
	if err := awaitKey(ctx, c.outer, key); err != nil {
		return ofPart(ctx, "outer", err)
	}
	middle, err := c.outer.Lower(key)
	if err != nil { // forgotten since
		return ofPart(ctx, "outer", err)
	}
	return ofPart(ctx, "inner", awaitKey(ctx, c.inner, int64(middle)))
}

// ofPart says which keys returned err, unless it is one that is compared as
// it is.
func ofPart(ctx context.Context, which string, err error) error {
	if err == nil || err == io.EOF || err == ctx.Err() {
		return err
	}
	return fmt.Errorf("%s keys: %w", which, err)
}
