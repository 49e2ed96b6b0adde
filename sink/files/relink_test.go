package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// stuck is a folder from which nothing can be removed.
type stuck struct{ *os.Root }

func (stuck) Remove(string) error { return syscall.EIO }

// TestWhatWasLinkedIsRenamed: behind the second name, the sound is stored.
func TestWhatWasLinkedIsRenamed(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for from, to := range map[string]string{"a.part": "a", "b.part": "b", "c.part": "a"} {
		if err := os.WriteFile(filepath.Join(dir, from), []byte(to), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := relink(root, "a.part", "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.part")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name is there: %v", err)
	}
	if err := relink(stuck{root}, "b.part", "b"); err != nil {
		t.Errorf("an old name that stays: %v", err)
	}
	if err := relink(root, "c.part", "a"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	for _, name := range []string{"a", "b"} {
		if body, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(body) != name {
			t.Errorf("%s holds %q, %v", name, body, err)
		}
	}
}
