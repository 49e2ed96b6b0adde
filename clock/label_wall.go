package clock

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// WallPolicy says which frames are meant where the wall clock showed an
// instant more than once.
type WallPolicy uint8

// The policies.
const (
	WallOnce  WallPolicy = iota // there is no choice: a TwiceError
	WallFirst                   // the earliest
	WallLast                    // the latest
)

// A TwiceError says that the wall clock showed an instant more than once, and
// when: the spans over which it showed the same time around it.
type TwiceError struct {
	UTC   int64 // Unix ns
	Spans []audio.Span
}

func (e *TwiceError) Error() string {
	var frames []string
	for _, s := range e.Spans {
		frames = append(frames, s.String())
	}
	times := "twice"
	if len(e.Spans) > 2 {
		times = fmt.Sprintf("%d times", len(e.Spans))
	}
	return fmt.Sprintf("%s occurred %s on this machine: frames %s; say first or last", time.Unix(0, e.UTC).UTC().Format(time.RFC3339Nano), times, strings.Join(frames, " and "))
}

// Wall is the first frame at or behind the moment at which the wall clock
// showed that instant, in Unix ns. That is another question than the time of a
// frame, which a UTC answers: the wall clock may have shown what was wrong, show
// it twice after a step back, and never show what a step forward left out. Such
// an instant is at the step.
//
// It tells of the frames that the ledger has. As the wall clock goes on, an
// instant that it showed once may come again.
func (l *Ledger) Wall(utc int64, policy WallPolicy) (audio.Pos, error) {
	rows := l.rows.Look()
	runs := l.wallRuns(rows)
	if len(runs) == 0 {
		return 0, fmt.Errorf("frame of %s: %w", time.Unix(0, utc).UTC().Format(time.RFC3339Nano), ErrNotYet)
	}
	var shown []wallRun
	for _, r := range runs {
		if r.from <= utc && utc < r.to {
			shown = append(shown, r)
		}
	}
	if len(shown) > 1 && policy == WallOnce {
		return 0, twice(rows, utc, shown)
	}
	var m int64
	switch {
	case len(shown) == 0:
		m = skipped(runs, utc, policy)
	case policy == WallLast:
		m = shown[len(shown)-1].timeOf(utc)
	default:
		m = shown[0].timeOf(utc)
	}
	p, err := lower(rows, m)
	if err != nil {
		return 0, fmt.Errorf("frame of %s: %w", time.Unix(0, utc).UTC().Format(time.RFC3339Nano), err)
	}
	return p, nil
}

// A wallRun is a time over which the wall clock was not stepped, as far as
// there are frames: it showed [from, to).
type wallRun struct {
	labels     []Label
	begin, end int64 // of the time, in ns, as far as there are frames
	from, to   int64
}

// wallRuns is what the wall clock showed while the frames were captured. The
// first label stands for the time before it too. Until the ledger is closed,
// the last run goes on.
func (l *Ledger) wallRuns(rows Look[row]) []wallRun {
	if rows.From == rows.To {
		return nil
	}
	first, last := rows.Row(rows.From)[rowM], int64(math.MaxInt64)
	if rows.Over {
		last = rows.Last()[rowM] + 1
	}
	var runs []wallRun
	for a := range l.labels.From(math.MinInt64) {
		if n := len(runs); n > 0 && a.Step == 0 {
			runs[n-1].labels = append(runs[n-1].labels, a)
			continue
		}
		runs = append(runs, wallRun{labels: []Label{a}})
	}
	for i := range runs {
		r := &runs[i]
		r.begin, r.end = max(first, r.labels[0].M), last
		if i == 0 {
			r.begin = first
		}
		if i+1 < len(runs) {
			r.end = min(last, runs[i+1].labels[0].M)
		}
		r.from, r.to = r.show(r.begin), r.show(r.end)
	}
	return slices.DeleteFunc(runs, func(r wallRun) bool { return r.begin >= r.end })
}

// show is what the wall clock showed at m.
func (r wallRun) show(m int64) int64 {
	a := r.labels[0]
	for _, b := range r.labels {
		if b.M <= m {
			a = b
		}
	}
	return capped(a.UTC, capped(m, -a.M))
}

// timeOf is when the wall clock showed that instant of the run. Labels without
// a step differ by how well they were read; the time does not leave the run and
// does not go back between them.
func (r wallRun) timeOf(utc int64) int64 {
	m := r.begin
	for i, a := range r.labels {
		if i > 0 && a.UTC > utc {
			break
		}
		m = a.M + (utc - a.UTC)
		if i+1 < len(r.labels) {
			m = min(m, r.labels[i+1].M)
		}
	}
	return max(m, r.begin)
}

// skipped is when the wall clock would have shown an instant that it did not:
// at the step that left it out, before the first frame or behind the last.
func skipped(runs []wallRun, utc int64, policy WallPolicy) int64 {
	m := int64(math.MinInt64)
	for i := 1; i < len(runs); i++ {
		if runs[i-1].to <= utc && utc < runs[i].from {
			if m = runs[i].begin; policy != WallLast {
				return m
			}
		}
	}
	if m == math.MinInt64 && utc >= runs[len(runs)-1].to {
		return math.MaxInt64
	}
	return m
}

// twice is the error of an instant that several runs showed.
func twice(rows Look[row], utc int64, shown []wallRun) *TwiceError {
	from, to := shown[0].from, shown[0].to
	for _, r := range shown {
		from, to = max(from, r.from), min(to, r.to)
	}
	e := &TwiceError{UTC: utc}
	for _, r := range shown {
		end := r.end
		if to < r.to {
			end = r.timeOf(to)
		}
		e.Spans = append(e.Spans, audio.Span{From: frameAt(rows, r.timeOf(from)), To: frameAt(rows, end)})
	}
	return e
}

// frameAt is the first frame at or behind m, or the newest there is.
func frameAt(rows Look[row], m int64) audio.Pos {
	p, err := lower(rows, m)
	if err != nil {
		return audio.Pos(rows.Last()[rowPos])
	}
	return p
}
