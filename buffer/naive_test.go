//go:build naive

package buffer

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
)

// naive is the obvious ring: frames are read in place, and afterwards it is
// looked at whether the writer had come round. What it gives is right, and it is
// a data race all the same: make naive shows that the race detector says so,
// and so that the runs of the other ring under it mean something.
type naive struct {
	begun, done atomic.Int64 // frames
	data        [64]byte
}

const naiveFrames = 8

func (n *naive) write(frame uint64) {
	at := n.done.Load()
	n.begun.Store(at + 1)
	binary.LittleEndian.PutUint64(n.data[at%naiveFrames*8:], frame)
	n.done.Store(at + 1)
}

func (n *naive) read(at int64) (frame uint64, ok bool) {
	if at >= n.done.Load() {
		return 0, false
	}
	frame = binary.LittleEndian.Uint64(n.data[at%naiveFrames*8:])
	return frame, n.begun.Load() <= at+naiveFrames
}

func TestNaiveRingIsARace(t *testing.T) {
	var n naive
	var all sync.WaitGroup
	all.Go(func() {
		for i := range uint64(200_000) {
			n.write(i)
		}
	})
	for at := int64(0); at < 199_000; at = n.done.Load() - 4 {
		if frame, ok := n.read(max(0, at)); ok && frame != uint64(max(0, at)) {
			t.Errorf("frame %d reads %d", at, frame)
		}
	}
	all.Wait()
}
