package clockfile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/clock"
)

var update = flag.Bool("update", false, "write testdata anew")

const rate = 48000

type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must(t tb, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func newLedger(t tb) *clock.Ledger {
	t.Helper()
	l, err := clock.NewLedger(clock.LedgerConfig{Rate: rate, LatencyErr: 1e6})
	must(t, err)
	return l
}

// answers is all that a ledger can be asked about a frame of a session that
// begins at a mark, by a label: positions count from the mark, times too. What lies
// before the session is its first frame.
func answers(l *clock.Ledger, mark clock.Mark, label clock.Label, p audio.Pos) (string, error) {
	m, err := l.Keys().Key(mark.From + p)
	if err != nil {
		return "", err
	}
	ms, err1 := l.Millis(mark).Key(mark.From + p)
	back, err2 := l.Millis(mark).Lower(ms)
	u := l.UTC(label)
	utc, err3 := u.Key(mark.From + p)
	there, err4 := u.Lower(utc)
	at, err5 := u.At(mark.From + p)
	return fmt.Sprint(m-mark.M, ms, max(0, back-mark.From), utc, max(0, there-mark.From), fmt.Sprintf("%+v", at)), errors.Join(err1, err2, err3, err4, err5)
}

// A growing ledger is filled at random, as a pump does.
type growing struct {
	*clock.Ledger
	pos   audio.Pos
	m     int64
	utc   int64 // - m
	marks []clock.Mark
}

func (g *growing) grow(t *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		g.m += rapid.Int64Range(1, 1e6).Draw(t, "later")
		if rapid.Bool().Draw(t, "stepped") {
			g.utc += rapid.Int64Range(-1e12, 1e12).Draw(t, "step")
		}
		must(t, g.Labels().Append(clock.Label{M: g.m, Raw: g.m, UTC: g.m + g.utc, Err: rapid.Int64Range(0, 1e9).Draw(t, "err"),
			Sync: rapid.SampledFrom([]string{clock.SyncYes, clock.SyncNo}).Draw(t, "sync"), Why: clock.WhyBeat}))
	case 1:
		lost := rapid.Int64Range(1, 1e6).Draw(t, "lost")
		g.pos += audio.Pos(lost)
		g.m += 1 + lost*1e9/rate
		must(t, g.AppendSegment(clock.Segment{From: g.pos, M: g.m, Err: 7e5, Why: audio.Device, Lost: lost, LostErr: 48}))
	case 2:
		if n := len(g.marks); n == 0 || g.pos > g.marks[n-1].From {
			id := audio.Session(1795305600000 + len(g.marks))
			g.marks = append(g.marks, clock.Mark{From: g.pos, M: g.m - rapid.Int64Range(0, 1000).Draw(t, "before"), Session: id})
			must(t, g.AppendMark(g.marks[len(g.marks)-1]))
		}
	default:
		frames := rapid.Int64Range(1, 2*rate).Draw(t, "frames")
		g.pos += audio.Pos(frames)
		g.m += frames*1e9/rate + rapid.Int64Range(1, 30_000).Draw(t, "late")
		must(t, g.Append(clock.Anchor{Pos: g.pos, M: g.m, Err: rapid.Int64Range(0, 1e5).Draw(t, "e")}))
	}
}

