package files

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOnlySyncsThatTellTheirErrorsAreBatched: elsewhere one that failed is
// taken for one that did not.
func TestOnlySyncsThatTellTheirErrorsAreBatched(t *testing.T) {
	const (
		fuse, nfs, cifs, smb2, p9 = unix.FUSE_SUPER_MAGIC, unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.V9FS_MAGIC
		overlay, vfat, f2fs       = unix.OVERLAYFS_SUPER_MAGIC, unix.MSDOS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC
	)
	for _, c := range []struct {
		release string
		kind    uint32
		want    bool
	}{
		{"6.1.0-13-amd64", unix.EXT4_SUPER_MAGIC, true}, {"5.17.0", unix.XFS_SUPER_MAGIC, true}, {"7.0.1-rc2+", unix.BTRFS_SUPER_MAGIC, true},
		{"10.2", unix.TMPFS_MAGIC, true}, {"6.18.44-fc", unix.EXT4_SUPER_MAGIC, true},
		{"5.16.20", unix.EXT4_SUPER_MAGIC, false}, {"5.8.0", unix.EXT4_SUPER_MAGIC, false}, {"4.19.0-rpi", unix.EXT4_SUPER_MAGIC, false},
		{"4.99.1", unix.XFS_SUPER_MAGIC, false}, {"5", unix.EXT4_SUPER_MAGIC, false}, {"", unix.EXT4_SUPER_MAGIC, false}, {"x.y", unix.EXT4_SUPER_MAGIC, false},
		{"6.x", unix.EXT4_SUPER_MAGIC, false}, {"6.1", 0, false}, {"6.1", fuse, false}, {"6.1", nfs, false}, {"6.1", cifs, false}, {"6.1", smb2, false}, {"6.1", p9, false},
		{"6.1", overlay, false}, {"6.1", vfat, false}, {"6.1", f2fs, false},
	} {
		if got := syncTells(c.release, c.kind); got != c.want {
			t.Errorf("Linux %q, file system %#x: %v", c.release, c.kind, got)
		}
	}
}

// TestWhatIsMountedBelowIsNotCovered by a sync of the root.
func TestWhatIsMountedBelowIsNotCovered(t *testing.T) {
	const mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 8:2 / /srv/store rw,noatime shared:3 - ext4 /dev/sdb1 rw\n" +
		"37 36 8:3 / /srv/store/aside rw - vfat /dev/sdc1 rw\n38 22 8:4 / /mnt/my\\040disk/x rw - ext4 /dev/sdd1 rw\nodd\n"
	for folder, want := range map[string]bool{
		"/": true, "/srv": true, "/srv/store": true, "/srv/store/aside": false, "/srv/store/1": false, "/srv/stor": false, "/var": false,
		"/mnt/my disk": true, "/mnt/my": false, "/mnt/my disk/x": false,
	} {
		if got := mountedBelow(mounts, folder); got != want {
			t.Errorf("below %s: %v", folder, got)
		}
	}
	for _, path := range []string{"/", "/proc"} { // the one has others below, the other is of an unknown kind
		dir, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		if tellsErrors(dir, path) {
			t.Errorf("a sync of %s is said to tell its errors", path)
		}
	}
}

// TestASyncOfWhatBecameReadOnlyFails: an error of its own made it so, and the
// system says that there is nothing to sync.
func TestASyncOfWhatBecameReadOnlyFails(t *testing.T) {
	flag := "-m"
	if os.Geteuid() != 0 {
		flag = "-rm"
	}
	point := t.TempDir()
	cmd := exec.Command("unshare", flag, "sh", "-c", fmt.Sprintf("mount -t tmpfs -o ro none '%s' && echo mounted && read end", point))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip("left out: no name space of its own can be had here: ", err)
	}
	defer func() {
		in.Close()
		_ = cmd.Wait()
	}()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		t.Skip("left out: no file system can be mounted here (root can)")
	}
	for path, want := range map[string]error{fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, point): syscall.EROFS, point: nil} {
		dir, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		if err := syncWhole(dir); !errors.Is(err, want) {
			t.Errorf("sync of %s: %v, want %v", path, err, want)
		}
	}
}
