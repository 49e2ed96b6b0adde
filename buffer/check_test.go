package buffer

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// The tests check_*_test.go walk through every order in which the steps of the
// writer and of its readers can be taken. A step is one atomic operation of the
// code, under the letter that the comments there give it. A plain access to
// memory is two steps, its begin and its end.

// system is a model: its states, and what can happen in each.
type system[S comparable] interface {
	start() S
	// steps tells what follows by itself: operations that are under way.
	steps(s S, to step[S])
	// events tells what may happen or never happen: a new call, a context that
	// ends.
	events(s S, to step[S])
	// fault says what is wrong with a state, or "".
	fault(s S) string
	// rest says what is wrong with a state in which no operation can go on.
	rest(s S) string
}

// step is called with who takes it, what it is, and the state after it.
type step[S comparable] func(who uint8, what string, t S)

// found is what a walk has come to.
type found struct {
	states int
	fault  string
	trace  []string // shortest way to the fault
}

func (f found) String() string {
	return fmt.Sprintf("%s, after %d steps:\n%s", f.fault, len(f.trace), strings.Join(f.trace, "\n"))
}

const (
	lotBits = 12
	lot     = 1 << lotBits
)

// walk holds the states seen, in the order in which they were found.
type walk[S comparable] struct {
	seed   maphash.Seed
	states [][]S
	from   [][]uint32 // of each state, the one before it
	count  int
	table  []uint64 // open addressing: upper half of the hash, index+1
}

func (w *walk[S]) at(i int) *S { return &w.states[i>>lotBits][i&(lot-1)] }

// add returns whether s is new.
func (w *walk[S]) add(s S, from int) bool {
	if 4*w.count >= 3*len(w.table) {
		w.grow()
	}
	hash := maphash.Comparable(w.seed, s)
	mask := uint64(len(w.table) - 1)
	upper := hash >> 32 << 32
	spot := upper >> 32 & mask
	for ; w.table[spot] != 0; spot = (spot + 1) & mask {
		if e := w.table[spot]; e>>32<<32 == upper && *w.at(int(uint32(e)) - 1) == s {
			return false
		}
	}
	if w.count&(lot-1) == 0 {
		w.states = append(w.states, make([]S, lot))
		w.from = append(w.from, make([]uint32, lot))
	}
	*w.at(w.count) = s
	w.from[w.count>>lotBits][w.count&(lot-1)] = uint32(from)
	w.count++
	w.table[spot] = upper | uint64(w.count)
	return true
}

func (w *walk[S]) grow() {
	old := w.table
	w.table = make([]uint64, max(lot, 2*len(old)))
	mask := uint64(len(w.table) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		spot := e >> 32 & mask
		for w.table[spot] != 0 {
			spot = (spot + 1) & mask
		}
		w.table[spot] = e
	}
}

// explore walks through all states of m, breadth first, up to the first fault.
// More than most states are a fault too.
func explore[S comparable](m system[S], most int) found {
	w := &walk[S]{seed: maphash.MakeSeed()}
	w.add(m.start(), 0)
	for i := 0; i < w.count; i++ {
		s := *w.at(i)
		if f := m.fault(s); f != "" {
			return found{w.count, f, w.trace(m, i)}
		}
		moves := false
		m.steps(s, func(_ uint8, _ string, t S) {
			moves = true
			w.add(t, i)
		})
		if !moves {
			if f := m.rest(s); f != "" {
				return found{w.count, f, w.trace(m, i)}
			}
		}
		m.events(s, func(_ uint8, _ string, t S) { w.add(t, i) })
		if w.count > most {
			return found{w.count, fmt.Sprintf("there are more than %d states", most), nil}
		}
	}
	return found{states: w.count}
}

