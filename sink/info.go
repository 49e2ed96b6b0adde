package sink

import (
	"bytes"
	"context"
	"errors"
	"path"
	"slices"
	"sync"

	"github.com/ingestd/ingestd/audio"
)

// claim takes a session for the sensor of k, by giving info.json its name: who
// does that records it. unsure: it is ours, but the name may not be durable.
//
// An attempt that fails may have put the file all the same, and the next one
// finds the name taken. It is ours if it holds what this very Store tried to
// put, and nothing was recorded with it.
func (s *Store) claim(ctx context.Context, k audio.Key, info []byte) (unsure bool, err error) {
	name := path.Join(s.Layout.Meta(k.Session, k.Sensor), InfoName)
	_, err = s.Bucket.Put(ctx, name, info, PutOptions{})
	tried := s.tried.take(name)
	if errors.Is(err, ErrExists) {
		ours, err2 := s.unused(ctx, k, name, tried)
		switch {
		case err2 != nil:
			err = err2
		case ours:
			_, err = s.Bucket.Put(ctx, name, info, PutOptions{Replace: true})
		default:
			return false, err
		}
	}
	if err == nil || errors.Is(err, ErrNamed) {
		return err != nil, nil
	}
	s.tried.add(name, append(tried, info))
	return false, err
}

// unused says whether the info.json called name is one of those that were
// tried, and no chunk and no line is there of its sensor in its session.
func (s *Store) unused(ctx context.Context, k audio.Key, name string, tried [][]byte) (bool, error) {
	if len(tried) == 0 {
		return false, nil
	}
	stored, err := readSmall(ctx, s.Bucket, name)
	if err != nil || !slices.ContainsFunc(tried, func(body []byte) bool { return bytes.Equal(body, stored) }) {
		return false, err
	}
	if _, err := s.Bucket.Stat(ctx, path.Join(path.Dir(name), BlocksName)); !errors.Is(err, ErrNotFound) {
		return false, err
	}
	for _, err := range s.Keys(ctx, Filter{Session: k.Session, Sensor: k.Sensor}) {
		return false, err
	}
	return true, nil
}

// attempts are the files whose Put failed, by name, with what they were to
// hold. The zero value is ready; nil remembers nothing.
type attempts struct {
	mu     sync.Mutex
	bodies map[string][][]byte
}

func (a *attempts) add(name string, bodies [][]byte) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bodies == nil {
		a.bodies = map[string][][]byte{}
	}
	for _, body := range bodies {
		if !slices.ContainsFunc(a.bodies[name], func(b []byte) bool { return bytes.Equal(b, body) }) {
			a.bodies[name] = append(a.bodies[name], body)
		}
	}
}

// take returns what was tried of name, and forgets it: one recording alone may
// go on from there.
func (a *attempts) take(name string) [][]byte {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	tried := a.bodies[name]
	delete(a.bodies, name)
	return tried
}

// assure makes info.json durable, by putting it once more, if it may not be.
// Until it is, nothing of the recording is said to be.
func (r *Recorder) assure(ctx context.Context) error {
	r.mu.Lock()
	info := r.info
	r.mu.Unlock()
	if info == nil {
		return nil
	}
	name := path.Join(path.Dir(r.blocks), InfoName)
	if _, err := r.store.Bucket.Put(ctx, name, info, PutOptions{Replace: true}); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.info = nil
	return nil
}
