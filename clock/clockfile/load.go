package clockfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/clock"
)

// longest is how long a line may be, in bytes: the longest that is written has
// some hundred.
const longest = 4 << 10

// A Session is what a clock.jsonl tells.
type Session struct {
	Open
	// Ledger has the session's positions and times: its mark is at 0. It is
	// closed if there is an End.
	Ledger *clock.Ledger
	End    *End // nil: there was a crash, or the session goes on
	Bad    int  // lines that are damaged, or not in order: they were left out
}

// Load reads a clock.jsonl. Of the frames between the rows that are there it
// knows what the ledger did that wrote them; where lines are damaged the error of
// an answer is greater. An error wraps ErrNoOpen, ErrVersion or that of r.
func Load(r io.Reader) (*Session, error) {
	in := bufio.NewReaderSize(r, longest)
	text, err := next(in)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read clock.jsonl: %w", err)
	}
	s, err := open(text)
	if err != nil {
		return nil, fmt.Errorf("read clock.jsonl: %w", err)
	}
	for {
		text, err := next(in)
		switch {
		case err == io.EOF:
			return s, nil
		case err != nil:
			return nil, fmt.Errorf("read clock.jsonl: %w", err)
		case s.take(text) != nil:
			s.Bad++
		}
	}
}

// next is the next line that is not empty, without its end, or nil for one that
// is too long.
func next(in *bufio.Reader) ([]byte, error) {
	for {
		text, err := in.ReadSlice('\n')
		long := false
		for errors.Is(err, bufio.ErrBufferFull) {
			long = true
			_, err = in.ReadSlice('\n')
		}
		switch {
		case err != nil && (err != io.EOF || len(text) == 0 && !long):
			return nil, err
		case long:
			return nil, nil
		}
		if text = bytes.TrimSuffix(text, []byte("\n")); len(text) > 0 {
			return text, nil
		}
	}
}

// open begins a session by its first line.
func open(text []byte) (*Session, error) {
	var o openLine
	if err := line.Decode(text, &o); err != nil || o.T != tOpen {
		return nil, ErrNoOpen
	}
	if o.V != version {
		return nil, fmt.Errorf("version %d: %w", o.V, ErrVersion)
	}
	if err := audio.CheckSensor(o.Sensor); err != nil {
		return nil, err
	}
	l, err := clock.NewLedger(clock.LedgerConfig{Rate: o.Rate, LatencyErr: o.LatE})
	if err != nil {
		return nil, err
	}
	if err := l.AppendMark(clock.Mark{Session: o.Session}); err != nil {
		return nil, err
	}
	return &Session{Open: o.Open, Ledger: l}, nil
}

var errBehind = errors.New("there is nothing behind the end")

// take takes a line behind the first.
func (s *Session) take(text []byte) error {
	var kind struct {
		T string `json:"t"`
	}
	if err := line.Decode(text, &kind); err != nil {
		return err
	}
	if s.End != nil {
		return errBehind
	}
	switch kind.T {
	case tLabel:
		var l labelLine
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		a, err := l.label()
		if err != nil {
			return err
		}
		return s.Ledger.Labels().Append(a)
	case tAnchor:
		var a anchorLine
		if err := json.Unmarshal(text, &a); err != nil {
			return err
		}
		return s.Ledger.Append(clock.Anchor{Pos: audio.Pos(a.P), M: a.M, Err: a.E})
	case tSegment:
		var g segmentLine
		if err := json.Unmarshal(text, &g); err != nil {
			return err
		}
		return s.Ledger.AppendSegment(clock.Segment{From: audio.Pos(g.P), M: g.M, Err: g.E, Why: g.Why, Lost: g.Lost, LostErr: g.LostE})
	case tEnd:
		var e endLine
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		if e.P < 0 {
			return fmt.Errorf("an end at frame %d", e.P)
		}
		s.End = &e.End
		s.Ledger.Close()
	}
	return nil // of a later version
}

// label is what a line tells.
func (l labelLine) label() (clock.Label, error) {
	at, err := time.Parse(time.RFC3339Nano, l.UTC)
	if err != nil {
		return clock.Label{}, err
	}
	if y := at.Year(); y < 1679 || y > 2261 { // what fits into Unix ns
		return clock.Label{}, fmt.Errorf("a label of the year %d", y)
	}
	return clock.Label{M: l.M, Raw: l.Raw, UTC: at.UnixNano(), Err: l.Err, Sync: l.Sync, Why: l.Why}, nil
}
