// Package readertest is the suite of reader.KeyTrans: each sentence of the
// contract, asked through many keys and positions.
package readertest

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"pgregory.net/rapid"
)

// Keys is a KeyTrans under test, and what is known of it.
type Keys struct {
	reader.KeyTrans
	// Span holds a position. Key answers for each of it, and Lower for each
	// key above that of the first, up to that of the last.
	Span audio.Span
	// Want is the key of a position of Span, found in another way, or nil.
	Want func(p audio.Pos) int64
	// Grow tells the KeyTrans more, and returns false if there is no more to
	// tell. It is nil for one that does not learn. Span stays as it is.
	Grow func() bool
}

func (k Keys) grow() bool { return k.Grow != nil && k.Grow() }

// TestKeyTrans runs the suite on what open returns. Each check opens it anew,
// many times; one that does not learn may be the same each time.
func TestKeyTrans(t *testing.T, open func() Keys) {
	for _, c := range checks(patience) {
		t.Run(c.name, func(t *testing.T) {
			if c.asks {
				rapid.Check(t, func(t *rapid.T) {
					k := open()
					if err := c.check(k, someQuestions(k.Span).Draw(t, "questions")); err != nil {
						t.Fatal(err)
					}
				})
				return
			}
			if err := inBubble(t, func() error { return c.check(open(), nil) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// inBubble does it where one can wait until all goroutines are idle.
func inBubble(t *testing.T, do func() error) (err error) {
	synctest.Test(t, func(*testing.T) { err = do() })
	return err
}

// patience is how long a call may take before it counts as stuck.
const patience = 30 * time.Second

type check struct {
	name  string
	check func(k Keys, some []question) error
	asks  bool // it is given questions, many times
}

func checks(patience time.Duration) []check {
	return []check{
		{"SpanIsKnown", spanIsKnown, false},
		{"LawHolds", lawHolds, true},
		{"SameAnswerForEver", sameForEver, true},
		{"ManyAskAtOnce", manyAtOnce, true},
		{"EndedContextDoesNotWait", func(k Keys, some []question) error { return endedContext(k, some, patience) }, true},
		{"AwaitedKeysCome", awaitedCome, false},
	}
}

// A question asks Lower of a key, or Key of a position.
type question struct {
	lower bool
	of    int64
}

func (q question) String() string {
	if q.lower {
		return fmt.Sprintf("Lower(%d)", q.of)
	}
	return fmt.Sprintf("Key(%d)", q.of)
}

type answer struct {
	is  int64
	err error
}

func (a answer) String() string {
	if a.err != nil {
		return fmt.Sprintf("error %q", a.err)
	}
	return fmt.Sprint(a.is)
}

// ask returns an error if no KeyTrans may answer like that.
func (k Keys) ask(q question) (a answer, wrong error) {
	defer func() {
		if p := recover(); p != nil {
			wrong = fmt.Errorf("%v panics: %v", q, p)
		}
	}()
	if q.lower {
		var p audio.Pos
		p, a.err = k.Lower(q.of)
		a.is = int64(p)
	} else {
		a.is, a.err = k.Key(audio.Pos(q.of))
	}
	_, waits := k.KeyTrans.(reader.Awaiter)
	switch {
	case errors.Is(a.err, reader.ErrNotYet) && !waits:
		return a, fmt.Errorf("%v: %v, and it cannot be waited for", q, a)
	case a.err == nil && q.lower && a.is < 0:
		return a, fmt.Errorf("%v is %v: a position is not negative", q, a)
	case a.err == nil && !q.lower && q.of < 0:
		return a, fmt.Errorf("%v is %v: a negative position has no key", q, a)
	}
	return a, nil
}

// edges are questions in which a sum or a product may overflow.
func edges() []question {
	var all []question
	for _, of := range []int64{math.MinInt64, math.MinInt64 + 1, -1 << 32, -1, 0, 1, 1 << 32, math.MaxInt64 - 1, math.MaxInt64} {
		all = append(all, question{true, of}, question{false, of})
	}
	return all
}

// someQuestions draws questions in, beside and far from span.
func someQuestions(span audio.Span) *rapid.Generator[[]question] {
	within := rapid.Int64Range(int64(span.From), int64(span.To-1))
	beside := rapid.Int64Range(max(0, int64(span.To)-20), min(math.MaxInt64-20, int64(span.To))+20)
	return rapid.SliceOfN(rapid.OneOf(
		rapid.Custom(func(t *rapid.T) question { return question{false, within.Draw(t, "within")} }),
		rapid.Custom(func(t *rapid.T) question { return question{false, beside.Draw(t, "beside")} }),
		rapid.Custom(func(t *rapid.T) question {
			return question{rapid.Bool().Draw(t, "lower"), rapid.Int64().Draw(t, "anywhere")}
		}),
	), 1, 12)
}
