//go:build linux

package portaudio

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Records of 480 frames at 48 kHz: 10 ms each.
const (
	frames10 = 480
	ms       = int64(1e6)
)

// stream makes records whose frames began at these ms, with flags and what the
// child dropped before each.
type given struct {
	at    float64 // ms
	flags uint8
	lost  int64
}

// feedLosses returns what came out: the records, with what is missing before
// each, and their order.
func feedLosses(all []given) (out []piece, order []int) {
	l := losses{rate: 48000}
	take := func(flush bool) {
		for {
			p, ok := l.pop(flush)
			if !ok {
				return
			}
			out = append(out, p)
			order = append(order, int(p.sound[0]))
		}
	}
	view := make([]byte, 1)
	for i, g := range all {
		view[0] = byte(i) // as a wire does, the bytes of the record before are gone
		l.push(record{
			kind: sound, flags: g.flags | aged, frames: frames10, lost: g.lost,
			mono: int64(g.at*float64(ms)) + 3*ms, age: 3 * ms,
		}, view)
		take(false)
	}
	take(true)
	return out, order
}

func TestLossesAreReadFromTimesAndFlags(t *testing.T) {
	over := uint8(overflow)
	for _, c := range []struct {
		name  string
		given []given
		want  map[int][2]int64 // index of the record: dropped by the child, lost by the driver
	}{
		{"nothing", []given{{at: 0}, {at: 10}, {at: 20}, {at: 30}}, nil},
		{"the first is never a loss", []given{{at: 500, flags: over}, {at: 510}}, nil},
		{"usual jitter", []given{{at: 0}, {at: 14}, {at: 20}, {at: 39.9}, {at: 40}}, nil},
		{"less than 20 ms without a flag", []given{{at: 0}, {at: 29}, {at: 39}, {at: 49}, {at: 59}, {at: 69}}, nil},
		{"an overflow", []given{{at: 0}, {at: 15, flags: over}, {at: 25}}, map[int][2]int64{1: {0, 240}}},
		{"an overflow of which the time knows nothing", []given{{at: 0}, {at: 9, flags: over}, {at: 20}}, nil},
		{"a flag for each callback of the period", []given{{at: 0}, {at: 15, flags: over}, {at: 26, flags: over}, {at: 36, flags: over}, {at: 46}, {at: 61, flags: over}},
			map[int][2]int64{1: {0, 240}, 5: {0, 240}}},
		{"a gap without a flag on which three more agree", []given{{at: 0}, {at: 110}, {at: 120}, {at: 130}, {at: 140}, {at: 150}}, map[int][2]int64{1: {0, 4800}}},
		{"of which the smallest counts", []given{{at: 0}, {at: 115}, {at: 121}, {at: 130.5}, {at: 142}, {at: 150}}, map[int][2]int64{1: {0, 4824}}},
		{"a late record alone", []given{{at: 0}, {at: 110}, {at: 20}, {at: 30}, {at: 40}, {at: 50}}, nil},
		{"three late ones", []given{{at: 0}, {at: 110}, {at: 110}, {at: 110}, {at: 40}, {at: 50}}, nil},
		{"too few behind it before the end", []given{{at: 0}, {at: 110}, {at: 120}, {at: 130}}, nil}, // see TestTimeDoesNotPassWithoutFrames
		{"dropped by the child", []given{{at: 0}, {at: 20, lost: 480}, {at: 30}}, map[int][2]int64{1: {480, 0}}},
		{"dropped by the child for long", []given{{at: 0}, {at: 1010, lost: 48000}, {at: 1020}}, map[int][2]int64{1: {48000, 0}}},
		{"dropped, and an overflow", []given{{at: 0}, {at: 25, lost: 480, flags: over}, {at: 35}}, map[int][2]int64{1: {480, 240}}},
		{"a flag behind a gap in doubt", []given{{at: 0}, {at: 110}, {at: 125, flags: over}, {at: 135}, {at: 145}, {at: 155}}, map[int][2]int64{1: {0, 4800}, 2: {0, 240}}},
		{"two gaps", []given{{at: 0}, {at: 110}, {at: 120}, {at: 230}, {at: 240}, {at: 250}, {at: 260}, {at: 270}}, map[int][2]int64{1: {0, 4800}, 3: {0, 4800}}},
		{"times that go back", []given{{at: 100}, {at: 50}, {at: 60}, {at: 70}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, order := feedLosses(c.given)
			for i := range c.given {
				if i >= len(got) || order[i] != i {
					t.Fatalf("records came as %v", order)
				}
				if got[i].missing != c.want[i] {
					t.Errorf("before record %d: %v missing, want %v", i, got[i].missing, c.want[i])
				}
			}
		})
	}
}

// What is not counted here is counted by who opens the source anew, from the
// time of the last frame: so a gap that is not counted must not be in the
// times either.
func TestTimeDoesNotPassWithoutFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		due := 0.0
		var all []given
		for range rapid.IntRange(1, 20).Draw(t, "records") {
			if rapid.IntRange(0, 4).Draw(t, "gap") == 0 {
				due += float64(rapid.IntRange(30, 3000).Draw(t, "ms"))
			}
			g := given{at: due + rapid.Float64Range(0, 4).Draw(t, "late")}
			if rapid.IntRange(0, 9).Draw(t, "dropped") == 0 {
				g.lost, g.at, due = 480, g.at+10, due+10
			}
			all, due = append(all, g), due+10
		}
		got, _ := feedLosses(all)
		for i, p := range got {
			if p.at < got[0].at {
				t.Fatalf("record %d is dated %d ns, before the first", i, p.at)
			}
			if i == 0 {
				continue
			}
			end := got[i-1].at + nanoseconds(frames10, 48000)
			passed := p.at - end - nanoseconds(p.missing[0]+p.missing[1], 48000)
			if max(passed, -passed) > jitter {
				t.Errorf("before record %d of %v, %v pass beside the frames that are missing", i, all, time.Duration(passed))
			}
		}
	})
}

func TestOnlyRecordsInDoubtAreHeldBack(t *testing.T) {
	l := losses{rate: 48000}
	var held []int
	for i, at := range []int64{0, 10, 20, 120, 130, 140, 150, 160} {
		l.push(record{kind: sound, flags: aged, frames: frames10, mono: at * ms}, nil)
		for {
			if _, ok := l.pop(false); !ok {
				break
			}
		}
		if len(l.queue) > 0 {
			held = append(held, i)
		}
	}
	if want := []int{3, 4, 5}; !slices.Equal(held, want) {
		t.Errorf("held back after records %v, want %v", held, want)
	}
}

func TestTooFast(t *testing.T) {
	for _, c := range []struct {
		speed float64
		fast  bool
	}{{1, false}, {1.4, false}, {1.6, true}, {100, true}} {
		t.Run(fmt.Sprint(c.speed), func(t *testing.T) {
			w := window{rate: 48000, over: 2e9}
			var at int64
			fast := false
			for range 2000 {
				at += int64(float64(10*ms) / c.speed)
				per := w.tooFast(record{frames: frames10, mono: at})
				if fast = fast || per > 0; per > 0 && (float64(per) < 0.9*48000*c.speed || float64(per) > 1.1*48000*c.speed) {
					t.Errorf("%d frames/s", per)
				}
			}
			if fast != c.fast {
				t.Errorf("said to be too fast: %v", fast)
			}
		})
	}
}
