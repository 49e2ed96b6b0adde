//go:build bench

package ring

import "testing"

// chunk is the bytes of one write.
const chunk = 4096

// A rival keeps the newest chunks of a stream. Write belongs to one goroutine,
// and p is a chunk that stays the caller's. The rest may be called from any.
type rival interface {
	Write(p []byte)
	// Follow is a reader that begins at the head. It belongs to one goroutine.
	Follow() follower
	// Last copies the newest whole chunks that fill dst, or returns false if
	// the rival cannot do that or has overwritten some of them meanwhile.
	Last(dst []byte) bool
}

// A follower goes behind the writer.
type follower interface {
	// Next copies chunks that have come since into dst, whole ones, in order,
	// and returns how many: 0 if there are none. What was overwritten before
	// it was read is passed over. A follower that lends instead of copying
	// leaves dst alone.
	Next(dst []byte) int
	Close()
}

// A contender makes a rival that holds that many chunks.
type contender struct {
	name string
	make func(t testing.TB, chunks int) rival
}

// floor is the contender that all others are measured in.
const floor = "copy"

// contenders are all of them, the floor first and ours second.
func contenders() []contender {
	return []contender{
		{floor, newRound},
		{"ours", newOurs},
		{"copy to one 4 KiB", newHot},
		{"unprotected", newBare},
		{"Mutex", newMutexed},
		{"RWMutex", newRWMutexed},
		{"chan of pointers", newPointers},
		{"chan of arrays", newArrays},
		{"blocks of the GC", newBlocks},
		{"atomic words", newWordRing},
	}
}
