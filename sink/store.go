package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"

	"github.com/ingestd/ingestd/audio"
)

// The names in the folder that Layout.Meta gives.
const (
	InfoName   = "info.json"    // what the sensor was, in that session
	BlocksName = "blocks.jsonl" // a line for each chunk
	ClockName  = "clock.jsonl"  // the ledger
)

// Store is a mapping from keys to chunks. Its methods may be called from any
// goroutine at once.
type Store struct {
	Bucket Bucket
	Layout Layout
	Codec  Codec

	tried *attempts // to begin recordings; shared by copies
}

// Chunk is the value that a Store maps a key to: whole frames.
type Chunk struct {
	Format audio.Format
	Data   []byte
}

// OpenStore opens the store in b, or makes one: what it is is written into it
// on first use and compared later. A difference is a *MismatchError. A layout
// without {sensor} must have been given its sensor.
func OpenStore(ctx context.Context, b Bucket, l Layout, c Codec) (*Store, error) {
	if len(l.parts) == 0 || !l.HasSensor() && l.sensor == "" {
		return nil, fmt.Errorf("open store: layout %q without {sensor} must be told which sensor it holds", l)
	}
	if err := CheckCodec(l, c); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	now := manifest{Layout: l.template, Meta: l.metaTemplate(), Codec: c.Name(), Sensor: l.sensor}
	stored, err := readManifest(ctx, b)
	if errors.Is(err, ErrNotFound) {
		if err = writeManifest(ctx, b, now); err == nil || errors.Is(err, ErrExists) {
			stored, err = readManifest(ctx, b) // maybe somebody else's
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := stored.differs(b, now); err != nil {
		return nil, err
	}
	return &Store{b, l, c, new(attempts)}, nil
}

// OpenExisting opens the store in b as what it says it is. ErrNotFound if it
// says nothing.
func OpenExisting(ctx context.Context, b Bucket) (*Store, error) {
	m, err := readManifest(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	l, c, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("open store: %s: %w", where(b), err)
	}
	return &Store{b, l, c, new(attempts)}, nil
}

// name is the name of k, or an error if the store can hold no such key.
func (s *Store) name(k audio.Key) (string, error) {
	if err := k.Check(); err != nil {
		return "", err
	}
	name := s.Layout.Name(k)
	if name == "" {
		return "", fmt.Errorf("sensor %q is not %q, the only one of this store", k.Sensor, s.Layout.sensor)
	}
	return name, nil
}

// Put stores a chunk under k. ErrExists if there is one: it stays as it is.
// Nothing is written unless the key has a name and the chunk is whole frames.
func (s *Store) Put(ctx context.Context, k audio.Key, c Chunk) error {
	name, err := s.name(k)
	if err != nil {
		return fmt.Errorf("put %v: %w", k, err)
	}
	body, err := s.encode(k, c)
	if err != nil {
		return fmt.Errorf("put %v: %w", k, err)
	}
	drafts, ok := s.Bucket.(Creator)
	if !ok {
		_, err := s.Bucket.Put(ctx, name, body, PutOptions{})
		return err
	}
	d, err := drafts.Create(ctx, name)
	if err != nil {
		return err
	}
	if _, err := d.Write(body); err != nil {
		return errors.Join(err, d.Abort(false))
	}
	return d.Commit()
}

// encode makes the file of a chunk.
func (s *Store) encode(k audio.Key, c Chunk) ([]byte, error) {
	if err := c.Format.Check(); err != nil {
		return nil, err
	}
	frame := c.Format.FrameBytes()
	if len(c.Data)%frame != 0 || len(c.Data) > MaxChunk {
		return nil, fmt.Errorf("%d bytes are no whole frames of %v, or more than %d bytes", len(c.Data), c.Format, MaxChunk)
	}
	e, err := s.Codec.Encode(Head{Format: c.Format, Tags: keyTags(k)})
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	for _, step := range []func() ([]byte, error){
		func() ([]byte, error) { return e.Header(int64(len(c.Data) / frame)) },
		func() ([]byte, error) { return e.Encode(c.Data) },
		e.Finish,
	} {
		piece, err := step()
		if err != nil {
			return nil, err
		}
		body.Write(piece)
	}
	return body.Bytes(), nil
}

// Get returns the chunk of k. ErrNotFound if there is none.
func (s *Store) Get(ctx context.Context, k audio.Key) (Chunk, error) {
	name, err := s.name(k)
	if err != nil {
		return Chunk{}, fmt.Errorf("get %v: %w", k, err)
	}
	body, err := s.read(ctx, name)
	if err != nil {
		return Chunk{}, err
	}
	d, err := s.Codec.Decode(bytes.NewReader(body), int64(len(body)), s.format(ctx, k))
	if err != nil {
		return Chunk{}, fmt.Errorf("get %s: %w", name, err)
	}
	c := Chunk{Format: d.Format(), Data: make([]byte, d.Frames()*int64(d.Format().FrameBytes()))}
	if _, err := io.ReadFull(d, c.Data); err != nil && len(c.Data) > 0 {
		return Chunk{}, fmt.Errorf("get %s: %w", name, err)
	}
	return c, nil
}

// read returns the bytes of a chunk's file.
func (s *Store) read(ctx context.Context, name string) ([]byte, error) {
	info, err := s.Bucket.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	if info.Size > MaxChunk {
		return nil, fmt.Errorf("get %s: %d bytes are too many for a chunk", name, info.Size)
	}
	r, err := s.Bucket.Get(ctx, name, 0, info.Size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body := make([]byte, info.Size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("get %s: %w", name, err)
	}
	return body, nil
}

// format is what info.json says of the sensor, or no format. Only chunks that
// do not tell their format themselves need it.
func (s *Store) format(ctx context.Context, k audio.Key) audio.Format {
	if s.Codec.Name() != (PCM{}).Name() {
		return audio.Format{}
	}
	body, err := readSmall(ctx, s.Bucket, path.Join(s.Layout.Meta(k.Session, k.Sensor), InfoName))
	if err != nil {
		return audio.Format{}
	}
	var info struct {
		Rate, Channels int
		Encoding       audio.Encoding
	}
	if json.Unmarshal(body, &info) != nil {
		return audio.Format{}
	}
	return audio.Format{Rate: info.Rate, Channels: info.Channels, Encoding: info.Encoding}
}

// Has says whether there is a chunk of k.
func (s *Store) Has(ctx context.Context, k audio.Key) (bool, error) {
	name, err := s.name(k)
	if err != nil {
		return false, fmt.Errorf("look for %v: %w", k, err)
	}
	_, err = s.Bucket.Stat(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Delete removes the chunk of k. ErrNotFound if there is none.
func (s *Store) Delete(ctx context.Context, k audio.Key) error {
	name, err := s.name(k)
	if err != nil {
		return fmt.Errorf("delete %v: %w", k, err)
	}
	return s.Bucket.Delete(ctx, name)
}

// Filter chooses keys. The zero value chooses all.
type Filter struct {
	Session audio.Session // 0: any
	Sensor  string        // "": any

	// Ignored, if not nil, is told each name that is no chunk and none of the
	// store's own files.
	Ignored func(name string)
}

// Keys yields the keys of all chunks, ascending by name: within a sensor of a
// session, blocks ascend. Names that are no chunks are skipped. An error comes
// once, last.
func (s *Store) Keys(ctx context.Context, f Filter) iter.Seq2[audio.Key, error] {
	return func(yield func(audio.Key, error) bool) {
		for info, err := range s.Bucket.List(ctx, s.Layout.Prefix(f.Session, f.Sensor), "") {
			if err != nil {
				yield(audio.Key{}, err)
				return
			}
			k, ok := s.Layout.Key(info.Name)
			if !ok {
				if f.Ignored != nil && !ownName(info.Name) {
					f.Ignored(info.Name)
				}
				continue
			}
			if f.Session != 0 && k.Session != f.Session || f.Sensor != "" && k.Sensor != f.Sensor {
				continue
			}
			if !yield(k, nil) {
				return
			}
		}
	}
}

// ownName says whether a name that is no chunk is one that stores write.
func ownName(name string) bool {
	switch path.Base(name) {
	case InfoName, BlocksName, ClockName:
		return true
	}
	return name == manifestName || name == "store.lock"
}
