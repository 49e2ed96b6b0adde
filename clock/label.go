package clock

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
)

// A Label says that at M the wall clock showed UTC. From then on UTC is
// UTC + (m - M), and also before, as far as the wall clock was not stepped.
// Since M never steps, a good label is good for all times.
type Label struct {
	M    int64  // ns, as in Anchor
	Raw  int64  // ns of the unslewed clock, time in suspend included; for later tools
	UTC  int64  // Unix ns
	Err  int64  // half width in ns of what UTC may be wrong by
	Sync string // was the wall clock synchronised: yes, no, or given by the user
	Why  string // it was taken: open, beat, step or sync
	// Step is the ns by which the wall clock was stepped between the label
	// before and this one: 0, or more than 1 µs either way. The ledger finds it.
	Step int64
}

// The words of Label.Sync.
const (
	SyncYes   = "yes"
	SyncNo    = "no"
	SyncGiven = "given"
)

// The words of Label.Why.
const (
	WhyOpen = "open" // the first one
	WhyBeat = "beat" // now and then
	WhyStep = "step" // the wall clock was stepped
	WhySync = "sync" // it was synchronised, or is not any more
)

var (
	syncWords = []string{SyncYes, SyncNo, SyncGiven}
	whyWords  = []string{WhyOpen, WhyBeat, WhyStep, WhySync}
)

// Labels are the labels of a machine, strictly increasing in time. They never
// change; one list may serve all ledgers whose times are of one zero. The zero
// Labels is ready.
//
// One goroutine appends and forgets, any number may ask at the same time, and
// take no lock.
type Labels struct{ rows Table[labelRow] }

type labelRow [7]int64

const (
	labelM = iota
	labelRaw
	labelUTC
	labelErr
	labelWords // numbers of Sync and Why in their lists
	labelStep
	labelLoose // how many labels up to this one are not synchronised
)

// word is the number of a word in its list.
func word(list []string, what, w string) (int64, error) {
	i := slices.Index(list, w)
	if i < 0 {
		return 0, fmt.Errorf("%s %q is not one of %s", what, w, strings.Join(list, ", "))
	}
	return int64(i), nil
}

// Append adds a label. It returns an error that names both, and adds
// nothing, unless its time is behind that of the newest label. Its Step does
// not matter.
func (l *Labels) Append(a Label) error {
	sync, err := word(syncWords, "sync", a.Sync)
	if err != nil {
		return fmt.Errorf("append label at %d ns: %w", a.M, err)
	}
	why, err := word(whyWords, "why", a.Why)
	if err != nil {
		return fmt.Errorf("append label at %d ns: %w", a.M, err)
	}
	if a.Err < 0 || !inRange(a.M) {
		return fmt.Errorf("append label at %d ns, error %d ns: out of range", a.M, a.Err)
	}
	r := labelRow{labelM: a.M, labelRaw: a.Raw, labelUTC: a.UTC, labelErr: a.Err, labelWords: sync<<8 | why}
	if last := l.rows.Look().Last(); last != nil {
		if a.M <= last[labelM] || a.Raw < last[labelRaw] {
			return fmt.Errorf("append label at %d ns, raw %d, behind that at %d ns, raw %d: time increases, raw does not decrease", a.M, a.Raw, last[labelM], last[labelRaw])
		}
		if step := capped(a.UTC, -capped(last[labelUTC], a.M-last[labelM])); size(step) > uint64(leastStep) {
			r[labelStep] = step
		}
		r[labelLoose] = last[labelLoose]
	}
	r[labelLoose] += r.loose()
	l.rows.Append(r)
	return nil
}

// loose is 1 for a label that is not synchronised.
func (r *labelRow) loose() int64 {
	if r[labelWords]>>8 == 1 {
		return 1
	}
	return 0
}

func (r *labelRow) label() Label {
	return Label{r[labelM], r[labelRaw], r[labelUTC], r[labelErr], syncWords[r[labelWords]>>8], whyWords[r[labelWords]&0xff], r[labelStep]}
}

// At is the label in force at m, the newest that is not behind it, and false if
// there is none.
func (l *Labels) At(m int64) (Label, bool) {
	k := l.rows.Look()
	i := k.upTo(labelM, m)
	if i < k.From {
		return Label{}, false
	}
	return k.Row(i).label(), true
}

// From yields the labels at or behind m, in order, as they are now.
func (l *Labels) From(m int64) iter.Seq[Label] {
	return func(yield func(Label) bool) {
		k := l.rows.Look()
		for i, _ := k.Find(labelM, m); i < k.To; i++ {
			if !yield(k.Row(i).label()) {
				return
			}
		}
	}
}

// Best is the label by which the times in [from, to] are known best, and false
// if there is none: that whose error at the worse end is least, and of those the
// latest.
func (l *Labels) Best(from, to int64) (Label, bool) {
	k := l.rows.Look()
	best, least := k.From-1, int64(math.MaxInt64)
	for i := k.From; i < k.To; i++ {
		ref := reference{k.Row(i)[labelM], k.Row(i)[labelLoose] - k.Row(i).loose(), true}
		if err := capped(k.Row(i)[labelErr], max(ref.drift(k, from), ref.drift(k, to))); err <= least {
			best, least = i, err
		}
	}
	if best < k.From {
		return Label{}, false
	}
	return k.Row(best).label(), true
}

// Forget gives back the memory of labels that no question about times from m on
// needs, in pages of 256. The label in force at m stays.
func (l *Labels) Forget(m int64) { l.rows.Forget(labelM, m) }

// What a clock may drift by, in millionths.
const (
	syncedDrift = 1
	looseDrift  = 100
)

// A reference is a label that times are measured from. It stays right when the
// label is forgotten.
type reference struct {
	m     int64
	loose int64 // how many labels before it are not synchronised
	known bool  // the labels had it
}

func (l *Labels) reference(a Label) reference {
	k := l.rows.Look()
	i := k.upTo(labelM, a.M)
	if i < k.From || k.Row(i)[labelM] != a.M {
		return reference{m: a.M}
	}
	return reference{a.M, k.Row(i)[labelLoose] - k.Row(i).loose(), true}
}

// drift is by how many ns the label may be wrong at m, beside its own error.
func (f reference) drift(k Look[labelRow], m int64) int64 {
	rate := uint64(looseDrift)
	if f.known && f.synced(k, m) {
		rate = syncedDrift
	}
	far := uint64(max(m, f.m)) - uint64(min(m, f.m))
	return int64(scaleUp(rate, far, 1e6))
}

// synced says whether all labels in force between f and m are synchronised.
func (f reference) synced(k Look[labelRow], m int64) bool {
	if m > f.m {
		i, _ := k.Find(labelM, m)
		return i > k.From && k.Row(i - 1)[labelLoose] == f.loose
	}
	i := k.upTo(labelM, m)
	return i >= k.From && k.Row(i)[labelLoose]-k.Row(i).loose() == f.loose
}

// capped is the sum, or the number of 63 bits that is nearest to it.
func capped(a, b int64) int64 {
	sum, ok := add(a, b)
	switch {
	case ok:
		return sum
	case a > 0:
		return math.MaxInt64
	}
	return -math.MaxInt64
}
