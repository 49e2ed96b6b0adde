package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
)

// A Registry remembers the greatest session id that was given away, across
// restarts, in a file. The stores tell most of that; the file tells it also
// when they were emptied or are new.
//
// An id is durable before anybody gets it: the file is written under another
// name, synced and renamed, and its folder is synced. So a crash anywhere
// leaves the old number, whose successor nobody got, or the new one, which
// then is a gap.
type Registry struct {
	folder folder // nil: nothing is kept
	where  string // the file, as users know it
	build  audio.Session

	mu    sync.Mutex
	given audio.Session // the greatest that was given away since the start, kept or not; -1: none
}

// The names of the registry, in its folder. They are no names of a chunk in
// any layout, so the folder may be the root of a store.
const (
	registryName  = "sessions.json"
	registryDraft = registryName + ".part"
)

// registered is the one line of the file.
type registered struct {
	Version int           `json:"v"`
	Last    audio.Session `json:"last"`
}

const registryVersion = 1

// NewRegistry returns the registry in the folder dir, which must be there once
// it is asked. build is when the program was built.
func NewRegistry(dir string, build time.Time) *Registry {
	return newRegistry(diskFolder(dir), dir, build)
}

func newRegistry(f folder, dir string, build time.Time) *Registry {
	return &Registry{folder: f, where: dir + "/" + registryName, build: audio.SessionAt(build), given: -1}
}

// Name names a session that begins at now. stored is the greatest in any
// store; -1: there is none. With an error the id is as good as the Registry
// knows, and may be used, but it is not kept.
func (r *Registry) Name(now time.Time, stored audio.Session) (Named, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, err := r.read()
	n := nameSession(max(kept, stored, r.given), r.build, now)
	r.given = n.ID
	if r.folder == nil {
		return n, nil
	}
	if err == nil || errors.Is(err, errDamaged) { // one that cannot be read may yet be good
		err = errors.Join(err, r.write(n.ID))
	}
	return n, err
}

// errDamaged is wrapped by the error of a file that says nothing. It is
// replaced.
var errDamaged = errors.New("is damaged")

// read is what the file says; -1 if there is none.
func (r *Registry) read() (audio.Session, error) {
	if r.folder == nil {
		return -1, nil
	}
	body, err := r.folder.Read(registryName)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return -1, fmt.Errorf("read %s: %w", r.where, err)
	}
	var v registered
	if err := line.Decode(body, &v); err != nil {
		return -1, fmt.Errorf("%s %w: %w", r.where, errDamaged, err)
	}
	if v.Version != registryVersion || v.Last < 0 {
		return -1, fmt.Errorf("%s: version %d, this program knows %d", r.where, v.Version, registryVersion)
	}
	return v.Last, nil
}

func (r *Registry) write(last audio.Session) error {
	text, err := line.Encode(registered{registryVersion, last})
	if err == nil {
		err = r.draft(text)
	}
	if err == nil {
		err = r.folder.Rename(registryDraft, registryName)
	}
	if err == nil {
		err = r.folder.Sync()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", r.where, err)
	}
	return nil
}

// draft makes the file under its other name, durably.
func (r *Registry) draft(text []byte) error {
	f, err := r.folder.Create(registryDraft)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
