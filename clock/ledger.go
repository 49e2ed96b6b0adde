package clock

import (
	"errors"
	"fmt"
	"iter"

	"github.com/ingestd/ingestd/audio"
)

// ErrNotYet says that an answer may come later, when more is known.
var ErrNotYet = errors.New("not known yet")

// An Anchor says that the boundary before the frame at Pos was at M.
type Anchor struct {
	Pos audio.Pos
	M   int64 // ns of boot time since the zero of all ledgers of a process or session
	Err int64 // half width in ns of what M may be wrong by
}

// A Segment is an anchor at the first position behind a hole. There M may be
// anything above that of the anchor before it. A hole that a mark cuts is two,
// and the first of them ends with a segment at the mark.
type Segment struct {
	From    audio.Pos
	M       int64 // ns, as in Anchor
	Err     int64 // ns, as in Anchor
	Why     audio.Cause
	Lost    int64 // frames: the hole is [From-Lost, From)
	LostErr int64 // half width in frames of what Lost may be wrong by
}

// A Mark says that a session begins at a position.
type Mark struct {
	From    audio.Pos
	M       int64 // ns, as in Anchor: when the session begins
	Session audio.Session
}

// LedgerConfig is what a ledger knows of its stream from the beginning.
type LedgerConfig struct {
	Rate       int   // nominal frames a second
	LatencyErr int64 // half width in ns of the constant latency of the source

	// Labels are those of its UTC. They may be shared with other ledgers; nil:
	// the ledger has its own.
	Labels *Labels
}

// A Ledger says when each position of a stream was. Anchors and segments are
// one list, strictly increasing in position and time; between two of them time
// runs evenly, through a hole too. Labels map that time to UTC, marks say where
// sessions begin; both are lists of their own, and the labels need not be its
// alone.
//
// An anchor stands at about every second of positions, at the beginning of each
// hole, at each mark and at the end. A ledger never changes what it has taken:
// a better estimate bends only the future. So what it has answered it answers
// again, whatever came in between, or an error once that is forgotten.
//
// One goroutine appends, forgets and closes; it waits for nobody. Any number
// may ask at the same time, and take no lock. Make it with NewLedger.
//
// Two orders are the appender's to keep. A mark is appended before the head of
// the ring passes its position: then whoever loads the head first finds every
// mark below it. A label is appended before any anchor behind it in time: then
// the error of an answer does not change either.
type Ledger struct {
	config   LedgerConfig
	rows     Table[row]
	segments Table[segmentRow]
	labels   *Labels
	marks    Table[markRow]
	bell     Bell
}

// NewLedger returns a ledger that is empty and open.
func NewLedger(c LedgerConfig) (*Ledger, error) {
	if c.Rate < 1 || c.Rate > audio.MaxRate || c.LatencyErr < 0 {
		return nil, fmt.Errorf("a ledger of %d frames a second, latency ± %d ns: the rate is 1 to %d, the error not negative", c.Rate, c.LatencyErr, audio.MaxRate)
	}
	if c.Labels == nil {
		c.Labels = &Labels{}
	}
	return &Ledger{config: c, labels: c.Labels}, nil
}

// row is an anchor, or the place of a segment.
type row [3]int64

const (
	rowPos = iota
	rowM
	rowErr // or, below 0, -1-i where i is the number of the segment
)

// segmentRow is what a row has no room for. It is published before its row.
type segmentRow [5]int64

const (
	segmentFrom = iota
	segmentErr
	segmentWhy
	segmentLost
	segmentLostErr
)

type markRow [3]int64

const (
	markFrom = iota
	markM
	markSession
)

func (r row) isSegment() bool { return r[rowErr] < 0 }

func (r row) String() string {
	what := "anchor"
	if r.isSegment() {
		what = "segment"
	}
	return fmt.Sprintf("%s at position %d, %d ns", what, r[rowPos], r[rowM])
}

// Append adds an anchor. It returns an error that names both, and adds
// nothing, unless position and time are behind those of the newest anchor or
// segment.
func (l *Ledger) Append(a Anchor) error {
	r := row{int64(a.Pos), a.M, a.Err}
	if a.Err < 0 {
		return fmt.Errorf("append anchor at position %d: its error, %d ns, is negative", a.Pos, a.Err)
	}
	if err := l.follows(r, 0); err != nil {
		return err
	}
	l.publish(r)
	return nil
}

// AppendSegment adds a segment, as Append does. Its hole may not begin before
// the newest anchor or segment.
func (l *Ledger) AppendSegment(s Segment) error {
	switch {
	case s.Err < 0 || s.LostErr < 0:
		return fmt.Errorf("append segment at position %d: one of its errors, %d ns and %d frames, is negative", s.From, s.Err, s.LostErr)
	case s.Lost < 1 || s.Lost > int64(s.From) || !s.Why.Valid():
		return fmt.Errorf("append segment at position %d: a hole of %d frames, cause %v, is none", s.From, s.Lost, s.Why)
	}
	r := row{int64(s.From), s.M, -1 - l.segments.Look().To}
	if err := l.follows(r, s.Lost); err != nil {
		return err
	}
	l.segments.Append(segmentRow{int64(s.From), s.Err, int64(s.Why), s.Lost, s.LostErr})
	l.publish(r)
	return nil
}

