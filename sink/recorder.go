package sink

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
)

// A Recorder stores the stream of one sensor in one session, chunk by chunk.
// Write, Hole, Restart and Close belong to one goroutine. Sync and the counts
// may be called from any.
//
// After an error of Write, Hole or Close, and of a Sync that puts sound in
// doubt, nothing more is taken until Restart, which says from where on the
// stream must be given again.
type Recorder struct {
	store      *Store
	drafts     Creator
	batch      Batcher // nil: every chunk is named when it is whole
	c          RecordConfig
	frameBytes int64
	blocks     string // the name of blocks.jsonl
	relaxed    bool   // a name says nothing about what is durable
	hash       hash.Hash

	// What sum is about, and how another goroutine that does it says so.
	piece, encoded []byte // the frames taken, and what the codec made of them
	sumBeside      func()
	summed         chan struct{}

	// Of the goroutine that writes; draft is also read by it without mu.
	pos   int64   // of the next frame
	holes []Hole  // before it, and not yet in a line
	last  int64   // greatest block ever begun to be named, -1: none
	chunk chunk   // open if draft is not nil
	lines []whole // named, and their lines of blocks.jsonl wait to be appended
	kept  bool    // a draft with sound was left without a name
	over  bool
	err   error
	soft  bool // err may go away, and the open chunk is good
	times times
	held  int64 // chunks that were ever held for a pass

	// naming is held while chunks get their names with a pass, and guards lines
	// then. It is taken before ending and mu.
	naming sync.Mutex

	// ending is held while a draft is committed or aborted. It is taken before
	// mu, never after it.
	ending sync.Mutex

	mu        sync.Mutex
	draft     Draft   // of the open chunk; the writing goroutine alone changes it
	abandoned Draft   // the last that got no name
	at        int64   // pos, as far as the driver has taken the frames
	failed    error   // of a Sync of draft, or of a pass
	wholes    []whole // wait for a pass, in their order
	restarts  int64
	failures  int64  // of the bucket's SyncAll when this recorder was last clean
	lineLimit int64  // durable may not pass it: its line is not appended yet
	nameLimit int64  // durable may not pass it: a name there may not be durable
	unsure    int64  // how many names ever were such
	info      []byte // of info.json while that may not be durable: nothing is then

	written, durable, chunks, bytes atomic.Int64
}

// chunk is the open one.
type chunk struct {
	key     audio.Key
	name    string
	from    int64 // its first frame
	want    int64 // frames, if it gets full
	encoder Encoder
	bytes   int64  // of its file
	pcm     uint32 // CRC-32C of its frames
	ended   bool   // it takes no more frames
	tail    []byte // what comes behind them and is not written yet, if it ended
}

// ErrOver is wrapped by the errors of a Recorder that was closed.
var ErrOver = errors.New("the recording is over")

// Written is how far frames were taken: counted from the session's beginning,
// holes included. It never goes back.
func (r *Recorder) Written() int64 { return r.written.Load() }

// Durable is a position before which no captured frame can be lost any more,
// as far as the bucket knows; 0 if the bucket was told not to care. It never
// goes back.
func (r *Recorder) Durable() int64 { return r.durable.Load() }

// Chunks is how many chunks got their name.
func (r *Recorder) Chunks() int64 { return r.chunks.Load() }

// Bytes is how long their files are, all together.
func (r *Recorder) Bytes() int64 { return r.bytes.Load() }

// Write takes whole frames, any number of them. It keeps no reference to p.
func (r *Recorder) Write(ctx context.Context, p []byte) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	if int64(len(p))%r.frameBytes != 0 {
		return fmt.Errorf("write %d bytes: not whole frames of %v", len(p), r.c.Format)
	}
	for len(p) > 0 {
		if r.draft == nil {
			if err := r.begin(ctx); err != nil {
				return r.fail(err)
			}
		}
		if frames := min(int64(len(p))/r.frameBytes, r.chunk.from+r.chunk.want-r.pos); !r.chunk.ended && frames > 0 {
			if err := r.take(p[:frames*r.frameBytes]); err != nil {
				return r.fail(err)
			}
			p = p[frames*r.frameBytes:]
			r.advance(frames)
		}
		if r.chunk.ended || r.pos == r.chunk.from+r.chunk.want {
			if err := r.seal(ctx); err != nil {
				return r.fail(err)
			}
		}
	}
	return nil
}

