package sink

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// manifestName is the file at the top of a store that says what it is.
const manifestName = "store.json"

// maxMeta bounds the small JSON files of a store when they are read, in bytes.
const maxMeta = 1 << 20

// Version is the version of the bytes and names that this package writes.
const Version = 1

type manifest struct {
	Version int    `json:"version"`
	ID      string `json:"id"` // random, for telling stores apart
	Layout  string `json:"layout"`
	Meta    string `json:"meta"`
	Codec   string `json:"codec"`
	Sensor  string `json:"sensor,omitempty"` // the only one, if the layout has no {sensor}
}

// A MismatchError says that a store is not what it is asked to be opened as.
// With other names or bytes, what it holds already would not be found.
type MismatchError struct {
	What        string // layout, codec or sensor
	Stored, Now string
	Where       string // the store.json
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s differs from the one in %s. Old chunks would not be found. Use a new root, or %s = %q (asked for: %q)",
		e.What, e.Where, e.What, e.Stored, e.Now)
}

// ErrVersion is wrapped by the error of a store that a later program wrote.
var ErrVersion = errors.New("unknown version of the store")

// ErrManifest is wrapped by the error of a store whose store.json does not say
// what the store is. Trying again does not help.
var ErrManifest = errors.New("it is not the description of a store")

// where names the manifest as the user knows it.
func where(b Bucket) string {
	if s, ok := b.(fmt.Stringer); ok {
		return s.String() + "/" + manifestName
	}
	return manifestName
}

func readManifest(ctx context.Context, b Bucket) (manifest, error) {
	var m manifest
	body, err := readSmall(ctx, b, manifestName)
	if errors.Is(err, errLong) {
		return m, noManifest(b, errLong)
	}
	if err != nil {
		return m, err
	}
	// The version first: what a later one means by the rest is not known here.
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return m, noManifest(b, err)
	}
	if v.Version != Version {
		return m, fmt.Errorf("read %s: %w: %d, this program knows %d. Use the ingestd that made it, or a new root", where(b), ErrVersion, v.Version, Version)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, noManifest(b, err)
	}
	return m, nil
}

// noManifest is the error of a store.json that does not say what the store is.
func noManifest(b Bucket, err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) { // whose own words are about Go
		err = fmt.Errorf("%s is the wrong kind of value: %s", cmp.Or(wrong.Field, "the whole"), wrong.Value)
	}
	return fmt.Errorf("read %s: %w (%w). Put the file back as it was, or use a new root", where(b), ErrManifest, err)
}

func writeManifest(ctx context.Context, b Bucket, m manifest) error {
	id := make([]byte, 16)
	rand.Read(id)
	m.Version, m.ID = Version, hex.EncodeToString(id)
	body, err := indented(m)
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, manifestName, body, PutOptions{})
	return err
}

// differs compares what is stored with what is asked for.
func (m manifest) differs(b Bucket, now manifest) error {
	for _, c := range []struct{ what, stored, now string }{
		{"layout", m.Layout, now.Layout}, {"codec", m.Codec, now.Codec}, {"sensor", m.Sensor, now.Sensor},
	} {
		if c.stored != c.now {
			return &MismatchError{c.what, c.stored, c.now, where(b)}
		}
	}
	return nil
}

// open makes the parts of a store from its manifest.
func (m manifest) open() (Layout, Codec, error) {
	if len(m.Layout) > MaxName { // its names would be longer still; that is cheaper to see than to find out
		return Layout{}, nil, fmt.Errorf("%w: its layout has %d bytes, names have %d at most", ErrManifest, len(m.Layout), MaxName)
	}
	l, err := ParseLayout(m.Layout)
	if err == nil && !l.HasSensor() {
		l, err = l.WithSensor(m.Sensor)
	}
	if err != nil {
		return Layout{}, nil, err
	}
	c, err := CodecByName(m.Codec)
	return l, c, err
}

// errLong is the error of a small file that is not small.
var errLong = fmt.Errorf("it is longer than %d bytes", maxMeta)

// readSmall reads the whole of a name that holds maxMeta bytes at most.
func readSmall(ctx context.Context, b Bucket, name string) ([]byte, error) {
	r, err := b.Get(ctx, name, 0, maxMeta+1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err == nil && len(body) > maxMeta {
		err = errLong
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return body, nil
}

func indented(v any) ([]byte, error) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return append(body, '\n'), nil
}
