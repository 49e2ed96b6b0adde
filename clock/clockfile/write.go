package clockfile

import (
	"fmt"
	"math"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/clock"
)

// A Writer makes the lines of one session from a ledger that grows. Lines come
// once: who could not store them keeps them. It belongs to one goroutine, beside
// which another may append to the ledger.
type Writer struct {
	ledger *clock.Ledger
	mark   clock.Mark
	open   *Open     // nil: it was told
	label  int64     // M of the newest label that was told
	next   audio.Pos // of the first row that was not told
}

// NewWriter returns the writer of the session that begins at a mark of the
// ledger.
func NewWriter(l *clock.Ledger, mark clock.Mark, o Open) *Writer {
	return &Writer{ledger: l, mark: mark, open: &o, label: math.MinInt64, next: mark.From}
}

// Told is the position of the first row that was not told yet: the ledger must
// not forget it.
func (w *Writer) Told() audio.Pos { return w.next }

// Next returns what is known of the times of the frames before to, as far as it
// did not before: labels, and the rows up to the first at or behind to, if there
// is one already. Else the frames behind the newest row get their times with the
// next call.
func (w *Writer) Next(to audio.Pos) ([]byte, error) {
	var b builder
	w.begin(&b)
	for a, s := range w.ledger.Rows(w.next) {
		w.row(&b, a, s)
		if a.Pos >= to {
			break
		}
	}
	return b.lines, b.err
}

// End returns what Next does, and the last line: the session ends at a position,
// at which there is a row, unless the ledger has forgotten it. Nothing may be
// asked for behind it.
func (w *Writer) End(at audio.Pos, why string, next audio.Session) ([]byte, error) {
	end := End{P: int64(at - w.mark.From), Why: why, Next: next}
	if m, err := w.ledger.Keys().Key(at); err == nil {
		end.M = m - w.mark.M
	}
	var b builder
	w.begin(&b)
	for a, s := range w.ledger.Rows(w.next) {
		if a.Pos > at {
			break
		}
		w.row(&b, a, s)
	}
	b.add(endLine{tEnd, end})
	return b.lines, b.err
}

// begin tells of the session, and of labels: of the one in force when it began
// and of all later ones.
func (w *Writer) begin(b *builder) {
	if w.open != nil {
		b.add(openLine{tOpen, version, *w.open})
		w.open = nil
		begun := w.mark.M
		if m, err := w.ledger.Keys().Key(w.mark.From); err == nil { // it may be a little before
			begun = min(begun, m)
		}
		if a, ok := w.ledger.Labels().At(begun); ok {
			w.label = a.M - 1
		}
	}
	for a := range w.ledger.Labels().From(w.label + 1) {
		utc := time.Unix(0, a.UTC).UTC().Format(utcText)
		b.add(labelLine{tLabel, a.M - w.mark.M, a.Raw, utc, a.Err, a.Sync, a.Why, a.Step})
		w.label = a.M
	}
}

// row tells of an anchor or a segment. At the session's beginning a segment ends
// the hole of the session before.
func (w *Writer) row(b *builder, a clock.Anchor, s clock.Segment) {
	p, m := int64(a.Pos-w.mark.From), a.M-w.mark.M
	if s.Lost == 0 || p == 0 {
		b.add(anchorLine{tAnchor, p, m, a.Err})
	} else {
		b.add(segmentLine{tSegment, p, m, a.Err, s.Why, min(s.Lost, p), s.LostErr})
	}
	w.next = a.Pos + 1
}

// A builder gathers lines up to the first error.
type builder struct {
	lines []byte
	err   error
}

func (b *builder) add(v any) {
	if b.err != nil {
		return
	}
	text, err := line.Encode(v)
	if err != nil {
		b.err = fmt.Errorf("write clock.jsonl: %w", err)
	}
	b.lines = append(b.lines, text...)
}
