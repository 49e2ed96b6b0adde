package audio

import "fmt"

// Pos is an absolute position in a stream: how many frames were inserted
// before this one, lost ones included. It never goes back and outlives
// sessions.
type Pos int64

// Span is the half-open range [From, To) of positions.
type Span struct{ From, To Pos }

// Len is the number of frames in the span.
func (s Span) Len() int64 { return int64(s.To - s.From) }

// Empty says whether the span holds no frame.
func (s Span) Empty() bool { return s.To <= s.From }

// Contains says whether p lies in the span.
func (s Span) Contains(p Pos) bool { return s.From <= p && p < s.To }

// Intersect returns what s and t share. Where they share nothing the result
// is empty.
func (s Span) Intersect(t Span) Span {
	i := Span{max(s.From, t.From), min(s.To, t.To)}
	if i.Empty() {
		return Span{i.From, i.From}
	}
	return i
}

// String is [From, To).
func (s Span) String() string { return fmt.Sprintf("[%d, %d)", s.From, s.To) }

// Hole is a span that was never captured, or was overwritten before it was
// stored, with its cause.
type Hole struct {
	Span
	Cause Cause
}

// String is the span and the cause.
func (h Hole) String() string { return h.Span.String() + " " + h.Cause.String() }
