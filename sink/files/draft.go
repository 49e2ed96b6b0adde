package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"

	"github.com/ingestd/ingestd/sink"
)

// maxDrafts is how many drafts of one name may lie beside its place: then the
// name is taken.
const maxDrafts = 1000

var errOver = errors.New("the draft is over")

// draft is a file that grows beside the place of its name.
type draft struct {
	b          *Bucket
	name, part string
	file       File
	dir        File // the folder, opened before it is needed: then there may be no descriptor left; nil if SyncAll cares for it
	size       int64
	torn       bool // there may be bytes behind size

	// mu is held by what syncs or ends the draft, so that a Sync that failed is
	// known to the Commit behind it: the same file would sync again without an
	// error, and without the data.
	mu     sync.Mutex
	failed error
	placed bool // the folder knows the part
	over   bool
	closed bool // file is
}

// Create implements sink.Creator.
func (b *Bucket) Create(ctx context.Context, name string) (sink.Draft, error) {
	err := b.checkWrite(ctx, name)
	if err != nil {
		return nil, wrap("create", name, err)
	}
	d, err := b.create(name, false)
	if err != nil {
		return nil, wrap("create", name, err)
	}
	return d, nil
}

func (b *Bucket) create(name string, replace bool) (*draft, error) {
	_, err := b.fs.Stat(name)
	if err == nil && !replace {
		return nil, sink.ErrExists
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	d := &draft{b: b, name: name}
	err = d.begin()
	if errors.Is(err, fs.ErrNotExist) {
		if err := b.makeFolders(path.Dir(name)); err != nil {
			return nil, err
		}
		err = d.begin()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// begin makes the file in a folder that is there, and opens that folder if the
// draft is going to sync it for itself.
func (d *draft) begin() (err error) {
	if d.b.sync && d.b.whole == nil {
		if d.dir, err = d.b.fs.Open(path.Dir(d.name), os.O_RDONLY, 0); err != nil {
			return err
		}
	}
	if err = d.open(); err != nil && d.dir != nil {
		err = errors.Join(err, d.dir.Close())
	}
	return err
}

// syncDir syncs the folder.
func (d *draft) syncDir() error {
	if d.dir == nil {
		return d.b.syncFolder(path.Dir(d.name))
	}
	return d.dir.Sync()
}

// open makes the file: NAME.part, or if that is there NAME.2.part, and so on.
func (d *draft) open() error {
	var err error
	for n := 1; n <= maxDrafts; n++ {
		d.part = d.name + ".part"
		if n > 1 {
			d.part = fmt.Sprintf("%s.%d.part", d.name, n)
		}
		d.file, err = d.b.fs.Open(d.part, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return fmt.Errorf("%d drafts lie there already: %w", maxDrafts, sink.ErrExists)
}

func (d *draft) Write(p []byte) (int, error) {
	n, err := d.file.WriteAt(p, d.size)
	if err != nil {
		d.torn = true // a part may be there; it is written over, or cut off
		return 0, wrap("write", d.part, err)
	}
	d.size += int64(n)
	return n, nil
}

func (d *draft) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > d.size {
		return 0, wrap("write", d.part, sink.ErrNotWritten)
	}
	n, err := d.file.WriteAt(p, off)
	return n, wrap("write", d.part, err)
}

// Sync implements sink.Draft.
func (d *draft) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return wrap("sync", d.part, errOver)
	}
	return wrap("sync", d.part, d.syncFile())
}

// syncFile syncs the data, and once the name under which it is found after a
// crash. mu is held.
func (d *draft) syncFile() error {
	if d.failed != nil {
		return d.failed
	}
	d.failed = d.file.Sync()
	if d.failed == nil && !d.placed {
		if d.failed = d.b.syncParents(path.Dir(d.part)); d.failed == nil {
			d.failed = d.syncDir()
		}
		d.placed = d.failed == nil
	}
	return d.failed
}

// Commit implements sink.Draft.
func (d *draft) Commit() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return wrap("commit", d.name, errOver)
	}
	err := d.publish(chunkMode, false, d.b.sync && d.b.whole == nil)
	if err2 := d.end(true); err == nil {
		err = err2
	}
	return wrap("commit", d.name, err)
}

// publish gives the draft its name, durably if sync.
func (d *draft) publish(mode fs.FileMode, replace, sync bool) error {
	if d.failed != nil {
		return d.failed
	}
	if cut, ok := d.file.(truncater); ok && d.torn {
		if err := cut.Truncate(d.size); err != nil {
			return err
		}
	}
	if mode != fileMode {
		if err := d.file.Chmod(mode); err != nil {
			return err
		}
	}
	if sync {
		if err := d.file.Sync(); err != nil {
			return err
		}
		if err := d.b.syncParents(path.Dir(d.name)); err != nil {
			return err
		}
	}
	// Behind the rename nothing may fail but the sync of the folder: the chunk
	// would be there, and be written a second time.
	d.closed = true
	if err := d.file.Close(); err != nil {
		return err
	}
	was, _ := d.b.fs.Stat(d.part) // to be known again if the rename says an error
	err := d.b.fs.Rename(d.part, d.name, replace)
	if err != nil && d.renamed(was) {
		err = nil
	}
	if errors.Is(err, fs.ErrExist) {
		return sink.ErrExists
	}
	if err != nil {
		return err
	}
	if sync {
		if err := d.syncDir(); err != nil {
			return fmt.Errorf("%w: %w", sink.ErrNamed, bare(err))
		}
	}
	return nil
}

// renamed says whether the name is that of the file which the part was. Then
// the draft has its name, whatever error was told: over a network, the answer
// to a rename that was done can be lost.
func (d *draft) renamed(was fs.FileInfo) bool {
	now, err := d.b.fs.Stat(d.name)
	return was != nil && err == nil && os.SameFile(was, now)
}

// Abort implements sink.Draft.
func (d *draft) Abort(keep bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return wrap("abort", d.part, errOver)
	}
	return wrap("abort", d.part, d.end(keep))
}

// end closes what is open, and removes the file unless it is kept or renamed.
func (d *draft) end(keep bool) error {
	d.over = true
	if d.dir != nil {
		d.dir.Close() // it was read only: there is nothing that could be lost
	}
	var err error
	if !d.closed {
		d.closed = true
		err = d.file.Close()
	}
	if !keep {
		err = errors.Join(err, d.b.fs.Remove(d.part))
	}
	return err
}
