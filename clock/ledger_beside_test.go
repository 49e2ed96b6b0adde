package clock

import (
	"errors"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// The rows of this ledger follow a rule, so each answer can be checked alone.
const (
	ruledRows   = 40 * pageRows
	ruledBegun  = 100 // of them are there at the beginning
	ruledWindow = 3 * pageRows
	ruledMark   = 500 // rows of a session
)

func ruled(i int64) entry {
	e := entry{pos: 480 * i, m: 10_000_000*i + i%7, err: i % 1000}
	if i%10 == 9 {
		e.lost = 480
	}
	return e
}

// Readers ask while the ledger is told, and forgets. Who loads the head first
// finds the marks below it.
func TestReadersBesideTheAppenderSeeWholeRows(t *testing.T) {
	l := newLedger(t, LedgerConfig{Rate: testRate})
	must(t, l.AppendLabel(Label{UTC: utc0, Sync: SyncYes, Why: WhyOpen}))
	must(t, l.AppendMark(Mark{0, 0, 1}))
	for i := range int64(ruledBegun) {
		ruled(i).tell(t, l)
	}
	var told, head atomic.Int64
	told.Store(ruledBegun)
	var wait sync.WaitGroup
	for r := range int64(3) {
		wait.Go(func() {
			answers := 0
			for x := r; told.Load() < ruledRows && !t.Failed(); x++ {
				h := head.Load()
				const every = ruledMark * 480
				if m, ok := l.MarkAt(audio.Pos(h)); !ok || int64(m.From) != h/every*every {
					t.Errorf("the mark of the head %d is %v, %v", h, m, ok)
				}
				known := told.Load()
				i := max(1, known-1-(x*2654435761)%ruledWindow)
				if err := askRuled(t, l, i); err == nil {
					answers++
				} else if i < known && !errors.Is(err, errForgotten) || i > told.Load()-ruledWindow+2*pageRows {
					t.Errorf("row %d of %d: %v", i, known, err)
				}
			}
			if answers == 0 {
				t.Error("a reader had no answer at all")
			}
		})
	}
	wait.Go(func() {
		if err := l.Keys().AwaitKey(t.Context(), ruled(ruledRows-1).m); err != nil {
			t.Error(err)
		}
		if err := l.Keys().AwaitKey(t.Context(), math.MaxInt64>>2); err != io.EOF {
			t.Errorf("who waited for what never comes: %v", err)
		}
	})
	for i := int64(ruledBegun); i < ruledRows; i++ {
		e := ruled(i)
		if i%ruledMark == 0 {
			must(t, l.AppendMark(Mark{audio.Pos(e.pos), e.m, audio.Session(i)}))
		}
		head.Store(e.pos)
		if i%60 == 0 {
			must(t, l.AppendLabel(Label{M: e.m, Raw: e.m, UTC: utc0 + e.m, Sync: SyncYes, Why: WhyBeat}))
		}
		e.tell(t, l)
		told.Store(i + 1)
		if i%ruledMark == 0 {
			l.Forget(audio.Pos(ruled(max(0, i-ruledWindow)).pos))
			runtime.Gosched()
		}
	}
	l.Close()
	wait.Wait()
}

// askRuled asks for row i in all ways, and for the frame in the middle before
// it.
func askRuled(t *testing.T, l *Ledger, i int64) error {
	e, before := ruled(i), ruled(i-1)
	u := l.UTC(Label{UTC: utc0, Sync: SyncYes})
	key, err := l.Keys().Key(audio.Pos(e.pos))
	low, err2 := u.Lower(utc0 + e.m)
	mid, err3 := u.At(audio.Pos(e.pos - 240))
	live, _, err4 := l.Live().Lower(e.m)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	want := utc0 + before.m + (e.m-before.m)/2
	if key != e.m || low != audio.Pos(e.pos) || live != low || mid.UTC != want || mid.InHole != (e.lost > 0) || mid.Parts[PartEstimator] != max(e.err, before.err) {
		t.Errorf("row %d: Key %d, Lower %d, live %d, At %+v, want %+v, %d", i, key, low, live, mid, e, want)
	}
	return nil
}
