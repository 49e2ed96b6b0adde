package readertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// refusal is what the suite says of keys, or nil if they pass. It asks the
// same in each run.
func refusal(t *testing.T, open func() Keys) error {
	for _, c := range checks(50 * time.Millisecond) {
		if !c.asks {
			if err := inBubble(t, func() error { return c.check(open(), nil) }); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			continue
		}
		for seed := range 50 {
			k := open()
			if err := c.check(k, someQuestions(k.Span).Example(seed)); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

func fixed(k reader.KeyTrans) Keys {
	return Keys{KeyTrans: k, Span: audio.Span{From: 0, To: 5000}}
}

// What is right passes, and each seeded bug is refused.
func TestSuiteRefusesEachBug(t *testing.T) {
	for name, open := range map[string]func() Keys{
		"a formula": func() Keys { return fixed(millis) },
		"a wrapper": func() Keys { return fixed(&spoiled{KeyTrans: millis}) },
		"a ledger":  learning(nil),
	} {
		if err := refusal(t, open); err != nil {
			t.Errorf("%s is right and was refused: %v", name, err)
		}
	}
	bugs := map[string]func() Keys{}
	for _, table := range []map[string]func() reader.KeyTrans{bugsOfRounding(), bugsOfOnePlace(), bugsOfRange(), bugsOfMemory()} {
		for name, open := range table {
			bugs["formula/"+name] = func() Keys { return fixed(open()) }
		}
	}
	for name, open := range bugsOfLearning() {
		bugs["ledger/"+name] = open
	}
	for name, open := range bugsOfWaiting() {
		bugs["waiting/"+name] = open
	}
	for name, open := range bugs {
		t.Run(name, func(t *testing.T) {
			err := refusal(t, open)
			if err == nil {
				t.Error("passed")
			}
			t.Log(err)
		})
	}
}

// Rounding the other way keeps the law, so only what is wanted shows it.
func TestSuiteComparesWithWhatIsWanted(t *testing.T) {
	up := &spoiled{
		key: func(p audio.Pos) (int64, error) {
			if p < 0 || p > 1<<40 {
				return 0, errSpoil
			}
			return (int64(p)*10 + 440) / 441, nil
		},
		lower: func(key int64) (audio.Pos, error) {
			if key > 1<<30 {
				return 0, errSpoil
			}
			return audio.Pos(max(0, (max(0, key)-1)*441+10) / 10), nil
		},
	}
	if err := refusal(t, func() Keys { return fixed(up) }); err != nil {
		t.Errorf("keys rounded up, and Lower with them: %v", err)
	}
	k := fixed(up)
	k.Want = func(p audio.Pos) int64 { return int64(p) * 10 / 441 }
	if refusal(t, func() Keys { return k }) == nil {
		t.Error("keys rounded up passed for keys rounded down")
	}
}

func TestSuiteRefusesToTestNothing(t *testing.T) {
	if refusal(t, func() Keys { return Keys{KeyTrans: millis} }) == nil {
		t.Error("a span of no position passed")
	}
}
