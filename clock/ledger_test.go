package clock

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

// Whatever the anchors and segments are, both directions are exact, and obey
// the law with each other.
func TestLedgerIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, want := newLedger(t, LedgerConfig{Rate: testRate}), plain{}
		want.drawSome(t, l)
		for range 20 {
			p, m := want.aPos(t), want.aTime(t)
			key, keyErr := l.Keys().Key(p)
			if k, ok := want.key(int64(p)); (keyErr == nil) != ok || key != k {
				t.Fatalf("Key(%d) = %d, %v, want %d, %v", p, key, keyErr, k, ok)
			}
			low, lowErr := l.Keys().Lower(m)
			if q, ok := want.lower(m); (lowErr == nil) != ok || int64(low) != q {
				t.Fatalf("Lower(%d) = %d, %v, want %d, %v", m, low, lowErr, q, ok)
			}
			if keyErr == nil && lowErr == nil && (low <= p) != (m <= key) {
				t.Fatalf("Lower(%d) = %d, but Key(%d) = %d", m, low, p, key)
			}
		}
	})
}

// Two million look-ups in ledgers of all kinds of pieces, each compared with
// what bisecting all rows and 128 bits of another make give.
func TestTwoMillionLookUpsAreExact(t *testing.T) {
	lookUps, r := 0, rand.New(rand.NewPCG(1, 2))
	want := 2_000_000
	if testing.Short() || raceEnabled {
		want /= 100
	}
	for lookUps < want {
		l, rows := newLedger(t, LedgerConfig{Rate: testRate}), plain{{}}
		rows[0].tell(t, l)
		for range 1 + r.IntN(30) {
			last := rows[len(rows)-1]
			e := entry{pos: last.pos + 1 + r.Int64N(1e10>>r.IntN(33)), m: last.m + 1 + r.Int64N(4e14>>r.IntN(48))}
			if r.IntN(4) == 0 {
				e.lost = e.pos - last.pos
			}
			rows = append(rows, e)
			e.tell(t, l)
		}
		end := rows[len(rows)-1]
		for range 100 {
			p := r.Int64N(end.pos + 1)
			key, err := l.Keys().Key(audio.Pos(p))
			if k, ok := rows.key(p); !ok || err != nil || key != k {
				t.Fatalf("Key(%d) = %d, %v, want %d", p, key, err, k)
			}
			m := min(end.m, key+r.Int64N(3)-1)
			low, err := l.Keys().Lower(m)
			if q, ok := rows.lower(m); !ok || err != nil || int64(low) != q || (int64(low) <= p) != (m <= key) {
				t.Fatalf("Lower(%d) = %d, %v, want %d", m, low, err, q)
			}
			lookUps += 2
		}
	}
}

// What does not increase is refused with both rows in the error, and nothing
// has changed.
func TestLedgerRefusesWhatDoesNotIncrease(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	must(t, l.Append(Anchor{480, 71, 1}))
	must(t, l.AppendMark(Mark{480, 71, 1000}))
	must(t, l.Labels().Append(Label{M: 71, Raw: 5, Sync: SyncYes, Why: WhyOpen}))
	segment := func(s Segment) error { return l.AppendSegment(s) }
	label := func(m, raw int64) error { return l.Labels().Append(Label{M: m, Raw: raw, Sync: SyncYes, Why: WhyBeat}) }
	for _, c := range []struct {
		err  error
		says []string
	}{
		{l.Append(Anchor{480, 72, 1}), []string{"anchor at position 480, 72 ns", "anchor at position 480, 71 ns", "both increase"}},
		{l.Append(Anchor{481, 71, 1}), []string{"anchor at position 481, 71 ns", "anchor at position 480, 71 ns"}},
		{l.Append(Anchor{-1, 99, 1}), []string{"position -1", "out of range"}},
		{l.Append(Anchor{500, 1 << 62, 1}), []string{"position 500", "out of range"}},
		{l.Append(Anchor{500, 99, -1}), []string{"position 500", "negative"}},
		{segment(Segment{480, 99, 1, audio.XRun, 1, 1}), []string{"segment at position 480, 99 ns", "anchor at position 480, 71 ns"}},
		{segment(Segment{500, 71, 1, audio.XRun, 20, 1}), []string{"segment at position 500, 71 ns", "anchor at position 480, 71 ns"}},
		{segment(Segment{500, 99, 1, audio.XRun, 21, 1}), []string{"segment at position 500, 99 ns", "anchor at position 480, 71 ns", "21 frames"}},
		{segment(Segment{500, 99, 1, audio.XRun, 501, 1}), []string{"position 500", "501 frames"}},
		{segment(Segment{500, 99, 1, audio.XRun, 0, 1}), []string{"position 500", "0 frames"}},
		{segment(Segment{500, 99, 1, 0, 20, 1}), []string{"position 500", "cause"}},
		{segment(Segment{500, 99, -1, audio.XRun, 20, 1}), []string{"position 500", "negative"}},
		{segment(Segment{500, 99, 1, audio.XRun, 20, -1}), []string{"position 500", "negative"}},
		{l.AppendMark(Mark{480, 72, 1001}), []string{"session 1001 at position 480, 72 ns", "session 1000 at position 480, 71 ns"}},
		{l.AppendMark(Mark{481, 71, 1001}), []string{"session 1001 at position 481, 71 ns", "session 1000 at position 480, 71 ns"}},
		{l.AppendMark(Mark{481, 72, 1000}), []string{"session 1000 at position 481, 72 ns", "session 1000 at position 480, 71 ns"}},
		{l.AppendMark(Mark{-1, 72, 1001}), []string{"position -1"}},
		{label(71, 6), []string{"label at 71 ns, raw 6", "that at 71 ns, raw 5"}},
		{label(72, 4), []string{"label at 72 ns, raw 4", "that at 71 ns, raw 5"}},
		{l.Labels().Append(Label{M: 72, Raw: 6, Sync: "perhaps", Why: WhyBeat}), []string{"perhaps", "yes, no, given"}},
		{l.Labels().Append(Label{M: 72, Raw: 6, Sync: SyncNo, Why: "because"}), []string{"because", "open, beat, step, sync"}},
		{l.Labels().Append(Label{M: 72, Raw: 6, Err: -1, Sync: SyncNo, Why: WhyBeat}), []string{"72 ns", "-1 ns"}},
	} {
		if c.err == nil {
			t.Errorf("what should say %q was taken", c.says)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(c.err.Error(), part) {
				t.Errorf("%q does not say %q", c.err, part)
			}
		}
	}
	if l.rows.Look().To != 1 || l.segments.Look().To != 0 || l.marks.Look().To != 1 || l.labels.rows.Look().To != 1 {
		t.Error("what was refused was added")
	}
	must(t, l.Append(Anchor{481, 72, 0}))
	must(t, segment(Segment{500, 73, 1, audio.XRun, 19, 1}))
	must(t, l.AppendMark(Mark{500, 73, 1001}))
	must(t, label(72, 5))
	l.Close()
	if err := l.Append(Anchor{600, 99, 1}); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a closed ledger took an anchor: %v", err)
	}
	for _, c := range []LedgerConfig{{}, {Rate: -1}, {Rate: audio.MaxRate + 1}, {Rate: 1, LatencyErr: -1}} {
		if _, err := NewLedger(c); err == nil {
			t.Errorf("a ledger of %+v", c)
		}
	}
}

