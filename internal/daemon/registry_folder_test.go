package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
)

// errCrash is what every operation behind a crash returns.
var errCrash = errors.New("the machine crashed")

// file is what a name in a memFolder stands for.
type file struct{ data, synced []byte }

// memFolder is a folder that crashes, or fails once, at the operation of that
// number.
type memFolder struct {
	names, synced map[string]*file
	crashAt       int
	failAt        int
	late          bool // what crashes or fails is done all the same
	crashed       bool
	log           []string
	last          *file // written last
	before        int   // bytes that it had
}

func newMemFolder() *memFolder {
	return &memFolder{names: map[string]*file{}, synced: map[string]*file{}}
}

var errFault = errors.New("input/output error")

// op counts an operation and does it, or not.
func (m *memFolder) op(name string, do func() error) error {
	if m.crashed {
		return errCrash
	}
	m.log = append(m.log, name)
	var broken error
	switch len(m.log) {
	case m.crashAt:
		m.crashed, broken = true, errCrash
	case m.failAt:
		broken = errFault
	}
	if broken != nil && !m.late {
		return broken
	}
	return errors.Join(do(), broken)
}

func (m *memFolder) Read(name string) (body []byte, err error) {
	err = m.op("read "+name, func() error {
		f := m.names[name]
		if f == nil {
			return fs.ErrNotExist
		}
		body = f.data
		return nil
	})
	return body, err
}

func (m *memFolder) Create(name string) (folderFile, error) {
	f := &file{}
	err := m.op("create "+name, func() error { m.names[name] = f; return nil })
	return &memFile{m, f}, err
}

func (m *memFolder) Rename(from, to string) error {
	return m.op("rename "+to, func() error {
		m.names[to] = m.names[from]
		delete(m.names, from)
		return nil
	})
}

func (m *memFolder) Sync() error {
	return m.op("sync", func() error { m.synced = maps.Clone(m.names); return nil })
}

type memFile struct {
	m *memFolder
	f *file
}

func (f *memFile) Write(p []byte) (int, error) {
	err := f.m.op("write", func() error {
		f.m.last, f.m.before = f.f, len(f.f.data)
		f.f.data = append(f.f.data, p...)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *memFile) Sync() error {
	return f.m.op("sync file", func() error {
		f.f.synced = f.f.data
		if f.m.last == f.f {
			f.m.last = nil
		}
		return nil
	})
}

func (f *memFile) Close() error { return f.m.op("close", func() error { return nil }) }

// The two extremes of what a crash leaves.
const (
	syncedOnly = "synced only"
	allKept    = "all kept, the last write halved"
)

// reboot is the folder as the next start finds it.
func (m *memFolder) reboot(view string) *memFolder {
	next, names := newMemFolder(), m.names
	if view == syncedOnly {
		names = m.synced
	}
	for name, f := range names {
		data := f.data
		switch {
		case view == syncedOnly:
			data = f.synced
		case f == m.last:
			data = data[:m.before+(len(data)-m.before)/2]
		}
		next.names[name] = &file{data, data}
	}
	next.synced = maps.Clone(next.names)
	return next
}

func (m *memFolder) String() string { return fmt.Sprint(m.log) }
