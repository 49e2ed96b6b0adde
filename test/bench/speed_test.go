//go:build bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
)

const (
	rounds    = 5
	leastRate = 0.5 // of the rate of cp
)

// bulk is the bytes of sound.
func bulk() int {
	if short() {
		return 256 << 20
	}
	return 1 << 30
}

// TestReplayIsAtLeastHalfAsFastAsCp compares how long it takes until the bytes
// are on the disk, a sync included. It takes turns, so that both meet the same
// machine, and compares medians.
func TestReplayIsAtLeastHalfAsFastAsCp(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "long.wav")
	writeLong(t, from)
	bin := program(t)
	for try := 1; ; try++ {
		ratio := race(t, bin, from, dir)
		if ratio >= leastRate/slack() {
			return
		}
		if try == tries {
			t.Fatalf("replay has %.2f of the rate of cp, less than %.2f", ratio, leastRate/slack())
		}
	}
}

// race returns the rate of replay in units of the rate of cp. What a round
// wrote is removed behind the last one only: ext4 does not give out an inode
// again for some seconds after its file was removed, and a store of hundreds
// of files then pays for the search.
func race(t *testing.T, bin, from, dir string) float64 {
	t.Helper()
	var ratios, cp, own []float64
	for i := range rounds {
		to := filepath.Join(dir, fmt.Sprintf("copy%d.wav", i))
		defer remove(t, to)
		cp = append(cp, took(t, exec.Command("cp", "--reflink=never", "--sparse=never", from, to)))
		root := filepath.Join(dir, fmt.Sprintf("store%d", i))
		defer remove(t, root)
		own = append(own, took(t, exec.Command(bin, "replay", from, "--root", root, "--speed", "0", "--sync", "none")))
		ratios = append(ratios, cp[len(cp)-1]/own[len(own)-1])
	}
	mb := float64(bulk()) / 1e6
	t.Logf("MB/s: cp %.0f, replay %.0f; %.2f of the rate of cp", mb/median(cp), mb/median(own), median(ratios))
	return median(ratios)
}

func writeLong(t *testing.T, name string) {
	t.Helper()
	f := audio.Format{Rate: 48000, Channels: 2, Encoding: audio.S16}
	head, err := wav.AppendHeader(nil, f, &wav.Tags{}, int64(bulk()))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	piece := make([]byte, 1<<20)
	if _, err := out.Write(head); err != nil {
		t.Fatal(err)
	}
	for n := range bulk() / len(piece) {
		for i := range piece {
			piece[i] = byte(i*7 + n)
		}
		if _, err := out.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
}

func took(t *testing.T, cmd *exec.Cmd) float64 {
	t.Helper()
	_ = exec.Command("sync").Run() // nobody pays for what the one before left
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	cached := time.Since(begun)
	_ = exec.Command("sync").Run()
	t.Logf("%s: %v to the page cache, %v to the disk", filepath.Base(cmd.Path), cached.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
	return time.Since(begun).Seconds()
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// program builds ingestd and installs it: a file that the linker has just
// written lies in the page cache in larger pieces than one that was copied, and a
// process has 2 MiB more of it resident.
func program(t *testing.T) string {
	t.Helper()
	linked, name := filepath.Join(t.TempDir(), "linked"), filepath.Join(t.TempDir(), "ingestd")
	for _, args := range [][]string{{"go", "build", "-o", linked, "../../cmd/ingestd"}, {"install", linked, name}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatal(fmt.Errorf("build ingestd: %w\n%s", err, out))
		}
	}
	return name
}
