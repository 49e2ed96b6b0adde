//go:build bench

package ring

import (
	"fmt"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// allocated is how many allocations a write and a read of 4 KiB make.
func allocated(t testing.TB, c contender) (write, read float64) {
	src, dst := make([]byte, chunk), make([]byte, chunk)
	r := c.make(t, flatSmall)
	f := r.Follow()
	defer f.Close()
	next := func() {
		if f.Next(dst) != 1 {
			t.Fatalf("%s: nothing to read", c.name)
		}
	}
	write = testing.AllocsPerRun(flatSmall, func() { r.Write(src) })
	for f.Next(dst) > 0 {
	}
	both := testing.AllocsPerRun(flatSmall, func() { r.Write(src); next() })
	return write, both - write
}

func TestWriteReadAndViewAllocateNothing(t *testing.T) {
	rows := table{{"allocations", "write", "read", "view"}}
	for i, c := range contenders() {
		if c.readsOther {
			continue
		}
		write, read := allocated(t, c)
		view := "-"
		if i == own {
			n := testing.AllocsPerRun(flatSmall, viewing(t))
			view = fmt.Sprint(n)
			if write+read+n > 0 {
				t.Errorf("%v allocations for a write, %v for a read, %v for a view; want none", write, read, n)
			}
		}
		rows.row(c.name, fmt.Sprint(write), fmt.Sprint(read), view)
	}
	rows.log(t, "allocations for 4 KiB, with one reader")
}

// viewing borrows the newest chunk and gives it back.
func viewing(t testing.TB) func() {
	o := newRing(t, flatSmall, 0)
	o.Write(make([]byte, chunk))
	return func() {
		to := o.ring.Head()
		v, err := o.last.Slice(to-audio.Pos(chunkFrames), to)
		if err != nil || !v.Borrowed() || len(v.Segments()) != 1 {
			t.Error("nothing was borrowed: ", err)
		}
		v.Release()
	}
}