// TestAStoredSessionAnswersAsTheLiveOne: the file is written while the ledger
// grows, up to any frame at any time.
func TestAStoredSessionAnswersAsTheLiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &growing{Ledger: newLedger(t), utc: 1795287841e9}
		must(t, g.Labels().Append(clock.Label{M: -5, UTC: g.utc, Sync: clock.SyncYes, Why: clock.WhyOpen}), g.Append(clock.Anchor{Pos: 0, M: 0, Err: 9}))
		g.marks = []clock.Mark{{Session: 1795287841000}}
		must(t, g.AppendMark(g.marks[0]))
		var w *Writer
		var file bytes.Buffer
		which := rapid.IntRange(0, 2).Draw(t, "session")
		begun := rapid.IntRange(0, 30).Draw(t, "begun")
		for i := range rapid.IntRange(1, 80).Draw(t, "rows") {
			g.grow(t)
			if len(g.marks) > which && i >= begun && w == nil {
				w = NewWriter(g.Ledger, g.marks[which], Open{Session: g.marks[which].Session, Sensor: "mic0", Rate: rate, Frame: 4, Src: "adc", LatE: 1e6})
			}
			if len(g.marks) > which+1 {
				break
			}
			if w != nil && rapid.IntRange(0, 3).Draw(t, "seal") == 0 {
				from := g.marks[which].From
				to := audio.Pos(rapid.Int64Range(0, int64(g.pos-from)).Draw(t, "to"))
				text, err := w.Next(from + to)
				must(t, err)
				file.Write(text)
				there, err := Load(bytes.NewReader(file.Bytes())) // if the power is cut now
				must(t, err)
				for _, p := range []audio.Pos{0, to / 2, max(to, 1) - 1} {
					_, live := g.Keys().Key(from + p)
					if _, stored := there.Ledger.Keys().Key(p); live == nil && stored != nil {
						t.Fatalf("frame %d, before %d, is not dated: %v", p, to, stored)
					}
				}
			}
		}
		if w == nil {
			return
		}
		mark, end := g.marks[which], g.pos
		if len(g.marks) > which+1 {
			end = g.marks[which+1].From
		}
		text, err := w.End(end, "rotated", 7)
		must(t, err)
		file.Write(text)
		s, err := Load(&file)
		must(t, err)
		if s.Bad != 0 || s.End == nil || s.End.P != int64(end-mark.From) || s.End.Next != 7 || s.Session != mark.Session {
			t.Fatalf("%+v, end %+v", s, s.End)
		}
		labels := 0
		for a := range g.Labels().From(-1 << 62) {
			begun, err := g.Keys().Key(mark.From)
			must(t, err)
			if in, _ := g.Labels().At(min(mark.M, begun)); a.M < in.M {
				continue
			}
			labels++
			for range 5 {
				p := audio.Pos(rapid.Int64Range(0, int64(end-mark.From)).Draw(t, "p"))
				want, err := answers(g.Ledger, mark, a, p)
				stored := a
				stored.M -= mark.M
				got, err2 := answers(s.Ledger, clock.Mark{Session: mark.Session}, stored, p)
				want = strings.ReplaceAll(want, "Extrapolated:true", "Extrapolated:false") // of the last frame, before it is the last
				if err != nil || err2 != nil || got != want {
					t.Fatalf("frame %d\nstored: %s, %v\nlive:   %s, %v", p, got, err2, want, err)
				}
			}
		}
		stored := 0
		for range s.Ledger.Labels().From(-1 << 62) {
			stored++
		}
		if stored != labels {
			t.Fatalf("%d labels are stored, want %d", stored, labels)
		}
	})
}

// sample is the file of a small session: it goes on from one that ended in a
// hole, has a hole, a step of the clock, and goes on in another.
func sample(t tb) []byte {
	t.Helper()
	l := newLedger(t)
	must(t,
		l.Labels().Append(clock.Label{M: 0, Raw: 100e9, UTC: 1795305590e9, Err: 2e6, Sync: clock.SyncYes, Why: clock.WhyOpen}),
		l.Append(clock.Anchor{Pos: 0, M: 400, Err: 20000}),
		l.Append(clock.Anchor{Pos: 9 * rate, M: 9e9 - 3000, Err: 20000}),
		l.AppendSegment(clock.Segment{From: 10 * rate, M: 10e9 + 7704, Err: 25000, Why: audio.Device, Lost: rate, LostErr: 50}),
		l.AppendMark(clock.Mark{From: 10 * rate, M: 10e9, Session: 1795305600000}),
		l.AppendSegment(clock.Segment{From: 11 * rate, M: 11e9 + 8000, Err: 150000, Why: audio.Device, Lost: rate, LostErr: 48}),
		l.Append(clock.Anchor{Pos: 12 * rate, M: 12e9 - 29295, Err: 20000}),
		l.Labels().Append(clock.Label{M: 12e9 + 5e8, Raw: 112e9 + 5e8, UTC: 1795305603e9, Err: 1e6, Sync: clock.SyncYes, Why: clock.WhyStep}),
		l.Append(clock.Anchor{Pos: 12*rate + 4000, M: 12083e6, Err: 20000}),
		l.AppendSegment(clock.Segment{From: 12*rate + 8803, M: 12184e6, Err: 150000, Why: audio.XRun, Lost: 4803, LostErr: 48}),
		l.Append(clock.Anchor{Pos: 13 * rate, M: 13e9, Err: 21000}),
	)
	l.Close()
	w := NewWriter(l, clock.Mark{From: 10 * rate, M: 10e9, Session: 1795305600000}, Open{
		Session: 1795305600000, Sensor: "mic0", Rate: rate, Frame: 2, Boot: "b8c6dbd4-0d3f-4a6e-8f0c-6a1a0e5d2f11", M0: 86_399_813_004_117,
		Stream: 10 * rate, Src: "adc", Est: "minline 1s x 60", LatE: 1e6, Cont: &Continued{1795305590000, 10 * rate},
	})
	begun, err := w.Next(10 * rate)
	must(t, err)
	rest, err := w.Next(12*rate + 100)
	must(t, err)
	end, err := w.End(13*rate, "rotated", 1795392000000)
	must(t, err)
	return slices.Concat(begun, rest, end)
}

