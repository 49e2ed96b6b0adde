//go:build chaos

package buffer

// chaos calls what a test has set between two operations of a ring.
type chaos struct{ hook *func(point string) }

func newChaos() chaos { return chaos{new(func(string))} }

func (c chaos) at(point string) {
	if hook := *c.hook; hook != nil {
		hook(point)
	}
}

// Inject makes every operation call hook before each of its steps, which has
// the name that the step has in the text. It is set while nobody uses the ring.
func (r *Ring) Inject(hook func(point string)) { *r.chaos.hook = hook }
