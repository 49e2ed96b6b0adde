package clock

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// The rows of this ledger follow a rule, so each answer can be checked alone.
const (
	ruledRows   = 160 * pageRows
	ruledBegun  = 100 // of them are there at the beginning
	ruledWindow = 12 * pageRows
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
	must(t, l.Labels().Append(Label{UTC: utc0, Sync: SyncYes, Why: WhyOpen}))
	must(t, l.AppendMark(Mark{0, 0, 1}))
	for i := range int64(ruledBegun) {
		ruled(i).tell(t, l)
	}
	var told, head atomic.Int64
	told.Store(ruledBegun)
	var wait, asking sync.WaitGroup
	asking.Add(3)
	for r := range int64(3) {
		wait.Go(func() {
			begun := sync.OnceFunc(asking.Done)
			defer begun()
			answers := 0
			for x := r; told.Load() < ruledRows && !t.Failed(); x++ {
				h := head.Load()
				const every = ruledMark * 480
				if m, ok := l.MarkAt(audio.Pos(h)); !ok || int64(m.From) != h/every*every {
					t.Errorf("the mark of the head %d is %v, %v", h, m, ok)
				}
				known := told.Load()
				i := max(1, known-1-(x*2654435761)%ruledWindow)
				if x%2 == 0 {
					i = min(known, ruledRows-1) // the one that comes next
				}
				switch err := askRuled(t, l, i); {
				case err == nil:
					answers++
					begun()
				case i >= known && errors.Is(err, ErrNotYet):
				case i <= told.Load()-ruledWindow+2*pageRows && errors.Is(err, errForgotten):
				default:
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
	asking.Wait()
	for i := int64(ruledBegun); i < ruledRows; i++ {
		e := ruled(i)
		if i%ruledMark == 0 {
			must(t, l.AppendMark(Mark{audio.Pos(e.pos), e.m, audio.Session(i)}))
		}
		head.Store(e.pos)
		if i%60 == 0 {
			must(t, l.Labels().Append(Label{M: e.m, Raw: e.m, UTC: utc0 + e.m, Sync: SyncYes, Why: WhyBeat}))
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
	mid, err := u.At(audio.Pos(e.pos - 240))
	if err == nil && !mid.Extrapolated {
		want := utc0 + before.m + (e.m-before.m)/2
		if mid.UTC != want || mid.InHole != (e.lost > 0) || mid.Parts[PartEstimator] != max(e.err, before.err) {
			t.Errorf("before row %d: At %+v, want %+v, %d", i, mid, e, want)
		}
	}
	key, err2 := l.Keys().Key(audio.Pos(e.pos))
	low, err3 := u.Lower(utc0 + e.m)
	live, _, err4 := l.Live().Lower(e.m)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	if key != e.m || low != audio.Pos(e.pos) || live != low {
		t.Errorf("row %d: Key %d, Lower %d, live %d, want %+v", i, key, low, live, e)
	}
	return nil
}

// Each round races those who wait with the anchor that one of them waits for,
// and nothing follows that could wake him too. Then comes the end.
func TestNoAnchorThatIsAwaitedIsMissed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for round := range 2000 {
		l := newLedger(t, LedgerConfig{Rate: testRate})
		u := l.UTC(Label{UTC: utc0, Sync: SyncYes})
		var come [4]chan error
		for m := range come {
			come[m] = make(chan error, 1)
			go func() { come[m] <- u.AwaitKey(ctx, utc0+int64(m)) }()
		}
		for m, c := range come {
			want := error(nil)
			if m == len(come)-1 {
				want = io.EOF
				l.Close()
			} else {
				must(t, l.Append(Anchor{audio.Pos(m), int64(m), 0}))
			}
			if err := <-c; err != want {
				t.Fatalf("round %d: who waited for %d ns: %v, want %v", round, m, err, want)
			}
		}
	}
}
