package buffer

import (
	"fmt"
	"maps"
	"testing"
)

// checkPins walks through the model of pins.
func checkPins(t *testing.T, small bool) (states int) {
	sizes := []pinRules{
		pinSize(1, 1, 2, 1, 7, 2, 1),
		pinSize(2, 1, 2, 0, 6, 2, 2),
		pinSize(1, 2, 2, 0, 9, 2, 2),
		pinSize(2, 1, 1, 1, 10, 4, 2),
		pinSize(2, 1, 1, 2, 10, 4, 2),
		pinSize(1, 2, 1, 2, 12, 4, 3),
	}
	if small {
		sizes = []pinRules{pinSize(1, 1, 2, 0, 5, 1, 1), pinSize(1, 2, 1, 1, 9, 3, 2), pinSize(2, 1, 1, 2, 8, 3, 2)}
	}
	saw := sights{}
	for _, r := range sizes {
		each := sights{}
		states += holds(t, r.String(), &pinModel{r, each})
		if no := each.missing("an overrun", "a pin in vain", "a block held back", "a block used again"); len(no) > 0 {
			t.Errorf("%v: the model never came to %q", r, no)
		}
		maps.Copy(saw, each)
	}
	if no := saw.missing("a loss up to the head", "a room reserved again", "a view held", "a copy besides a view", "a copy cut short", "a view given up halfway"); len(no) > 0 {
		t.Errorf("the model never came to %q", no)
	}
	return states
}

func TestPinRulesAreNeeded(t *testing.T) {
	const (
		torn   = "bytes are read while they are written"
		behind = "a pin was left behind"
	)
	copies, tight := pinSize(1, 1, 1, 0, 4, 2, 1), pinSize(2, 1, 1, 1, 6, 2, 1)
	views, wide := pinSize(1, 1, 1, 1, 5, 1, 1), pinSize(1, 2, 1, 1, 4, 2, 2)
	for _, v := range []struct {
		rule string
		size pinRules
		off  func(*pinRules)
		want string
	}{
		{"the slot is looked at again after the pin", copies, func(r *pinRules) { r.noValidate = true }, torn},
		{"it is pinned before the second look", copies, func(r *pinRules) { r.validateFirst = true }, torn},
		{"a pinned block is not used", views, func(r *pinRules) { r.ignorePins = true }, torn},
		{"a block is used again after it has left its slot", copies, func(r *pinRules) { r.inPlace = true }, torn},
		{"a slot names its block", copies, func(r *pinRules) { r.bareWord = true }, wrongFrame.String()},
		{"the bytes are there before the head", wide, func(r *pinRules) { r.phases = [3]int{doSwing, doPublish, doFill} }, torn},
		{"the bytes are there before the slot", wide, func(r *pinRules) { r.phases = [3]int{doSwing, doFill, doPublish} }, lostWrongly.String()},
		{"the slot is swung before the head", wide, func(r *pinRules) { r.phases = [3]int{doFill, doPublish, doSwing} }, lostWrongly.String()},
		{"a copy ends at the head", wide, func(r *pinRules) { r.pastHead = true }, torn},
		{"a view ends at the head", wide, func(r *pinRules) { r.viewPastHead = true }, torn},
		{"there is a spare block for each view", pinSize(1, 1, 1, 1, 5, 3, 1), func(r *pinRules) { r.spares = r.readers + 1 }, starved.String()},
		{"there is a spare block for the copy besides", pinSize(2, 1, 1, 2, 6, 4, 2), func(r *pinRules) { r.spares = r.readers*r.pins + 1 }, starved.String()},
		{"there are spare blocks for the last reader", pinSize(1, 1, 2, 0, 4, 1, 1), func(r *pinRules) { r.spares = 1 }, starved.String()},
		{"the block that leaves its slot is queued", copies, func(r *pinRules) { r.notQueued = true }, "a block was left behind"},
		{"a room reserved twice is one block", copies, func(r *pinRules) { r.takesTwice = true }, "a block was left behind"},
		{"a pin in vain is given back", copies, func(r *pinRules) { r.keepsPin = true }, behind},
		{"a view is unpinned at its release", views, func(r *pinRules) { r.forgetsView = true }, behind},
		{"Bounds look at the slot", tight, func(r *pinRules) { r.noLook = true }, lostTooLittle.String()},
		{"a loss is told to its end", tight, func(r *pinRules) { r.lossShort = true }, lostTooLittle.String()},
	} {
		t.Run(v.rule, func(t *testing.T) {
			bad := v.size
			v.off(&bad)
			refuted(t, &pinModel{v.size, sights{}}, &pinModel{bad, sights{}}, v.want)
		})
	}
}

func (r pinRules) String() string {
	return fmt.Sprintf("pins: %d slots of %d, %d spares, %d readers of %d pins and %d calls, %d frames", r.slots, r.frames, r.spares, r.readers, r.pins, r.reads, r.writes)
}

// A model that is too small to use memory again proves nothing about it.
func TestModelThatMeetsLittleIsNoticed(t *testing.T) {
	saw := sights{}
	if f := explore(&pinModel{pinSize(2, 1, 1, 1, 2, 1, 1), saw}, 100_000); f.fault != "" {
		t.Fatal(f)
	}
	if no := saw.missing("a view held", "a block used again", "an overrun"); len(no) != 2 {
		t.Errorf("the model never came to %q, want no overrun and no block used again", no)
	}
}