// follows returns an error unless r, behind a hole of lost frames, may follow
// the newest row.
func (l *Ledger) follows(r row, lost int64) error {
	k := l.rows.Look()
	last := k.Last()
	switch {
	case k.Over:
		return fmt.Errorf("append %v: the ledger is closed", r)
	case r[rowPos] < 0 || !inRange(r[rowM]):
		return fmt.Errorf("append %v: out of range", r)
	case last == nil:
		return nil
	case r[rowPos] <= last[rowPos] || r[rowM] <= last[rowM]:
		return fmt.Errorf("append %v behind %v: both increase", r, *last)
	case r[rowPos]-lost < last[rowPos]:
		return fmt.Errorf("append %v behind %v: its hole of %d frames begins before that", r, *last, lost)
	}
	return nil
}

// inRange says whether a time is less than 146 years from zero. So differences
// of two times and sums with one have room in 63 bits.
func inRange(m int64) bool { return size(m) < 1<<62 }

func (l *Ledger) publish(r row) {
	l.rows.Append(r)
	l.bell.Reached(r[rowM])
}

// AppendMark adds a mark. It returns an error that names both, and adds
// nothing, unless position, time and session are above those of the newest
// mark.
func (l *Ledger) AppendMark(m Mark) error {
	if m.From < 0 || m.Session < 0 || !inRange(m.M) {
		return fmt.Errorf("append mark of session %d at position %d, %d ns: out of range", m.Session, m.From, m.M)
	}
	if last := l.marks.Look().Last(); last != nil && (int64(m.From) <= last[markFrom] || m.M <= last[markM] || int64(m.Session) <= last[markSession]) {
		return fmt.Errorf("append mark of session %d at position %d, %d ns, behind that of session %d at position %d, %d ns: all three increase",
			m.Session, m.From, m.M, last[markSession], last[markFrom], last[markM])
	}
	l.marks.Append(markRow{int64(m.From), m.M, int64(m.Session)})
	return nil
}

// Close says that the stream ended at the newest anchor. It may be called more
// than once.
func (l *Ledger) Close() {
	l.rows.Close()
	l.bell.Ring()
}

// Forget gives back the memory of what no question from position before on
// needs, in pages of 256. The newest mark at or before it stays, and so do all
// labels. Who asks for what is forgotten gets an error. For a ring, before is
// its oldest position.
func (l *Ledger) Forget(before audio.Pos) {
	k := l.rows.Look()
	if k.From == k.To {
		return
	}
	l.rows.Forget(rowPos, int64(before))
	l.segments.Forget(segmentFrom, int64(before))
	l.marks.Forget(markFrom, int64(before))
}

// Labels are those of its UTC.
func (l *Ledger) Labels() *Labels { return l.labels }

// Last is the newest anchor, which a segment is too, and false if there is none.
func (l *Ledger) Last() (Anchor, bool) {
	r := l.rows.Look().Last()
	if r == nil {
		return Anchor{}, false
	}
	a := Anchor{audio.Pos(r[rowPos]), r[rowM], r[rowErr]}
	if r.isSegment() {
		a.Err = l.segments.Look().Last()[segmentErr]
	}
	return a, true
}

// Since is the time in ns of the oldest anchor that is kept, and false if there
// is none. No question needs a label before the one in force then.
func (l *Ledger) Since() (m int64, ok bool) {
	k := l.rows.Look()
	if k.From == k.To {
		return 0, false
	}
	return k.Row(k.From)[rowM], true
}

// Rows yields the anchors and segments at or behind from, in order, as they
// are now. A segment comes with its anchor; the segment of another anchor is
// zero.
func (l *Ledger) Rows(from audio.Pos) iter.Seq2[Anchor, Segment] {
	return func(yield func(Anchor, Segment) bool) {
		k := l.rows.Look()
		for i, _ := k.Find(rowPos, int64(from)); i < k.To; i++ {
			r := k.Row(i)
			a, s := Anchor{audio.Pos(r[rowPos]), r[rowM], r[rowErr]}, Segment{}
			if r.isSegment() {
				detail := l.segment(*r)
				if detail == nil {
					continue
				}
				a.Err = detail[segmentErr]
				s = Segment{a.Pos, a.M, a.Err, audio.Cause(detail[segmentWhy]), detail[segmentLost], detail[segmentLostErr]}
			}
			if !yield(a, s) {
				return
			}
		}
	}
}

// segment is that of a row that is one, or nil if it is forgotten.
func (l *Ledger) segment(r row) *segmentRow {
	k, i := l.segments.Look(), -1-r[rowErr]
	if i < k.From {
		return nil
	}
	return k.Row(i)
}

// MarkAt is the newest mark at or before p, and false if there is none.
func (l *Ledger) MarkAt(p audio.Pos) (Mark, bool) {
	k := l.marks.Look()
	i := k.upTo(markFrom, int64(p))
	if i < k.From {
		return Mark{}, false
	}
	return k.Row(i).mark(), true
}

// Marks yields the marks at or behind from, in order, as they are now.
func (l *Ledger) Marks(from audio.Pos) iter.Seq[Mark] {
	return func(yield func(Mark) bool) {
		k := l.marks.Look()
		for i, _ := k.Find(markFrom, int64(from)); i < k.To; i++ {
			if !yield(k.Row(i).mark()) {
				return
			}
		}
	}
}

func (r *markRow) mark() Mark {
	return Mark{audio.Pos(r[markFrom]), r[markM], audio.Session(r[markSession])}
}
