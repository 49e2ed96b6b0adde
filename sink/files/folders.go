package files

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"
)

// maxFolders is how many folders are kept open: two for each sensor that is
// recorded are used all the time.
const maxFolders = 256

// folders keeps folders open, so that a name is looked up in its folder and
// not from the root on, part by part, each time.
type folders struct {
	root *os.Root

	mu    sync.Mutex // guards what follows
	open  map[string]*handle
	clock int64 // counts uses
}

// handle is an open folder.
type handle struct {
	root *os.Root
	dir  *os.File // the same, for renames
	uses int      // under way
	last int64    // use, by the clock
	gone bool     // no longer among the open ones: the last use closes it
}

func newFolders(root *os.Root) *folders {
	return &folders{root: root, open: map[string]*handle{}}
}

// in calls do with the folder of name and its last part. If the folder was
// removed and made again since it was opened, do is called a second time.
func (f *folders) in(name string, do func(h *handle, base string) error) error {
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	h, old, err := f.take(dir)
	if err != nil {
		return err
	}
	err = do(h, base)
	f.give(h)
	if !old || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.drop(dir, h)
	if h, _, err = f.take(dir); err != nil {
		return err
	}
	defer f.give(h)
	return do(h, base)
}

// take returns the folder, open. old: it was open before.
func (f *folders) take(dir string) (h *handle, old bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock++
	if h = f.open[dir]; h != nil {
		h.uses, h.last = h.uses+1, f.clock
		return h, true, nil
	}
	root, err := f.root.OpenRoot(dir)
	if err != nil {
		if info, serr := f.root.Stat(dir); serr == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR} // os.Root says it without the errno
		}
		return nil, false, err
	}
	file, err := root.Open(".")
	if err != nil {
		return nil, false, errors.Join(err, root.Close())
	}
	if len(f.open) >= maxFolders {
		f.evict()
	}
	h = &handle{root: root, dir: file, uses: 1, last: f.clock}
	f.open[dir] = h
	return h, false, nil
}

// evict closes the folder that was not used for longest. mu is held.
func (f *folders) evict() {
	var oldest string
	for dir, h := range f.open {
		if o := f.open[oldest]; o == nil || h.last < o.last {
			oldest = dir
		}
	}
	f.forget(oldest, f.open[oldest])
}

// forget takes a folder off the open ones. mu is held.
func (f *folders) forget(dir string, h *handle) {
	if f.open[dir] == h {
		delete(f.open, dir)
	}
	if !h.gone && h.uses == 0 {
		h.close()
	}
	h.gone = true
}

func (f *folders) drop(dir string, h *handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(dir, h)
}

func (f *folders) give(h *handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.uses--; h.uses == 0 && h.gone {
		h.close()
	}
}

// close ends all; nothing is lost by an error of a folder that was only read.
func (f *folders) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for dir, h := range f.open {
		f.forget(dir, h)
	}
}

func (h *handle) close() {
	_ = h.dir.Close()
	_ = h.root.Close()
}
