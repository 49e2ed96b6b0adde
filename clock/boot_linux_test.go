package clock

import "testing"

func TestABootHasOneName(t *testing.T) {
	a, b := BootID(), BootID()
	if a == "" || a != b || len(a) != 36 {
		t.Errorf("this boot is named %q and %q", a, b)
	}
}
