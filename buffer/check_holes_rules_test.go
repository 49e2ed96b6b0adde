package buffer

import (
	"fmt"
	"maps"
	"testing"
)

func (r holeRules) String() string {
	return fmt.Sprintf("holes: %d slots, log of %d, %d frames and skips of up to %d and %d causes, %d calls for %d", r.slots, r.holes, r.ops, r.longs, r.causes, r.calls, r.room)
}

func holeSize(slots, holes, ops, longs, causes, calls, room int) holeRules {
	return holeRules{memRules: size(slots, 1, 1, 0), logRules: logSize(holes), ops: ops, longs: longs, causes: causes, calls: calls, room: room}
}

func (r holeRules) withSlices() holeRules { r.slices = true; return r }
func (r holeRules) withBounds() holeRules { r.asks = true; return r }

// checkHoles walks through the model of holes.
func checkHoles(t *testing.T, small bool) (states int) {
	sizes := []holeRules{
		holeSize(2, 2, 5, 1, 1, 2, 2).withSlices().withBounds(),
		holeSize(1, 2, 4, 1, 2, 2, 2).withSlices(),
		holeSize(2, 2, 4, 2, 1, 2, 2).withSlices(),
		holeSize(2, 3, 6, 1, 1, 2, 2).withSlices(),
		holeSize(1, 2, 6, 1, 1, 2, 2),
	}
	if small {
		sizes = []holeRules{holeSize(1, 2, 4, 1, 1, 2, 2).withSlices(), holeSize(2, 2, 4, 1, 1, 1, 2).withSlices().withBounds()}
	}
	saw := sights{}
	for _, r := range sizes {
		each := sights{}
		states += holds(t, r.String(), &holeModel{r, each})
		if no := each.missing("a hole", "a hole grows", "a search that starts over", "a skip between fill and Commit", "an overrun"); len(no) > 0 {
			t.Errorf("%v: the model never came to %q", r, no)
		}
		maps.Copy(saw, each)
	}
	if no := saw.missing("a position forgotten", "a place that remembers", "an overrun up to a hole", "a block used again", "a slice", "a slice in the future", "bounds"); len(no) > 0 {
		t.Errorf("the model never came to %q", no)
	}
	return states
}

func TestHoleRulesAreNeeded(t *testing.T) {
	frame, short, no := wrongFrame.String(), lostTooLittle.String(), noSuchLoss.String()
	one, two := holeSize(2, 3, 4, 1, 1, 1, 1), holeSize(2, 3, 4, 1, 1, 2, 2)
	tight, bounds := holeSize(1, 2, 4, 1, 2, 1, 1), holeSize(1, 3, 4, 2, 1, 1, 1).withBounds()
	for _, v := range []struct {
		rule string
		size holeRules
		off  func(*holeRules)
		want string
	}{
		{"the count is stored before the head", one, func(r *holeRules) { r.adds = [6]int{kFrom, kTo, kBefore, kCause, kHead, kCount} }, frame},
		{"the entry is stored before the count", one, func(r *holeRules) { r.adds = [6]int{kCount, kFrom, kTo, kBefore, kCause, kHead} }, no},
		{"a hole grows before the head", one, func(r *holeRules) { r.grows = [2]int{kHead, kTo} }, short},
		{"the count is looked at again", tight, func(r *holeRules) { r.noSecondLook = true }, no},
		{"one entry is never used", tight, func(r *holeRules) { r.allUsable = true }, no},
		{"the head is loaded before the count", two, func(r *holeRules) { r.headLate = true }, frame},
		{"new holes end what is remembered", two, func(r *holeRules) { r.cacheBlind = true }, frame},
		{"a stretch before a hole is not remembered", two, func(r *holeRules) { r.cacheEarly = true }, frame},
		{"nor is it if the head is not behind the hole yet", two, func(r *holeRules) { r.cacheAtHead = true }, frame},
		{"a position forgotten is lost", tight, func(r *holeRules) { r.forgets = true }, frame},
		{"Before is without the hole itself", one, func(r *holeRules) { r.beforeWith = true }, boundsShort.String()},
		{"a hole does not grow over frames", one, func(r *holeRules) { r.growsOver = true }, no},
		{"a hole does not grow over another cause", holeSize(1, 2, 2, 1, 2, 1, 1), func(r *holeRules) { r.growsAnyCause = true }, no},
		{"a hole ends before its To", two, func(r *holeRules) { r.toInHole = true }, no},
		{"a hole begins at its From", one, func(r *holeRules) { r.afterOnly = true }, frame},
		{"a stretch ends at the next hole", two, func(r *holeRules) { r.pastHole = true }, frame},
		{"an overrun ends at the next hole", holeSize(1, 3, 4, 1, 1, 1, 1), func(r *holeRules) { r.overHole = true }, no},
		{"Bounds look at the slot", bounds, func(r *holeRules) { r.noLook = true }, boundsLong.String()},
		{"what a hole has grown by is no sound", bounds, func(r *holeRules) { r.growingSound = true }, boundsLong.String()},
		{"Bounds do not begin behind the head", bounds, func(r *holeRules) { r.noClip = true }, boundsTurned.String()},
	} {
		t.Run(v.rule, func(t *testing.T) {
			bad := v.size
			v.off(&bad)
			refuted(t, &holeModel{v.size, sights{}}, &holeModel{bad, sights{}}, v.want)
		})
	}
}
