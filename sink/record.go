package sink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"path"
	"syscall"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// RecordConfig says what a Recorder stores.
type RecordConfig struct {
	Session audio.Session
	Sensor  string
	Format  audio.Format

	// ChunkFrames is the grid: chunk i covers the frames [i*n, (i+1)*n) of the
	// session.
	ChunkFrames int64

	// Block is the reader's key of a frame, counted from the beginning of the
	// session; it must not decrease. nil: the offset of the frame in bytes.
	Block func(frame int64) (int64, error)

	// Start is the UTC of frame 0. Zero: not known.
	Start time.Time

	// Time is the UTC of a frame and how wrong that may be; below 0: that is not
	// known. nil: reckoned from Start at the nominal rate.
	Time func(frame int64) (utc time.Time, within time.Duration)

	// Tags is what every chunk says about itself; what differs from chunk to
	// chunk is filled in, and its texts are cut so that there is room for it.
	Tags wav.Tags

	// Beside, if not nil, has tasks done by another goroutine: the sums of a
	// large piece are made while the bucket writes it. One task at a time; Write
	// waits for it before it returns. nil: one after the other.
	Beside func(task func())

	// Clock is what the session's clock.jsonl goes on with: lines, each of which
	// ends in a newline, that say all that is known of the time of the frames
	// before frame, or nothing. It is asked before the first frame, at the end of
	// each chunk and at the end of the session, which over tells, with the session
	// that follows; 0: none. A chunk has its name only behind its lines. nil: there
	// is no clock.jsonl. The goroutine of Write calls it.
	Clock func(frame int64, over bool, next audio.Session) ([]byte, error)

	// Info is marshalled to info.json. So that chunks without a header can be
	// read, it has the members rate, channels and encoding. nil: these alone.
	Info any
}

func (c *RecordConfig) check() error {
	k := audio.Key{Session: c.Session, Sensor: c.Sensor}
	if err := k.Check(); err != nil {
		return err
	}
	if err := c.Format.Check(); err != nil {
		return err
	}
	most := (MaxChunk - wav.MaxHeader) / int64(c.Format.FrameBytes())
	if c.ChunkFrames < 1 || c.ChunkFrames > most {
		return fmt.Errorf("a chunk of %d frames is out of range 1 to %d", c.ChunkFrames, most)
	}
	return nil
}

// longest is the most that a chunk can have to say about itself.
func (c *RecordConfig) longest() wav.Tags {
	t := c.Tags
	t.Session, t.Sensor, t.Block, t.From = c.Session, c.Sensor, math.MaxInt64, math.MaxInt64
	t.Start, t.TimeError = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), math.MaxInt64
	t.Lost, t.Causes = 0, nil
	for i := range maxHoles {
		l := wav.Loss{Frames: 1e17, Cause: audio.Corrupt}
		if i < maxHoles/2 {
			l.Frames = 1e18 // if more had so many digits, they would be too many frames
		}
		t.Lost, t.Causes = t.Lost+l.Frames, append(t.Causes, l)
	}
	return t
}

// basics is the info.json of a recording that was given none.
type basics struct {
	Sensor      string         `json:"sensor"`
	Rate        int            `json:"rate"`
	Channels    int            `json:"channels"`
	Encoding    audio.Encoding `json:"encoding"`
	FrameBytes  int            `json:"frame_bytes"`
	ChunkFrames int64          `json:"chunk_frames"`
	Container   string         `json:"container"`
}

// Record begins to store one sensor in one session. ErrExists if this store
// has that sensor in that session already: no session is ever continued. After
// any other error it may be tried again. ErrUnsupported if chunks cannot grow in
// the bucket.
func (s *Store) Record(ctx context.Context, c RecordConfig) (*Recorder, error) {
	r, err := s.record(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("record session %d of %s: %w", c.Session, c.Sensor, err)
	}
	return r, nil
}

