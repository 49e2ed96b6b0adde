package ring

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// programs calls do with the i-th of n programs, until it returns false.
func programs(n int, do func(i int, program []byte) bool) {
	for i := range n {
		rnd := rand.New(rand.NewPCG(uint64(i), 7))
		p := make([]byte, 1+opBytes*(1+rnd.IntN(mostOps)))
		for k := range p {
			p[k] = byte(rnd.Uint32())
		}
		if !do(i, p) {
			return
		}
	}
}

func TestRingAgreesWithAtomicWords(t *testing.T) {
	programs(3000, func(i int, p []byte) bool {
		d := difference(t, p, sound)
		if d != "" {
			t.Errorf("program %d: %s", i, d)
		}
		return d == ""
	})
}

// A reference with a bug is found out soon, so the comparison can fail.
func TestFaultyReferenceIsFoundOut(t *testing.T) {
	for f, name := range map[fault]string{shortWindow: "short window", longHole: "long hole", nextWord: "next word", oneCause: "one cause"} {
		t.Run(name, func(t *testing.T) {
			const most = 20
			found := ""
			programs(most, func(i int, p []byte) bool {
				if found = difference(t, p, f); found != "" {
					found = fmt.Sprintf("program %d: %s", i, found)
				}
				return found == ""
			})
			if found == "" {
				t.Errorf("%d programs agree with a reference that is wrong", most)
			}
			t.Log(found)
		})
	}
}

func FuzzRingAgreesWithAtomicWords(f *testing.F) {
	const write, skip, read, slice, bounds = 0, 2, 3, 4, 5
	f.Add([]byte{6})
	f.Add([]byte{6, write, 10, 0, bounds, 0, 0, slice, 7, 4, slice, 0x17, 9, read, 0x17, 3})                      // lapped
	f.Add([]byte{6, write, 3, 0, skip, 5, 0, write, 2, 0, slice, 7, 1, slice, 0x27, 9, read, 0x27, 2})            // a hole
	f.Add([]byte{2, skip, 1, 0, skip, 2, 0, skip, 3, 1, write, 1, 0, read, 0x27, 1, read, 0x47, 1, bounds, 0, 0}) // holes that touch
	f.Add([]byte{4, write, 9, 0, skip, 200, 0xf1, bounds, 0, 0, write, 9, 0, bounds, 0, 0, read, 0x17, 4})        // longer than the ring
	programs(3, func(_ int, p []byte) bool { f.Add(p); return true })
	f.Fuzz(func(t *testing.T, program []byte) {
		if d := difference(t, program, sound); d != "" {
			t.Error(d)
		}
	})
}
