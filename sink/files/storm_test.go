package files_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// stormy is a disk on which operations fail by chance.
type stormy struct {
	*faulty
	rand *rand.Rand
	full bool // there is no room now and then, and nothing else is wrong
	wild int  // of twelve operations so many fail; 0: none
}

// toss decides whether the next operation fails.
func (s *stormy) toss(op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = 0
	if n := len(s.log); n > 1 && s.log[n-1] == "FAILS" && (strings.HasPrefix(s.log[n-2], "rename") || op == "rename") {
		return // if the answer to a rename is lost, and what came of it cannot be seen, it is not known
	}
	if s.rand.IntN(12) >= s.wild {
		return
	}
	if s.full {
		if op == "create" || op == "write" || op == "mkdir" {
			s.at, s.with, s.late = s.seen+1, syscall.ENOSPC, false
		}
		return
	}
	s.at, s.late = s.seen+1, s.rand.IntN(3) == 0
	s.with = []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS, syscall.EMFILE}[s.rand.IntN(4)]
}

func (s *stormy) Open(name string, flag int, perm fs.FileMode) (files.File, error) {
	op := "open"
	if flag&os.O_CREATE != 0 {
		op = "create"
	}
	s.toss(op)
	f, err := s.faulty.Open(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &stormyFile{f.(*faultyFile), s}, nil
}

func (s *stormy) Mkdir(name string, perm fs.FileMode) error {
	s.toss("mkdir")
	return s.faulty.Mkdir(name, perm)
}

func (s *stormy) Rename(from, to string, replace bool) error {
	s.toss("rename")
	return s.faulty.Rename(from, to, replace)
}

func (s *stormy) Remove(name string) error {
	s.toss("remove")
	return s.faulty.Remove(name)
}

func (s *stormy) Stat(name string) (fs.FileInfo, error) {
	s.toss("stat")
	return s.faulty.Stat(name)
}

func (s *stormy) SyncFS() error {
	s.toss("syncfs")
	return s.faulty.SyncFS()
}

type stormyFile struct {
	*faultyFile
	s *stormy
}

func (f *stormyFile) WriteAt(p []byte, off int64) (int, error) {
	f.s.toss("write")
	return f.faultyFile.WriteAt(p, off)
}

func (f *stormyFile) Sync() error {
	f.s.toss("sync")
	return f.faultyFile.Sync()
}

func (f *stormyFile) Chmod(perm fs.FileMode) error {
	f.s.toss("chmod")
	return f.faultyFile.Chmod(perm)
}

func (f *stormyFile) Close() error {
	f.s.toss("close")
	return f.faultyFile.Close()
}

func (f *stormyFile) Truncate(size int64) error {
	f.s.toss("truncate")
	return f.faultyFile.Truncate(size)
}

// sailor stores the stream of one sensor through a storm, as a drain does from
// a ring that keeps some frames only.
type sailor struct {
	t     *testing.T
	disk  *stormy
	store *sink.Store
	id    string
	total int64 // frames
	ring  int64 // how many of them it keeps
	lost  []bool

	r         *sink.Recorder
	head, pos int64 // captured, and given to r
	durable   int64
	over      bool
}

// give gives the next piece, a hole or sound, or the end.
func (a *sailor) give() error {
	t := a.t
	oldest := max(0, a.head-a.ring)
	switch {
	case a.pos == a.total:
		err := a.r.Close(t.Context(), 0)
		a.over = err == nil
		return err
	case a.pos < oldest:
		for i := a.pos; i < oldest; i++ {
			if a.disk.full && !a.lost[i] && i < a.durable {
				t.Errorf("%s: frame %d was durable, %d are, and becomes a hole because the disk is full", a.id, i, a.durable)
			}
			a.lost[i] = true
		}
		err := a.r.Hole(t.Context(), oldest-a.pos, audio.Disk)
		a.moved(err, oldest)
		return err
	}
	end := a.pos
	for end < a.head && a.lost[end] == a.lost[a.pos] {
		end++
	}
	var err error
	if end > a.pos && a.lost[a.pos] {
		err = a.r.Hole(t.Context(), end-a.pos, audio.XRun)
	} else {
		end = min(end, a.pos+1+a.disk.rand.Int64N(60))
		err = a.r.Write(t.Context(), ramp(a.pos, end))
	}
	a.moved(err, end)
	return err
}

func (a *sailor) moved(err error, to int64) {
	if err == nil {
		a.pos = to
	}
}

// step lets time pass, and does what a drain does then.
func (a *sailor) step() {
	a.head = min(a.head+a.disk.rand.Int64N(40), a.total)
	var err error
	if a.r == nil {
		if a.r, err = a.store.Record(a.t.Context(), sink.RecordConfig{Session: 1, Sensor: a.id, Format: s16, ChunkFrames: 100}); err != nil {
			a.r = nil
			return
		}
	}
	if a.pos == a.head && a.head < a.total {
		return
	}
	if a.give() != nil {
		a.pos = a.r.Restart(a.t.Context())
	}
	d, w := a.r.Durable(), a.r.Written()
	if d < a.durable || d > w || a.pos > a.head {
		a.t.Fatalf("%s: durable went from %d to %d, written is %d, and given %d of %d", a.id, a.durable, d, w, a.pos, a.head)
	}
	a.durable = d
}

// newSailor has a stream of its own, with holes in it.
func newSailor(t *testing.T, disk *stormy, store *sink.Store, id string) *sailor {
	a := &sailor{t: t, disk: disk, store: store, id: id, total: 600 + disk.rand.Int64N(600), ring: 150 + disk.rand.Int64N(500)}
	a.lost = make([]bool, a.total)
	for range disk.rand.IntN(4) {
		from := disk.rand.Int64N(a.total)
		for i := from; i < min(a.total, from+1+disk.rand.Int64N(50)); i++ {
			a.lost[i] = true
		}
	}
	return a
}

// TestManyFaultsLoseNothing: two sensors of one store, faults of any kind in any
// number, or a disk that is full at times; then good weather. What was captured
// is stored, once, or lies in a hole that is told.
func TestManyFaultsLoseNothing(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { sail(t, rand.New(rand.NewPCG(seed, 0))) }) {
			return
		}
	}
}

