package system

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is the user that daemons of a test run as if the test runs as root.
const nobody = 65534

// asNobody starts ingestd as a user who is not root, in a folder of its own.
func asNobody(t *testing.T, config string, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "ingestd.toml")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Open(ingestd)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	// By its descriptor: the folder that it lies in is closed to others.
	cmd := exec.Command(fmt.Sprintf("/proc/self/fd/%d", 3), append(args, "--config", name)...)
	cmd.ExtraFiles = []*os.File{program}
	dieWithTest(cmd)
	if os.Getuid() == 0 {
		for _, own := range []string{dir, name} {
			if err := os.Chown(own, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // as the testing package made it, it is closed too
			t.Fatal(err)
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	cmd.Dir = dir
	p, err := startProcess(t, cmd)
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("left out: another user may not enter the folder of temporary files")
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// userOf is the user that the file belongs to.
func userOf(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// TestSecurity_S5: no other process of the same user may look into a process
// that records, and it leaves no core. The kernel shows that by whom it gives
// its files in /proc to: the user, or, if nobody may look, root.
func TestSecurity_S5(t *testing.T) {
	t.Parallel()
	const config = "[http]\nlisten = \"off\"\n[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n[[reader]]\nname = \"archive\"\nsink = \"disk\"\n[sink.disk]\ndriver = \"mem\"\n"
	for _, args := range [][]string{{"run"}, {"record", "mic0"}} {
		p := asNobody(t, config, args...)
		p.see("recording")
		user := uint32(os.Getuid())
		if user == 0 {
			user = nobody
		}
		proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
		if got := userOf(t, proc); got != user {
			t.Fatalf("ingestd %s runs as user %d, want %d", args[0], got, user)
		}
		for _, name := range []string{"environ", "maps", "mem", "auxv"} {
			if userOf(t, proc+name) == user {
				t.Errorf("ingestd %s: its user may read %s of it", args[0], name)
			}
		}
	}
}
