//go:build !chaos

package buffer

// chaos is where tests step in between two operations of a ring; see docs/ring.md.
// Without the tag chaos it is nothing, and its calls are not there.
type chaos struct{}

func newChaos() chaos { return chaos{} }

func (chaos) at(string) {}