func sail(t *testing.T, chance *rand.Rand) {
	disk := &stormy{faulty: &faulty{}, rand: chance, full: chance.IntN(2) == 0}
	root := t.TempDir()
	b := open(t, files.Config{Root: root, Sync: true, Batch: chance.IntN(2) == 0, Wrap: func(fs files.FS) files.FS { disk.FS = fs; return disk }})
	l, err := sink.ParseLayout(sink.DefaultLayout)
	if err != nil {
		t.Fatal(err)
	}
	store, err := sink.OpenStore(t.Context(), b, l, sink.WAV{})
	if err != nil {
		t.Fatal(err)
	}
	all := []*sailor{newSailor(t, disk, store, "a"), newSailor(t, disk, store, "b")}
	for n := 0; !all[0].over || !all[1].over; n++ {
		if n%25 == 0 && n < 600 {
			disk.wild = []int{0, 0, 2, 12}[chance.IntN(4)]
		}
		if n == 600 {
			disk.wild = 0
		}
		if n > 4000 {
			t.Fatalf("it never ends: %d of %d, %d of %d", all[0].pos, all[0].total, all[1].pos, all[1].total)
		}
		var recorders []*sink.Recorder
		for _, a := range all {
			if !a.over {
				a.step()
			}
			if a.r != nil && !a.over {
				recorders = append(recorders, a.r)
			}
		}
		if chance.IntN(6) > 0 {
			continue
		}
		if b.Batched() {
			_ = sink.Pass(t.Context(), recorders...)
		} else {
			for _, r := range recorders {
				_ = r.Sync(t.Context())
			}
		}
	}
	for _, a := range all {
		for i, stored := range judge(t, root, a.id, a.total) {
			if stored == a.lost[i] {
				t.Errorf("%s: frame %d is lost: %v, and is stored: %v", a.id, i, a.lost[i], stored)
				break
			}
		}
	}
}