// The text of the file is what docs/format.md says.
func TestTheFormatStays(t *testing.T) {
	const name = "testdata/clock.jsonl"
	got := sample(t)
	if *update {
		must(t, os.WriteFile(name, got, 0o644))
	}
	want, err := os.ReadFile(name)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// asked are the answers of a session to many questions, or errors.
func asked(s *Session) (all []string) {
	label := clock.Label{M: -10e9, UTC: 1795305590e9, Sync: clock.SyncYes}
	for p := audio.Pos(0); p <= 3*rate; p += 311 {
		text, err := answers(s.Ledger, clock.Mark{Session: s.Session}, label, p)
		if err != nil {
			text = ""
		}
		all = append(all, text)
	}
	return all
}

// bare leaves out of an answer what depends on how many rows there are: how sure
// it is.
func bare(answer string) string {
	text, _, _ := strings.Cut(answer, "{")
	return text
}

// Wherever the file is cut, what is there answers as the whole does.
func TestACutFileAnswersForWhatItHas(t *testing.T) {
	text := sample(t)
	whole, err := Load(bytes.NewReader(text))
	must(t, err)
	want := asked(whole)
	first := bytes.IndexByte(text, '\n')
	last := 0
	for n := range len(text) {
		s, err := Load(bytes.NewReader(text[:n]))
		if n < first && !errors.Is(err, ErrNoOpen) || n >= first && err != nil {
			t.Fatalf("cut at byte %d: %v", n, err)
		}
		if err != nil {
			continue
		}
		if s.Bad > 1 {
			t.Errorf("cut at byte %d: %d lines are bad", n, s.Bad)
		}
		known := 0
		for i, got := range asked(s) {
			if got != "" {
				known++
			}
			if got != "" && bare(got) != bare(want[i]) {
				t.Fatalf("cut at byte %d: question %d: %q, want %q", n, i, got, want[i])
			}
		}
		if known < last {
			t.Errorf("cut at byte %d: %d answers, there were %d before", n, known, last)
		}
		last = known
	}
}

// Whichever bit is flipped, no line says anything else than it did.
func TestAFlippedBitCostsALine(t *testing.T) {
	text := sample(t)
	whole, err := Load(bytes.NewReader(text))
	must(t, err)
	rows := func(s *Session) (all []string) {
		for a, g := range s.Ledger.Rows(0) {
			all = append(all, fmt.Sprint(a, g))
		}
		for a := range s.Ledger.Labels().From(-1 << 62) {
			a.Step = 0 // against the one before
			all = append(all, fmt.Sprint(a))
		}
		return append(all, fmt.Sprint(s.End))
	}
	there := map[string]bool{"<nil>": true}
	for _, r := range rows(whole) {
		there[r] = true
	}
	for at := range 8 * len(text) {
		bad := bytes.Clone(text)
		bad[at/8] ^= 1 << (at % 8)
		s, err := Load(bytes.NewReader(bad))
		if err != nil {
			if !errors.Is(err, ErrNoOpen) || at/8 > bytes.IndexByte(text, '\n') {
				t.Fatalf("bit %d flipped: %v", at, err)
			}
			continue
		}
		if s.Session != whole.Session || s.Rate != whole.Rate || s.Bad > 2 {
			t.Fatalf("bit %d flipped: %+v", at, s)
		}
		for _, r := range rows(s) {
			if !there[r] && !strings.HasPrefix(r, "&") {
				t.Fatalf("bit %d flipped: there is %s", at, r)
			}
		}
	}
}

// A file of a later version is not read, and what such a one adds is left out.
func TestLaterVersions(t *testing.T) {
	later, err := line.Encode(openLine{tOpen, 2, Open{Session: 1, Sensor: "a", Rate: 8000}})
	must(t, err)
	if _, err := Load(bytes.NewReader(later)); !errors.Is(err, ErrVersion) {
		t.Errorf("version 2: %v", err)
	}
	text := sample(t)
	more, err := line.Encode(map[string]any{"t": "zz", "p": 7})
	must(t, err)
	at := bytes.IndexByte(text, '\n') + 1
	s, err := Load(bytes.NewReader(slices.Concat(text[:at], more, text[at:])))
	if err != nil || s.Bad != 0 || s.End == nil {
		t.Errorf("%+v, %v", s, err)
	}
}

// What is not in order, too long or out of range costs no more than its line.
func TestBadLinesAreLeftOut(t *testing.T) {
	first := Open{Session: 1, Sensor: "a", Rate: 8000, Src: "given"}
	lines := func(all ...any) []byte {
		var b builder
		for _, v := range all {
			b.add(v)
		}
		must(t, b.err)
		return b.lines
	}
	for what, c := range map[string]struct {
		text []byte
		bad  int
		err  bool
	}{
		"nothing":            {nil, 0, true},
		"no open":            {lines(anchorLine{tAnchor, 0, 0, 0}), 0, true},
		"a rate of 0":        {lines(openLine{tOpen, 1, Open{Sensor: "a"}}), 0, true},
		"a session before 0": {lines(openLine{tOpen, 1, Open{Session: -1, Sensor: "a", Rate: 1}}), 0, true},
		"no sensor":          {lines(openLine{tOpen, 1, Open{Sensor: "../a", Rate: 1}}), 0, true},
		"an error below 0":   {lines(openLine{tOpen, 1, first}, anchorLine{tAnchor, 0, 0, -1}), 1, false},
		"not in order":       {lines(openLine{tOpen, 1, first}, anchorLine{tAnchor, 9, 9, 0}, anchorLine{tAnchor, 9, 10, 0}, anchorLine{tAnchor, 10, 9, 0}), 2, false},
		"a hole before 0":    {lines(openLine{tOpen, 1, first}, segmentLine{tSegment, 5, 5, 0, audio.Device, 6, 0}), 1, false},
		"a label of no time": {lines(openLine{tOpen, 1, first}, labelLine{T: tLabel, UTC: "1600-01-01T00:00:00Z", Sync: "yes", Why: "open"}), 1, false},
		"a label of no word": {lines(openLine{tOpen, 1, first}, labelLine{T: tLabel, UTC: "2026-01-01T00:00:00Z", Sync: "maybe", Why: "open"}), 1, false},
		"behind the end":     {lines(openLine{tOpen, 1, first}, endLine{tEnd, End{}}, anchorLine{tAnchor, 1, 1, 0}, endLine{tEnd, End{}}), 2, false},
		"too long":           {append(lines(openLine{tOpen, 1, first}), lines(map[string]any{"t": "a", "x": strings.Repeat("x", 3*longest)}, anchorLine{tAnchor, 1, 1, 0})...), 1, false},
		"empty lines":        {append(lines(openLine{tOpen, 1, first}), "\n\n"...), 0, false},
	} {
		s, err := Load(bytes.NewReader(c.text))
		if (err != nil) != c.err || err == nil && s.Bad != c.bad {
			t.Errorf("%s: %+v, %v", what, s, err)
		}
	}
}

// A day has about as many bytes as its anchors need.
func TestADayIsAFewMegabytes(t *testing.T) {
	l := newLedger(t)
	for s := range int64(86_400) {
		must(t, l.Append(clock.Anchor{Pos: audio.Pos(s * rate), M: s*1e9 + s%77, Err: 20000}))
	}
	text, err := NewWriter(l, clock.Mark{}, Open{Session: 1, Sensor: "mic0", Rate: rate}).Next(1 << 60)
	must(t, err)
	if n := len(text) / 86_400; n > 80 {
		t.Errorf("a line has %d bytes", n)
	}
	s, err := Load(bytes.NewReader(text))
	must(t, err)
	if last, _ := s.Ledger.Last(); last.Pos != 86_399*rate {
		t.Errorf("the last anchor is %+v", last)
	}
}
