package clock

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

// A told is a question to a ledger, and what it answered.
type told struct {
	what   string
	ask    func() (string, error)
	answer string
	err    error
}

// stays returns an error if the question may not be answered so now.
func (q *told) stays() error {
	answer, err := q.ask()
	switch {
	case err == nil && q.err == nil && answer == q.answer:
	case q.err == nil && err != nil && errors.Is(err, errForgotten):
	case errors.Is(q.err, ErrNotYet):
	case q.err != nil && err != nil && !errors.Is(err, ErrNotYet):
	default:
		return fmt.Errorf("%s was %s, %v, and is now %s, %v", q.what, q.answer, q.err, answer, err)
	}
	q.answer, q.err = answer, err
	return nil
}

func text[T any](v T, err error) (string, error) { return fmt.Sprint(v), err }

// instantOf is what At says of a frame, not yet if it is provisional.
func instantOf(u UTC, p audio.Pos) (string, error) {
	a, err := u.At(p)
	if err == nil && a.Extrapolated {
		return "", ErrNotYet
	}
	return fmt.Sprintf("%+v", a), err
}

// forget gives back what a ring that begins at before, and its labels, need not.
func forget(l *Ledger, before audio.Pos) {
	l.Forget(before)
	if m, ok := l.Since(); ok {
		l.Labels().Forget(m)
	}
}

// drawQuestion asks one of all questions whose answer must stay.
func drawQuestion(t *rapid.T, l *Ledger, rows plain, labels []Label, marks []Mark) told {
	p, m := rows.aPos(t), rows.aTime(t)
	keys, name := l.Keys(), "ns"
	switch rapid.IntRange(0, 5).Draw(t, "question") {
	case 0:
		if len(marks) > 0 {
			keys, name = l.Millis(rapid.SampledFrom(marks).Draw(t, "mark")), "ms"
		}
	case 1, 2:
		if len(labels) > 0 {
			u := l.UTC(rapid.SampledFrom(labels).Draw(t, "label"))
			if rapid.Bool().Draw(t, "instant") {
				return told{what: fmt.Sprintf("At(%d) by %+v", p, u.Label()), ask: func() (string, error) { return instantOf(u, p) }}
			}
			keys, name, m = u.Keys, "utc", m+17e17
		}
	case 3:
		if n := len(labels); n > 0 && m < labels[n-1].M {
			return told{what: fmt.Sprintf("Labels.At(%d)", m), ask: func() (string, error) {
				a, ok := l.Labels().At(m)
				if !ok && (l.labels.rows.Look().From > 0 || m < labels[0].M) {
					return "", errForgotten
				}
				return fmt.Sprintf("%+v %v", a, ok), nil
			}}
		}
	}
	if rapid.Bool().Draw(t, "lower") {
		return told{what: fmt.Sprintf("%s: Lower(%d)", name, m), ask: func() (string, error) { return text(keys.Lower(m)) }}
	}
	return told{what: fmt.Sprintf("%s: Key(%d)", name, p), ask: func() (string, error) { return text(keys.Key(p)) }}
}

