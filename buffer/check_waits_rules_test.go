package buffer

import (
	"fmt"
	"testing"
)

func (r waitRules) String() string {
	return fmt.Sprintf("waits: %d readers of %d calls, %d of them cancelled, %d commits", r.readers, r.calls, r.cancels, r.heads)
}

// checkWaits walks through the model of waiting.
func checkWaits(t *testing.T, small bool) (states int) {
	sizes := []waitRules{{readers: 2, calls: 2, heads: 2, cancels: 2}, {readers: 3, calls: 1, heads: 1, cancels: 1}}
	if small {
		sizes = []waitRules{{readers: 2, calls: 2, heads: 1, cancels: 2}}
	}
	saw := sights{}
	for _, r := range sizes {
		states += holds(t, r.String(), &waitModel{r, saw})
	}
	if no := saw.missing("told and cancelled at once", "a reader cancelled", "a leader tells another", "told of the end",
		"a reader tells itself", "a second look that finds more"); len(no) > 0 {
		t.Errorf("the model never came to %q", no)
	}
	return states
}

func TestWaitRulesAreNeeded(t *testing.T) {
	const (
		asleep = "a reader sleeps although its frames have come"
		nobody = "the writer is asked to kick for nobody"
		list   = "the list is not of those who wait"
	)
	one, two := waitRules{readers: 1, calls: 1, heads: 1, cancels: 1}, waitRules{readers: 2, calls: 1, heads: 1, cancels: 1}
	for _, v := range []struct {
		rule string
		size waitRules
		off  func(*waitRules)
		want string
	}{
		{"rearm looks at the head again", one, func(r *waitRules) { r.noSecondLook = true }, asleep},
		{"the least is loaded after the head was stored", one, func(r *waitRules) { r.leastFirst = true }, asleep},
		{"who joins rearms", one, func(r *waitRules) { r.noRearmOnAdd = true }, asleep},
		{"who is kicked rearms", one, func(r *waitRules) { r.noRearmOnKick = true }, asleep},
		{"who leaves rearms", one, func(r *waitRules) { r.noRearmOnLeave = true }, nobody},
		{"the leader tells the others", two, func(r *waitRules) { r.leaderAlone = true }, asleep},
		{"who leaves is dropped", one, func(r *waitRules) { r.staysListed = true }, list},
		{"who is told is dropped", two, func(r *waitRules) { r.keepsTold = true }, list},
		{"who leaves and was told takes the token", two, func(r *waitRules) { r.tokenLeft = true }, strayToken.String()},
		{"a head that equals the least is kicked for", one, func(r *waitRules) { r.greater = true }, asleep},
		{"rearm looks at closed", one, func(r *waitRules) { r.closeUnseen = true }, asleep},
		{"Close kicks", one, func(r *waitRules) { r.closeQuiet = true }, asleep},
		{"Close kicks after it has stored closed", one, func(r *waitRules) { r.closeLate = true }, asleep},
		{"a kick waits for its receiver", one, func(r *waitRules) { r.kickNoRoom = true }, asleep},
	} {
		t.Run(v.rule, func(t *testing.T) {
			bad := v.size
			v.off(&bad)
			refuted(t, &waitModel{v.size, sights{}}, &waitModel{bad, sights{}}, v.want)
		})
	}
}
