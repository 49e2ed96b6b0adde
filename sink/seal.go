package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// Relaxed is a Bucket that can be told not to wait for the disk.
type Relaxed interface {
	// Relaxed says that what has a name may still be lost in a power cut.
	Relaxed() bool
}

// seal gives the open chunk its name and appends its line.
func (r *Recorder) seal(ctx context.Context) error {
	short, err := r.finish()
	if err != nil {
		return err
	}
	named, failure := r.commit()
	if !named {
		return failure
	}
	if failure != nil {
		r.limit(&r.nameLimit, r.chunk.from)
	}
	sum := fmt.Sprintf("%x", r.hash.Sum(nil))
	if short {
		var err error
		if sum, err = r.sumAgain(ctx); err != nil {
			failure = errors.Join(failure, err)
		}
	}
	if err := r.tell(sum); err != nil {
		failure = errors.Join(failure, err)
	}
	r.holes = nil
	r.chunks.Add(1)
	r.bytes.Add(r.chunk.bytes)
	return errors.Join(failure, r.append(ctx))
}

// finish writes what a chunk needs to be whole. short: its header is not the
// one that was summed.
func (r *Recorder) finish() (short bool, err error) {
	tail, err := r.chunk.encoder.Finish()
	if err == nil {
		r.hash.Write(tail)
		err = r.put(tail)
	}
	if err != nil {
		return false, err
	}
	frames := r.pos - r.chunk.from
	header, err := r.chunk.encoder.Header(frames)
	if err != nil {
		return false, err
	}
	if len(header) > 0 {
		_, err = r.draft.WriteAt(header, 0)
	}
	return len(header) > 0 && frames != r.chunk.want, err
}

// commit ends the draft. named: it has its name, whatever else failed.
func (r *Recorder) commit() (named bool, err error) {
	r.ending.Lock()
	defer r.ending.Unlock()
	draft := r.draft
	err = draft.Commit()
	if errors.Is(err, ErrExists) {
		r.last = r.chunk.key.Block
	}
	if err != nil && !errors.Is(err, ErrNamed) {
		r.kept, r.pos = true, r.chunk.from
		r.drop(draft)
		return false, err
	}
	r.last = r.chunk.key.Block
	r.mu.Lock()
	r.draft = nil
	r.lineLimit = min(r.lineLimit, r.chunk.from)
	r.mu.Unlock()
	return true, err
}

func (r *Recorder) limit(at *int64, to int64) {
	r.mu.Lock()
	*at = min(*at, to)
	r.mu.Unlock()
}

// sumAgain sums the file of a chunk that was named short.
func (r *Recorder) sumAgain(ctx context.Context) (string, error) {
	body, err := r.store.Bucket.Get(ctx, r.chunk.name, 0, -1)
	if err != nil {
		return "", err
	}
	defer body.Close()
	r.hash.Reset()
	n, err := io.Copy(r.hash, body)
	if err == nil && n != r.chunk.bytes {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("sum %s, %d of %d bytes read: %w", r.chunk.name, n, r.chunk.bytes, err)
	}
	return fmt.Sprintf("%x", r.hash.Sum(nil)), nil
}

// tell makes the line of the chunk that was just named.
func (r *Recorder) tell(sum string) error {
	c := &r.chunk
	b := Block{
		Block: c.key.Block, From: c.from, Frames: r.pos - c.from, Bytes: c.bytes,
		PCM: fmt.Sprintf("%08x", c.pcm), SHA256: sum, Holes: r.holes,
	}
	if utc, within := r.utc(c.from); !utc.IsZero() {
		b.UTC = timeText(utc)
		if r.c.Time != nil {
			us := within.Microseconds()
			b.ErrUs = &us
		}
	}
	text, err := EncodeLine(b)
	if err == nil {
		r.lines = append(r.lines, line{text, c.from})
	}
	return err
}

// append appends the lines that wait, in their order, and then knows that all
// that has a name is durable.
func (r *Recorder) append(ctx context.Context) error {
	for len(r.lines) > 0 {
		if err := r.drafts.Append(ctx, r.blocks, r.lines[0].text); err != nil {
			r.mu.Lock()
			r.lineLimit = r.lines[0].from
			r.mu.Unlock()
			return err
		}
		r.lines = r.lines[1:]
	}
	r.mu.Lock()
	r.lineLimit = math.MaxInt64
	r.mu.Unlock()
	if r.draft == nil {
		r.settle(r.pos)
	}
	return nil
}

// Close gives the last chunk, however short, its name, and writes the line
// that ends the session: a clean end, unless a draft was left behind. After an error it may be tried again, behind Restart
// and what that asks for; after none the Recorder is over.
func (r *Recorder) Close(ctx context.Context) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	if r.draft != nil {
		if err := r.seal(ctx); err != nil {
			return r.fail(err)
		}
	}
	if err := r.append(ctx); err != nil {
		return r.fail(err)
	}
	text, err := EncodeLine(End{End: r.pos, Clean: !r.kept, Holes: r.holes})
	if err == nil {
		err = r.drafts.Append(ctx, r.blocks, text)
	}
	if err != nil {
		return r.fail(err)
	}
	r.over = true
	return nil
}
