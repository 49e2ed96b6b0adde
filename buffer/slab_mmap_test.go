//go:build linux && !race && !chaos

package buffer

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// TestSecurity_S6: the sound in memory is in no core dump, and outside of the Go
// heap, so in no dump of that either.
func TestSecurity_S6(t *testing.T) {
	r, err := New(Config{FrameBytes: 2, Frames: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Writer(); err != nil {
		t.Fatal(err)
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(r.slab)))
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip("left out: no smaps here: ", err)
	}
	defer maps.Close()
	inside, seen := false, false
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		flags, ok := strings.CutPrefix(lines.Text(), "VmFlags: ")
		if !ok || !inside {
			continue
		}
		seen = true
		if !slices.Contains(strings.Fields(flags), "dd") { // do not dump
			t.Errorf("the ring lies in memory with the flags %s", flags)
		}
	}
	if !seen {
		t.Error("the ring lies nowhere")
	}
}
