package clock

import (
	"fmt"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// Every whole millisecond of a day begins at the first frame at or behind it,
// and that frame is of that millisecond.
func TestEveryMillisecondOfADayIsFoundByALedger(t *testing.T) {
	const day, second, zero = int64(86_400_000), int64(1000), int64(77_000_123)
	for _, rate := range []int{8000, 11025, 16000, 22050, 44100, 48000, 96000, 192_000, 384_000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, LedgerConfig{Rate: rate})
			for s := range day/second + 1 {
				must(t, l.Append(Anchor{audio.Pos(s * int64(rate)), zero + s*1e9, 0}))
			}
			keys := l.Millis(Mark{M: zero})
			for ms := int64(0); ms < day; ms++ {
				if (raceEnabled || testing.Short()) && ms%(97*second) == 0 {
					ms = min(ms+96*second, day-second) // one second of each 97, and the last
				}
				want := audio.Pos((ms*int64(rate) + second - 1) / second)
				p, err := keys.Lower(ms)
				key, err2 := keys.Key(p)
				if p != want || key != ms || err != nil || err2 != nil {
					t.Fatalf("Lower(%d) = %d, %v, want %d; its key is %d, %v", ms, p, err, want, key, err2)
				}
			}
			if key, err := keys.Key(audio.Pos(rate)*86_400 - 1); key != day-1 || err != nil {
				t.Errorf("the last frame of a day is of %d ms, %v", key, err)
			}
		})
	}
}
