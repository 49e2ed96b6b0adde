package sink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
)

// Relaxed is a Bucket that can be told not to wait for the disk: sync = "none".
type Relaxed interface {
	// Relaxed says that what has a name may still be lost in a power cut. A
	// Recorder then says of nothing that it is durable.
	Relaxed() bool
}

// whole is a chunk to which nothing is added any more.
type whole struct {
	chunk
	draft  Draft
	to     int64 // the frame behind it
	utc    string
	errUs  *int64
	holes  []Hole // before it
	sum    string // SHA-256 of its file; "": it is still to be read again
	unread bool   // the file could not be read
	before int64  // the block named before it, -1: none
	nth    int64  // of those that were held
}

// seal makes the open chunk whole and gives it its name, at once or with the
// next pass.
func (r *Recorder) seal(ctx context.Context) error {
	short, err := r.finish()
	if err != nil {
		return err
	}
	if err := r.date(ctx, r.pos, false, 0); err != nil {
		r.soft = full(err)
		return err
	}
	w := whole{chunk: r.chunk, draft: r.draft, to: r.pos, holes: r.holes, before: r.last}
	w.stamp(r)
	if !short {
		w.sum = fmt.Sprintf("%x", r.hash.Sum(nil))
	}
	if r.batch != nil {
		return r.hold(ctx, w)
	}
	named, failure := r.commit()
	if !named {
		return failure
	}
	r.holes = nil
	return r.named(ctx, w, failure)
}

// stamp notes when the chunk begins.
func (w *whole) stamp(r *Recorder) {
	utc, within := r.utc(w.from)
	if utc.IsZero() {
		return
	}
	w.utc = timeText(utc)
	if within >= 0 {
		us := within.Microseconds()
		w.errUs = &us
	}
}

// named counts a chunk that has its name, and appends its line. failure is what
// Commit said beside that: nothing, or that the name may not be durable.
func (r *Recorder) named(ctx context.Context, w whole, failure error) error {
	if failure != nil {
		r.mu.Lock()
		r.nameLimit = min(r.nameLimit, w.from)
		r.unsure++
		r.mu.Unlock()
	}
	r.chunks.Add(1)
	r.bytes.Add(w.bytes)
	w.draft, w.encoder = nil, nil // they are over; the line may have to wait
	r.lines = append(r.lines, w)
	return errors.Join(failure, r.append(ctx))
}

// finish writes what a chunk needs to be whole. short: its header is not the
// one that was summed. If the disk is full it may be tried again.
func (r *Recorder) finish() (short bool, err error) {
	if !r.chunk.ended {
		if r.chunk.tail, err = r.chunk.encoder.Finish(); err != nil {
			return false, err
		}
		r.chunk.ended = true
	}
	defer func() { r.soft = full(err) }()
	if err = r.put(r.chunk.tail); err != nil {
		return false, err
	}
	r.hash.Write(r.chunk.tail)
	r.chunk.tail = nil
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
	if err == nil {
		r.nameLimit = math.MaxInt64 // of names in the same folder, this one makes the others sure
	}
	r.mu.Unlock()
	return true, err
}

// sumAgain sums the file of a chunk that was named short.
func (r *Recorder) sumAgain(ctx context.Context, w *whole) (string, error) {
	body, err := r.store.Bucket.Get(ctx, w.name, 0, -1)
	if err != nil {
		return "", err
	}
	defer body.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, body)
	if err == nil && n != w.bytes {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("sum %s, %d of %d bytes read: %w", w.name, n, w.bytes, err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}

// append appends the lines that wait, in their order. Without passes it then
// knows that all that has a name is durable.
func (r *Recorder) append(ctx context.Context) error {
	for len(r.lines) > 0 {
		if err := r.tell(ctx, &r.lines[0]); err != nil {
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
	if err := r.assure(ctx); err != nil {
		return err
	}
	if r.batch == nil && r.draft == nil {
		r.settle(r.pos)
	}
	return nil
}

// tell appends the line of a chunk. One whose file cannot be read to be summed
// waits; if it cannot be read a second time either, its line has no sum.
func (r *Recorder) tell(ctx context.Context, w *whole) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.sum == "" {
		sum, err := r.sumAgain(ctx, w)
		if err != nil && !w.unread {
			w.unread = true
			return err
		}
		w.sum = sum
	}
	text, err := line.Encode(Block{
		Block: w.key.Block, From: w.from, Frames: w.to - w.from, Bytes: w.bytes,
		PCM: fmt.Sprintf("%08x", w.pcm), SHA256: w.sum, UTC: w.utc, ErrUs: w.errUs, Holes: w.holes,
	})
	if err != nil {
		return err
	}
	return r.drafts.Append(ctx, r.blocks, text)
}

// Close gives the last chunk, however short, its name, and writes the lines
// that end the session, with the one that goes on from here; 0: none does. It is
// a clean end, unless a draft was left behind. After an
// error it may be tried again, behind Restart and what that asks for; after
// none the Recorder is over.
func (r *Recorder) Close(ctx context.Context, next audio.Session) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	if err := r.close(ctx, next); err != nil {
		return r.fail(err)
	}
	r.over = true
	return nil
}

func (r *Recorder) close(ctx context.Context, next audio.Session) error {
	if r.draft != nil {
		if err := r.seal(ctx); err != nil {
			return err
		}
	}
	if err := r.nameAll(ctx); err != nil {
		return err
	}
	if r.batch != nil { // the end is told behind names that are durable
		if err := r.Sync(ctx); err != nil {
			return err
		}
	}
	if err := r.date(ctx, r.pos, true, next); err != nil {
		return err
	}
	text, err := line.Encode(End{End: r.pos, Clean: !r.kept, Next: next, Holes: r.holes})
	if err == nil {
		err = r.drafts.Append(ctx, r.blocks, text)
	}
	if err != nil || r.batch == nil {
		return err
	}
	return r.Sync(ctx)
}

// nameAll waits for no pass: everything that is whole gets its name and line.
func (r *Recorder) nameAll(ctx context.Context) error {
	if r.batch != nil {
		if err := r.Sync(ctx); err != nil {
			return err
		}
	}
	r.naming.Lock()
	defer r.naming.Unlock()
	r.mu.Lock()
	failed := r.failed // by the pass of somebody else
	r.mu.Unlock()
	if failed != nil {
		return failed
	}
	return r.append(ctx)
}