// Hole says that frames are missing here. The open chunk ends, short. Holes of
// one cause that touch are one; if very many follow each other, all those of
// one cause are.
func (r *Recorder) Hole(ctx context.Context, frames int64, cause audio.Cause) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	if frames < 0 || !cause.Valid() {
		return fmt.Errorf("hole of %d frames, %v: neither may be", frames, cause)
	}
	if frames == 0 {
		return nil
	}
	if r.draft != nil {
		if err := r.seal(ctx); err != nil {
			return r.fail(err)
		}
	}
	r.holes = addHole(r.holes, Hole{From: r.pos, Frames: frames, Cause: cause})
	r.advance(frames)
	if r.batch == nil && r.draft == nil && len(r.lines) == 0 {
		r.settle(r.pos) // nothing of a hole can be lost
	}
	return nil
}

// ready returns the reason why nothing can be taken.
func (r *Recorder) ready(ctx context.Context) error {
	switch {
	case r.over:
		return ErrOver
	case r.err != nil:
		return fmt.Errorf("nothing is taken before a restart: %w", r.err)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	r.mu.Lock()
	failed := r.failed
	r.mu.Unlock()
	if failed != nil {
		return r.fail(failed)
	}
	return nil
}

func (r *Recorder) fail(err error) error {
	r.err = err
	return err
}

// advance moves on after frames were taken.
func (r *Recorder) advance(frames int64) {
	r.pos += frames
	r.mu.Lock()
	r.at = r.pos
	r.mu.Unlock()
	raise(&r.written, r.pos)
}

// raise sets a count that never goes back.
func raise(count *atomic.Int64, to int64) {
	for {
		old := count.Load()
		if old >= to || count.CompareAndSwap(old, to) {
			return
		}
	}
}

// Restart goes on after an error. It abandons the open chunk, whose draft is
// kept where the bucket keeps drafts, and returns the frame from which on the
// stream, holes included, must be given again: chunks that have a name stay,
// and so do those that wait for a pass, unless a sync that failed has put them
// in doubt. What cannot be given again is given as a hole. If all that failed is
// that the disk was full, an open chunk that holds sound goes on where it is.
func (r *Recorder) Restart(context.Context) (from int64) {
	soft := r.soft
	r.err, r.soft = nil, false
	if soft && r.pos > r.chunk.from && !r.inDoubt() {
		return r.pos
	}
	if r.draft != nil {
		sound := r.pos > r.chunk.from
		r.kept = r.kept || sound
		r.pos = r.chunk.from
		r.ending.Lock()
		draft := r.draft
		r.drop(draft)
		draft.Abort(sound) // it failed already; there is nobody to tell
		r.ending.Unlock()
	}
	if r.inDoubt() { // asked behind the drop: a sync of that draft says nothing more
		r.release()
	}
	return r.pos
}

// inDoubt says whether a sync has failed since this recorder was last clean.
func (r *Recorder) inDoubt() bool {
	failures := int64(0)
	if r.batch != nil {
		failures = r.batch.Failures()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed != nil || failures != r.failures
}

// drop forgets a draft that gets no name; r.pos is where it began. A pass under
// way speaks of it no more. ending is held.
func (r *Recorder) drop(d Draft) {
	r.mu.Lock()
	r.draft, r.abandoned, r.at = nil, d, r.pos
	r.restarts++
	r.mu.Unlock()
}

// Sync makes durable what was written before the call, and moves Durable. It
// may run at the same time as any other method.
func (r *Recorder) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil || r.relaxed {
		return err
	}
	if r.batch != nil {
		return Pass(ctx, r)
	}
	r.mu.Lock()
	draft, at := r.draft, r.at // taken before the sync: it speaks of these frames only
	r.mu.Unlock()
	failure := r.assure(ctx)
	if draft == nil {
		r.settle(at)
		return failure
	}
	err := draft.Sync()
	if err == nil {
		r.settle(at)
		return failure
	}
	r.ending.Lock() // wait for the end of the draft if it is about to end
	defer r.ending.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch draft {
	case r.draft:
		r.failed = err
	case r.abandoned:
	default:
		return nil // it got its name meanwhile, and Commit says what is durable
	}
	return fmt.Errorf("sync from frame %d on: %w", r.durable.Load(), err)
}

// settle moves Durable to a position, as far as nothing before it is in doubt.
func (r *Recorder) settle(at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secure(min(at, r.lineLimit))
}

// secure is settle for what a pass made durable: lines are written behind it.
// mu is held.
func (r *Recorder) secure(at int64) {
	if !r.relaxed && r.info == nil {
		raise(&r.durable, min(at, r.nameLimit))
	}
}
