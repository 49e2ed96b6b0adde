package clock

import "time"

// oldest is the greatest age in ns that is believed.
const oldest = int64(2 * time.Second)

// An AgeFilter decides, packet by packet, whether the device's own word about
// when it captured something is used. Device times are on clocks of their own,
// and some drivers fill them with nonsense, so that only the difference to the
// device's now means anything: an age. The zero AgeFilter is ready. It belongs
// to one goroutine.
type AgeFilter struct{ used, refused int64 }

// At returns when a packet's last frame was captured: age ns before it came,
// exactly, if that is from 0 to 2 s; else when it came, which is an upper
// bound. An Estimator takes both mixed, since what is not exact is merely late.
func (f *AgeFilter) At(came, age int64) (at int64, exact bool) {
	if age < 0 || age > oldest {
		f.refused++
		return came, false
	}
	f.used++
	return came - age, true
}

// Counts tells how many ages were used and how many refused.
func (f *AgeFilter) Counts() (used, refused int64) { return f.used, f.refused }