// Beyond what is known there is no answer yet, and at the end none at all.
func TestLedgerDoesNotGuess(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	yet := func(p audio.Pos, m int64, key, lower error) {
		t.Helper()
		for what, c := range map[string]struct{ got, want error }{"key": {second(l.Keys().Key(p)), key}, "lower": {second(l.Keys().Lower(m)), lower}} {
			if c.got == nil || c.want != nil && !errors.Is(c.got, c.want) || c.want == nil && (errors.Is(c.got, ErrNotYet) || errors.Is(c.got, io.EOF)) {
				t.Errorf("%s: %v, want %v", what, c.got, c.want)
			}
		}
	}
	yet(0, 0, ErrNotYet, ErrNotYet)
	must(t, l.Append(Anchor{100, 1000, 0}))
	yet(101, 1001, ErrNotYet, ErrNotYet)
	must(t, l.Append(Anchor{200, 2000, 0}))
	yet(201, 2001, ErrNotYet, ErrNotYet)
	if _, err := l.Keys().Key(99); err == nil || errors.Is(err, ErrNotYet) {
		t.Errorf("before the first anchor: %v", err)
	}
	if p, err := l.Keys().Lower(-1 << 60); p != 100 || err != nil {
		t.Errorf("long before the first anchor: %d, %v", p, err)
	}
	l.Close()
	yet(201, 2001, nil, io.EOF)
	if p, err := l.Keys().Lower(2000); p != 200 || err != nil {
		t.Errorf("the end is at %d, %v", p, err)
	}
}

func second[T any](_ T, err error) error { return err }

// Anchors, segments and marks come back as they were told, and in order.
func TestLedgerGivesBackWhatItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, want := newLedger(t, LedgerConfig{Rate: testRate}), plain{}
		want.drawSome(t, l)
		from, n := want.aPos(t), 0
		for _, e := range want {
			if e.pos >= int64(from) {
				n++
			}
		}
		rest := want[len(want)-n:]
		i := 0
		for a, s := range l.Rows(from) {
			got := entry{int64(a.Pos), a.M, a.Err, s.Lost, s.LostErr}
			if i == len(rest) || got != rest[i] || s.Lost > 0 && (s.From != a.Pos || s.M != a.M || s.Err != a.Err || s.Why != audio.XRun) {
				t.Fatalf("row %d from %d is %+v %+v", i, from, a, s)
			}
			i++
		}
		if i != n {
			t.Fatalf("%d rows from %d, want %d", i, from, n)
		}
	})
	l := newLedger(t, LedgerConfig{Rate: testRate})
	marks := []Mark{{0, 5, 1000}, {480, 6, 1001}, {9000, 100, 2000}}
	for _, m := range marks {
		must(t, l.AppendMark(m))
	}
	i := 0
	for p := range audio.Pos(10_000) {
		for i+1 < len(marks) && marks[i+1].From <= p {
			i++
		}
		if got, ok := l.MarkAt(p); !ok || got != marks[i] {
			t.Fatalf("the mark at %d is %v, %v, want %v", p, got, ok, marks[i])
		}
	}
	if _, ok := l.MarkAt(-1); ok {
		t.Error("there is a mark before the first")
	}
	i = 1
	for m := range l.Marks(1) {
		if m != marks[i] {
			t.Errorf("mark %d is %v", i, m)
		}
		i++
	}
	if i != len(marks) {
		t.Errorf("%d marks", i)
	}
}