// trace tells the steps that led to state i.
func (w *walk[S]) trace(m system[S], i int) []string {
	var lines []string
	for i > 0 {
		from := int(w.from[i>>lotBits][i&(lot-1)])
		line := ""
		tell := func(who uint8, what string, t S) {
			if line == "" && t == *w.at(i) {
				line = fmt.Sprintf("%10s: %s", actor(who), what)
			}
		}
		m.steps(*w.at(from), tell)
		m.events(*w.at(from), tell)
		lines = append(lines, line)
		i = from
	}
	slices.Reverse(lines)
	return lines
}

// actor names who takes a step: the writer is 0.
func actor(who uint8) string {
	if who == 0 {
		return "writer"
	}
	return fmt.Sprintf("reader %d", who)
}

// holds walks through a good model, which must have no fault, and returns how
// many states it has.
func holds[S comparable](t *testing.T, name string, m system[S]) int {
	t.Helper()
	f := explore(m, 3_000_000)
	t.Logf("%s: %d states", name, f.states)
	if f.fault != "" {
		t.Errorf("%s: %v", name, f)
	}
	return f.states
}

// refuted walks through a model that breaks a rule, and must come to the fault
// want. The same model in which no rule is broken must have no fault.
func refuted[S comparable](t *testing.T, good, bad system[S], want string) {
	t.Helper()
	const most = 300_000
	if f := explore(good, most); f.fault != "" {
		t.Errorf("with no rule broken: %v", f)
	}
	f := explore(bad, most)
	if f.fault != want || len(f.trace) == 0 {
		t.Fatalf("%d states, and the fault is %q, want %q", f.states, f.fault, want)
	}
	t.Log(f)
}

// sights counts what a walk has met, so that a model in which nothing happens
// is noticed.
type sights map[string]int

// missing returns those of want that were not met.
func (s sights) missing(want ...string) []string {
	return slices.DeleteFunc(want, func(w string) bool { return s[w] > 0 })
}

// a counter is a small system that tests the explorer.
type counter struct{ to, bad uint8 }

func (c counter) start() [2]uint8 { return [2]uint8{} }

func (c counter) steps(s [2]uint8, to step[[2]uint8]) {
	for i := range s {
		if s[i] < c.to {
			t := s
			t[i]++
			to(uint8(i), "count", t)
		}
	}
}

func (c counter) events([2]uint8, step[[2]uint8]) {}

func (c counter) fault(s [2]uint8) string {
	if c.bad > 0 && s[0] == c.bad && s[1] == c.bad {
		return "both are bad"
	}
	return ""
}

func (c counter) rest(s [2]uint8) string {
	if s[0] != s[1] {
		return "one is behind"
	}
	return ""
}

func TestExplorerFindsTheShortestWay(t *testing.T) {
	if f := explore(counter{to: 199}, 1e6); f.states != 200*200 || f.fault != "" {
		t.Errorf("%d states, %q, want all 40000", f.states, f.fault)
	}
	if f := explore(counter{to: 199, bad: 7}, 1e6); len(f.trace) != 14 || f.fault != "both are bad" {
		t.Errorf("found %v, want a fault after 14 steps", f)
	}
	if f := explore(counter{to: 199}, 1000); f.fault == "" {
		t.Error("the bound on states was passed")
	}
}

// The least numbers make together more than 3 million states: a model that has
// become weaker is noticed.
func TestProtocolsHold(t *testing.T) {
	small := raceEnabled || testing.Short()
	var all atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, model := range []struct {
			name  string
			check func(t *testing.T, small bool) (states int)
			least int // states that it must have
		}{{"pins", checkPins, 1_500_000}, {"holes", checkHoles, 1_000_000}, {"waits", checkWaits, 700_000}} {
			t.Run(model.name, func(t *testing.T) {
				t.Parallel()
				n := model.check(t, small)
				if !small && n < model.least {
					t.Errorf("the model has %d states, want at least %d: it has become weaker", n, model.least)
				}
				all.Add(int64(n))
			})
		}
	})
	t.Logf("%d states", all.Load())
}