// Every answer ever given is asked again after each event.
func TestEveryAnswerStandsWhateverComes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger(t, LedgerConfig{Rate: testRate, LatencyErr: 1000})
		var rows plain
		var labels []Label
		var marks []Mark
		var all []told
		closed := false
		now := func() int64 {
			m := int64(-1 << 61)
			if len(rows) > 0 {
				m = rows[len(rows)-1].m
			}
			if len(labels) > 0 {
				m = max(m, labels[len(labels)-1].M)
			}
			return m
		}
		t.Repeat(map[string]func(*rapid.T){
			"anchors": func(t *rapid.T) {
				if !closed {
					rows.drawSome(t, l)
				}
			},
			"many anchors": func(t *rapid.T) {
				for i := int64(0); i < 1100 && !closed && len(rows) > 0; i++ {
					last := rows[len(rows)-1]
					e := entry{pos: last.pos + 480, m: last.m + 10_000_000 + i%3, err: i}
					rows = append(rows, e)
					e.tell(t, l)
				}
			},
			"label": func(t *rapid.T) {
				a := Label{M: now() + rapid.Int64Range(1, 1e9).Draw(t, "later"), UTC: 17e17 + rapid.Int64Range(-1e18, 1e17).Draw(t, "utc"),
					Err: rapid.Int64Range(0, 1e9).Draw(t, "err"), Sync: rapid.SampledFrom(syncWords).Draw(t, "sync"), Why: WhyBeat}
				must(t, l.Labels().Append(a))
				labels = append(labels, a)
			},
			"mark": func(t *rapid.T) {
				if len(rows) == 0 {
					return
				}
				last := rows[len(rows)-1]
				a := Mark{audio.Pos(last.pos + 5), last.m + 7, audio.Session(len(marks))}
				if len(marks) == 0 || a.From > marks[len(marks)-1].From {
					must(t, l.AppendMark(a))
					marks = append(marks, a)
				}
			},
			"forget": func(t *rapid.T) {
				if len(rows) > 0 {
					forget(l, rows.aPos(t))
				}
			},
			"close": func(t *rapid.T) {
				if closed = closed || rapid.IntRange(0, 20).Draw(t, "close") == 0; closed {
					l.Close()
				}
			},
			"": func(t *rapid.T) {
				for i := range all {
					if err := all[i].stays(); err != nil {
						t.Fatal(err)
					}
				}
				if len(rows) > 0 {
					q := drawQuestion(t, l, rows, labels, marks)
					q.answer, q.err = q.ask()
					all = append(all, q)
				}
			},
		})
	})
}

// Whatever way one asks, what is forgotten is said to be.
func TestForgottenIsSaid(t *testing.T) {
	l := regular(t, 5*pageRows, 0)
	l.Forget(4 * pageRows * testRate)
	for what, err := range map[string]error{"Key": second(l.Keys().Key(5)), "Lower": second(l.Keys().Lower(5)), "At": second(l.UTC(Label{}).At(5)), "AwaitKey": l.Keys().AwaitKey(t.Context(), 5)} {
		if err == nil || !strings.Contains(err.Error(), "forgotten") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What Forget promises to keep is there, also where pages begin: the rows, their
// holes, and the label and the mark in force. The others are gone.
func TestForgetKeepsWhatIsInForce(t *testing.T) {
	const n, begins = 6 * pageRows, 4 * pageRows
	for before := int64(10*begins - 21); before <= 10*begins+21; before++ {
		l := newLedger(t, LedgerConfig{Rate: testRate})
		must(t, l.Append(Anchor{0, 0, 0}))
		for i := int64(1); i < n; i++ {
			entry{pos: 10 * i, m: 100 * i, err: i, lost: 5}.tell(t, l)
			must(t, l.AppendMark(Mark{audio.Pos(10 * i), 100 * i, audio.Session(i)}))
			must(t, l.Labels().Append(Label{M: 100 * i, UTC: utc0 + i, Sync: SyncYes, Why: WhyBeat}))
		}
		forget(l, audio.Pos(before))
		u := l.UTC(Label{UTC: utc0, Sync: SyncYes})
		for p := before; p < 10*n-10; p++ {
			if p == before+100 {
				p = 10*n - 110
			}
			at, err := u.At(audio.Pos(p))
			mark, ok := l.MarkAt(audio.Pos(p))
			a, ok2 := l.Labels().At(10 * p)
			if err != nil || !ok || !ok2 || at.UTC != utc0+10*p || at.InHole != (p%10 >= 5) || int64(mark.Session) != p/10 || a.UTC != utc0+p/10 {
				t.Fatalf("before %d is forgotten: at %d: %+v, %v, %+v, %v, %+v, %v", before, p, at, err, mark, ok, a, ok2)
			}
		}
		for what, kept := range map[string]int64{"rows": kept(&l.rows), "segments": kept(&l.segments), "labels": kept(&l.labels.rows), "marks": kept(&l.marks)} {
			if kept > 4*pageRows {
				t.Fatalf("%d of %d %s are kept, those before %d were to be forgotten", kept, n, what, begins)
			}
		}
	}
}
