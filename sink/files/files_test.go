package files_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

func open(t testing.TB, c files.Config) *files.Bucket {
	t.Helper()
	if c.Root == "" {
		c.Root = t.TempDir()
	}
	b, err := files.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestSecondWriterIsTurnedAway(t *testing.T) {
	root := t.TempDir()
	b := open(t, files.Config{Root: root})
	_, err := files.Open(t.Context(), files.Config{Root: root})
	var locked *files.LockedError
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), "in use by pid ") || strings.Contains(err.Error(), "pid ?") {
		t.Errorf("opened twice: %v", err)
	}
	open(t, files.Config{Root: root, ReadOnly: true}).Close() // readers take no lock
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, files.Config{Root: root})
}

func TestReadOnlyChangesNothing(t *testing.T) {
	root := t.TempDir()
	b := open(t, files.Config{Root: root, ReadOnly: true})
	_, err := b.Put(t.Context(), "a", nil, sink.PutOptions{})
	_, err2 := b.Create(t.Context(), "a")
	for _, err := range []error{err, err2, b.Append(t.Context(), "a", []byte("x\n")), b.Delete(t.Context(), "a")} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got error %v", err)
		}
	}
	if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
		t.Errorf("there are %v, %v", left, err)
	}
	if _, err := files.Open(t.Context(), files.Config{Root: filepath.Join(root, "none"), ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened what is not there: %v", err)
	}
}

func TestRootIsMadeOnFirstRun(t *testing.T) {
	t.Chdir(t.TempDir())
	b := open(t, files.Config{Root: "some/where/store", Sync: true})
	if !filepath.IsAbs(b.String()) {
		t.Errorf("its path is %s", b)
	}
	if _, err := os.Stat("some/where/store/store.lock"); err != nil {
		t.Error(err)
	}
	if _, err := files.Open(t.Context(), files.Config{Root: "some/where/store/store.lock"}); err == nil {
		t.Error("a file was opened as a root")
	}
	free, size, err := b.Free()
	if err != nil || free <= 0 || size < free {
		t.Errorf("free %d of %d, %v", free, size, err)
	}
}

// TestSecurity_P3: no link in the root leads anything out of it.
func TestSecurity_P3(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	b := open(t, files.Config{Root: root})
	for link, to := range map[string]string{"dir": outside, "file": filepath.Join(outside, "secret"), "up": "../" + filepath.Base(outside), "dangling": filepath.Join(outside, "new")} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"dir/secret", "file", "up/secret", "dir/new", "dangling", "up/new/new"} {
		if _, err := b.Get(t.Context(), name, 0, -1); err == nil {
			t.Errorf("%s was read", name)
		}
		if _, err := b.Put(t.Context(), name, []byte("y"), sink.PutOptions{}); err == nil {
			t.Errorf("%s was written", name)
		}
		if err := b.Append(t.Context(), name, []byte("y\n")); err == nil {
			t.Errorf("%s was appended to", name)
		}
		if d, err := b.Create(t.Context(), name); err == nil {
			t.Errorf("%s was created", name)
			d.Abort(false)
		}
		if err := b.Delete(t.Context(), name); err == nil {
			t.Errorf("%s was deleted", name)
		}
	}
	for info, err := range b.List(t.Context(), "", "") {
		t.Errorf("listed %v, %v", info, err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
		t.Errorf("outside there are %v, %v", left, err)
	}
}

func TestWhatIsNoFileHasNoName(t *testing.T) {
	root := t.TempDir()
	b := open(t, files.Config{Root: root})
	if err := syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600); err != nil {
		t.Skip("left out: no FIFO: ", err)
	}
	if _, err := b.Get(t.Context(), "fifo", 0, -1); !errors.Is(err, sink.ErrNotFound) {
		t.Errorf("a FIFO was opened: %v", err)
	}
	if _, err := b.Stat(t.Context(), "store.lock"); !errors.Is(err, sink.ErrName) {
		t.Errorf("the lock has a name: %v", err)
	}
}

// TestSecurity_P5 is the bits of everything that is made, under any umask.
func TestSecurity_P5(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o777} {
		root := filepath.Join(t.TempDir(), "root")
		old := syscall.Umask(mask)
		b := open(t, files.Config{Root: root})
		_, err := b.Put(t.Context(), "s/info.json", nil, sink.PutOptions{})
		err = errors.Join(err, b.Append(t.Context(), "s/blocks.jsonl", []byte("x\n")))
		open, err2 := b.Create(t.Context(), "s/d/open.wav")
		done, err3 := b.Create(t.Context(), "s/d/done.wav")
		err = errors.Join(err, err2, err3, done.Commit())
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]fs.FileMode{
			".": 0o750 | fs.ModeDir, "store.lock": 0o640, "s": 0o750 | fs.ModeDir, "s/d": 0o750 | fs.ModeDir,
			"s/info.json": 0o640, "s/blocks.jsonl": 0o640, "s/d/open.wav.part": 0o640, "s/d/done.wav": 0o440,
		} {
			info, err := os.Lstat(filepath.Join(root, name))
			if err != nil || info.Mode() != want {
				t.Errorf("umask %03o: %s is %v, %v, want %v", mask, name, info.Mode(), err, want)
			}
		}
		if err := open.Abort(true); err != nil {
			t.Error(err)
		}
	}
}

func TestSecondAttemptLiesBesideTheFirst(t *testing.T) {
	root := t.TempDir()
	b := open(t, files.Config{Root: root, Sync: true})
	for _, want := range []string{"a.wav.part", "a.wav.2.part", "a.wav.3.part"} {
		d, err := b.Create(t.Context(), "s/a.wav")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Abort(true); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(root, "s", want)); err != nil {
			t.Error(err)
		}
	}
}

// TestTooManyDraftsOfANameTakeIt: then the sound goes to the next block. Else
// nothing would be stored any more, even on a disk that is well again.
func TestTooManyDraftsOfANameTakeIt(t *testing.T) {
	root := t.TempDir()
	b := open(t, files.Config{Root: root, Sync: true})
	l, err := sink.ParseLayout(sink.DefaultLayout)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sink.OpenStore(t.Context(), b, l, sink.WAV{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "1/data/mic0/data")
	err = os.Mkdir(dir, 0o750)
	for n := range 1000 {
		name := "00000000000000.wav.part"
		if n > 0 {
			name = fmt.Sprintf("00000000000000.wav.%d.part", n+1)
		}
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), nil, 0o640))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(t.Context(), ramp(0, 10)); !errors.Is(err, sink.ErrExists) {
		t.Errorf("begun beside 1000 drafts: %v", err)
	}
	if from := r.Restart(t.Context()); from != 0 {
		t.Errorf("to be given again from %d", from)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 10)), r.Close(t.Context(), 0)); err != nil {
		t.Errorf("at the next block: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "00000000000001.wav")); err != nil {
		t.Error(err)
	}
}

func TestErrorsKeepTheirErrno(t *testing.T) {
	b := open(t, files.Config{})
	if _, err := b.Put(t.Context(), "a", nil, sink.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Put(t.Context(), "a/b/c", nil, sink.PutOptions{})
	if !errors.Is(err, syscall.ENOTDIR) || errors.Is(err, sink.ErrNotFound) {
		t.Errorf("a name below a name: %v", err)
	}
}