func (s *Store) record(ctx context.Context, c RecordConfig) (*Recorder, error) {
	drafts, ok := s.Bucket.(Creator)
	if !ok {
		return nil, ErrUnsupported
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := s.name(audio.Key{Session: c.Session, Sensor: c.Sensor}); err != nil {
		return nil, err
	}
	c.Tags.Cut()
	if _, err := s.Codec.Encode(Head{Format: c.Format, Tags: c.longest()}); err != nil {
		return nil, err // now, and not with some chunk
	}
	if c.Block == nil {
		bytes := int64(c.Format.FrameBytes())
		c.Block = func(frame int64) (int64, error) { return frame * bytes, nil }
	}
	if c.Info == nil {
		c.Info = basics{c.Sensor, c.Format.Rate, c.Format.Channels, c.Format.Encoding, c.Format.FrameBytes(), c.ChunkFrames, s.Codec.Name()}
	}
	r := &Recorder{
		store: s, drafts: drafts, c: c, frameBytes: int64(c.Format.FrameBytes()),
		blocks: path.Join(s.Layout.Meta(c.Session, c.Sensor), BlocksName), hash: sha256.New(),
		times:  times{name: path.Join(s.Layout.Meta(c.Session, c.Sensor), ClockName)},
		summed: make(chan struct{}, 1), last: -1, lineLimit: math.MaxInt64, nameLimit: math.MaxInt64,
	}
	r.sumBeside = func() {
		r.sum()
		r.summed <- struct{}{}
	}
	if relaxed, ok := s.Bucket.(Relaxed); ok {
		r.relaxed = relaxed.Relaxed()
	}
	if batch, ok := s.Bucket.(Batcher); ok && batch.Batched() {
		r.batch, r.failures = batch, batch.Failures()
	}
	info, err := indented(c.Info)
	if err != nil {
		return nil, err
	}
	unsure, err := s.claim(ctx, audio.Key{Session: c.Session, Sensor: c.Sensor}, info)
	if err != nil {
		return nil, err
	}
	r.c.Info = nil // it is on its way
	if unsure {
		r.info = info
	}
	return r, nil
}

// begin opens the chunk of the frame at r.pos.
func (r *Recorder) begin(ctx context.Context) error {
	if !r.times.begun {
		if err := r.date(ctx, r.pos, false, 0); err != nil {
			return err
		}
	}
	key, err := r.c.Block(r.pos)
	if err != nil {
		return fmt.Errorf("key of frame %d: %w", r.pos, err)
	}
	k := audio.Key{Session: r.c.Session, Sensor: r.c.Sensor, Block: max(key, r.last+1)}
	c := chunk{key: k, from: r.pos, want: r.c.ChunkFrames - r.pos%r.c.ChunkFrames, name: r.store.Layout.Name(k)}
	tags := r.tags(k)
	c.encoder, err = r.store.Codec.Encode(Head{Format: r.c.Format, Tags: tags})
	if err != nil {
		return fmt.Errorf("begin %s: %w", c.name, err)
	}
	draft, err := r.drafts.Create(ctx, c.name)
	if err != nil {
		if errors.Is(err, ErrExists) {
			r.last = k.Block // whose that is: it stays, and this sound goes to the next block
		}
		return err
	}
	r.mu.Lock()
	r.draft = draft
	r.mu.Unlock()
	r.chunk = c
	header, err := c.encoder.Header(-1)
	if err != nil {
		return fmt.Errorf("begin %s: %w", c.name, err)
	}
	if _, err := draft.Write(header); err != nil {
		return err
	}
	r.chunk.bytes = int64(len(header))
	// The sum is over the header that the chunk will have if it gets full. Only
	// a chunk that does not is read again.
	header, err = c.encoder.Header(c.want)
	if err != nil {
		return fmt.Errorf("begin %s: %w", c.name, err)
	}
	r.hash.Reset()
	r.hash.Write(header)
	return nil
}

// tags is what the chunk k, which begins at r.pos, says about itself.
func (r *Recorder) tags(k audio.Key) wav.Tags {
	t := r.c.Tags
	t.Session, t.Sensor, t.Block, t.From = k.Session, k.Sensor, k.Block, r.pos
	t.Start, t.TimeError = r.utc(r.pos)
	t.TimeError = max(t.TimeError, 0)
	t.Lost, t.Causes = 0, nil
	for _, h := range r.holes {
		t.Lost += h.Frames
		t.Causes = append(t.Causes, wav.Loss{Frames: h.Frames, Cause: h.Cause})
	}
	return t
}

// utc is the time of a frame, zero if it is not known or can be told by no
// file, and how wrong it may be; below 0: not known.
func (r *Recorder) utc(frame int64) (at time.Time, within time.Duration) {
	within = -1
	switch {
	case r.c.Time != nil:
		at, within = r.c.Time(frame)
	case !r.c.Start.IsZero():
		at = r.c.Start.Add(r.c.Format.Duration(frame))
	}
	if y := at.UTC().Year(); y < 1 || y > 9999 {
		return time.Time{}, -1
	}
	return at, within
}

// keyTags is what a chunk says about itself when nothing but its key is known.
func keyTags(k audio.Key) wav.Tags {
	return wav.Tags{Session: k.Session, Sensor: k.Sensor, Block: k.Block}
}

// besideBytes is the smallest piece whose sums are worth waking somebody.
const besideBytes = 64 << 10

// take writes whole frames to the open chunk, no more than it wants.
func (r *Recorder) take(p []byte) error {
	out, err := r.chunk.encoder.Encode(p)
	if err != nil {
		return err
	}
	r.piece, r.encoded = p, out
	if r.c.Beside == nil || len(p) < besideBytes {
		if err = r.put(out); err == nil {
			r.sum()
		}
		r.soft = full(err)
	} else {
		r.c.Beside(r.sumBeside)
		err = r.put(out)
		<-r.summed
	}
	r.piece, r.encoded = nil, nil
	return err
}

// full says whether err is a disk that has no room. A write that met it can be
// tried again: nothing is wrong with what was written before.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// sum adds the piece taken, and what the codec made of it, to the sums of
// the open chunk. If they cannot be written the chunk is abandoned, sums and
// all.
func (r *Recorder) sum() {
	r.hash.Write(r.encoded)
	r.chunk.pcm = crc32.Update(r.chunk.pcm, castagnoli, r.piece)
}

// put appends bytes to the file of the open chunk.
func (r *Recorder) put(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := r.draft.Write(p); err != nil {
		return err
	}
	r.chunk.bytes += int64(len(p))
	return nil
}
