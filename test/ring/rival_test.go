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
	// it was read is passed over.
	Next(dst []byte) int
	Close()
}

// A holder is a follower that can borrow the newest chunks and keep them.
type holder interface {
	Hold() (release func())
}

// A contender makes a rival that holds that many chunks.
type contender struct {
	name string
	make func(t testing.TB, chunks int) rival
	// readsOther says that its readers read other memory, when they are told to.
	readsOther bool
}

// floor is the contender that all others are measured in.
const floor = "copy"

// Places among the contenders; the floor has the first.
const (
	own         = 1
	unprotected = 2
	mutex       = 5
)

// contenders are all of them.
func contenders() []contender {
	return []contender{
		{name: floor, make: newRound, readsOther: true},
		{name: "ours", make: newOurs},
		{name: "unprotected", make: newBare},
		{name: "copy to one 4 KiB", make: newHot, readsOther: true},
		{name: "ours, blocks of 4 KiB", make: newFine},
		{name: "Mutex", make: newMutexed},
		{name: "RWMutex", make: newRWMutexed},
		{name: "chan of pointers", make: newPointers},
		{name: "chan of arrays", make: newArrays},
		{name: "blocks of the GC", make: newBlocks},
		{name: "atomic words", make: newWordRing},
	}
}

// makeAll makes one of each.
func makeAll(t testing.TB, who []contender, chunks int) (all []rival) {
	for _, c := range who {
		all = append(all, c.make(t, chunks))
	}
	return all
}
