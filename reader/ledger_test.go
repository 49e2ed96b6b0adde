package reader

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"pgregory.net/rapid"
)

func mustAppend(t interface {
	Helper()
	Fatal(...any)
}, l *Ledger, p audio.Pos, key int64) {
	t.Helper()
	if err := l.Append(p, key); err != nil {
		t.Fatal(err)
	}
}

// pageEntries is how many entries are forgotten at once.
const pageEntries = 1024

// plainLedger is a slice that answers like a ledger.
type plainLedger struct {
	all    []entry
	closed bool
	gone   audio.Pos // what was forgotten lies before it
}

func (l *plainLedger) key(p audio.Pos) (int64, error) {
	i := sort.Search(len(l.all), func(i int) bool { return l.all[i][partPos] > int64(p) })
	switch {
	case !l.closed && i == len(l.all) && (i == 0 || l.all[i-1][partPos] < int64(p)):
		return 0, ErrNotYet
	case i == 0:
		return 0, errors.New("none")
	}
	return l.all[i-1][partKey], nil
}

func (l *plainLedger) lower(key int64) (audio.Pos, error) {
	i := sort.Search(len(l.all), func(i int) bool { return l.all[i][partKey] >= key })
	switch {
	case i < len(l.all):
		return audio.Pos(l.all[i][partPos]), nil
	case l.closed:
		return 0, io.EOF
	}
	return 0, ErrNotYet
}

// same compares two answers. What lies in what was forgotten may be an error.
func same[T ~int64](got T, err error, want T, wantErr error, mayBeGone bool) bool {
	for _, kind := range []error{ErrNotYet, io.EOF} {
		if errors.Is(err, kind) != errors.Is(wantErr, kind) {
			return false
		}
	}
	return err == nil && wantErr == nil && got == want || err != nil && (wantErr != nil || mayBeGone)
}

// A ledger answers as a slice of its entries does, whatever is appended,
// refused and forgotten.
func TestLedgerAgreesWithPlainSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		var plain plainLedger
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				last, n := entry{-1, -1000}, rapid.SampledFrom([]int{1, 1, 1, 3, 700, 1024}).Draw(t, "n")
				if len(plain.all) > 0 {
					last = plain.all[len(plain.all)-1]
				}
				step, up := rapid.Int64Range(-1, 9).Draw(t, "step"), rapid.Int64Range(-1, 9).Draw(t, "up")
				for i := range int64(n) {
					next := entry{last[partPos] + step*(i+1) + i%2, last[partKey] + up*(i+1)}
					good := !plain.closed && next[partPos] >= 0 && (len(plain.all) == 0 || next[partPos] > plain.all[len(plain.all)-1][partPos] && next[partKey] >= plain.all[len(plain.all)-1][partKey])
					if err := l.Append(audio.Pos(next[partPos]), next[partKey]); (err == nil) != good {
						t.Fatalf("append %v behind %v: %v", next, last, err)
					}
					if good {
						plain.all = append(plain.all, next)
					}
				}
			},
			"forget": func(t *rapid.T) {
				before := audio.Pos(rapid.Int64Range(0, 1<<14).Draw(t, "before"))
				l.Forget(before)
				plain.gone = max(plain.gone, before)
			},
			"close": func(t *rapid.T) {
				if plain.closed = rapid.IntRange(0, 20).Draw(t, "close") == 0 || plain.closed; plain.closed {
					l.Close()
				}
			},
			"": func(t *rapid.T) {
				p := audio.Pos(rapid.Int64Range(-1, 1<<14).Draw(t, "p"))
				if len(plain.all) > 0 && rapid.Bool().Draw(t, "beside an entry") {
					p = max(0, audio.Pos(rapid.SampledFrom(plain.all).Draw(t, "entry")[partPos]+rapid.Int64Range(-1, 1).Draw(t, "beside")))
				}
				key, err := l.Key(p)
				if want, wantErr := plain.key(p); p >= 0 && !same(key, err, want, wantErr, p < plain.gone) || p < 0 && err == nil {
					t.Fatalf("Key(%d) = %d, %v, want %d, %v", p, key, err, want, wantErr)
				}
				k := key + rapid.Int64Range(-1000, 1000).Draw(t, "k")
				low, err := l.Lower(k)
				if want, wantErr := plain.lower(k); !same(low, err, want, wantErr, want < plain.gone) {
					t.Fatalf("Lower(%d) = %d, %v, want %d, %v", k, low, err, want, wantErr)
				}
			},
		})
	})
}

// TestLedgerRefusesWhatIsNotMonotone: the error names both entries, and
// nothing has changed.
func TestLedgerRefusesWhatIsNotMonotone(t *testing.T) {
	var l Ledger
	mustAppend(t, &l, 480, 71)
	for _, c := range []struct {
		p    audio.Pos
		key  int64
		says []string
	}{
		{480, 72, []string{"key 72 at position 480", "key 71 at position 480"}},
		{479, 72, []string{"key 72 at position 479", "key 71 at position 480"}},
		{960, 70, []string{"key 70 at position 960", "key 71 at position 480"}},
		{-1, 99, []string{"key 99 at position -1"}},
	} {
		err := l.Append(c.p, c.key)
		if err == nil {
			t.Fatalf("key %d at %d was taken", c.key, c.p)
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if _, err := l.Key(481); !errors.Is(err, ErrNotYet) {
			t.Errorf("behind the last entry: %v, want not yet", err)
		}
		if _, err := l.Lower(72); !errors.Is(err, ErrNotYet) {
			t.Errorf("above the last key: %v, want not yet", err)
		}
	}
	mustAppend(t, &l, 481, 71) // a key may come again
	l.Close()
	if l.Append(math.MaxInt64, math.MaxInt64) == nil {
		t.Error("a closed ledger took an entry")
	}
}

// What is forgotten is said to be, and the rest stays.
func TestLedgerSaysWhatItForgot(t *testing.T) {
	var l Ledger
	const last = 3*pageEntries - 1
	for i := range int64(last + 1) {
		mustAppend(t, &l, audio.Pos(10*i), i)
	}
	l.Forget(math.MaxInt64)
	_, keyErr := l.Key(0)
	_, lowerErr := l.Lower(0)
	for what, err := range map[string]error{"position": keyErr, "key": lowerErr, "key, waited for": l.AwaitKey(t.Context(), 0)} {
		if err == nil || !strings.Contains(err.Error(), "forgotten") {
			t.Errorf("a forgotten %s: %v", what, err)
		}
	}
	if key, err := l.Key(10 * last); err != nil || key != last {
		t.Errorf("the last key is %d, %v", key, err)
	}
}

// What Forget promises to keep is exact, also where a page begins.
func TestForgetKeepsAllThatIsNotBefore(t *testing.T) {
	const n, begins = 3 * pageEntries, 2 * pageEntries // the last page, from that entry on
	for before := audio.Pos(10*begins - 21); before <= 10*begins+21; before++ {
		var l Ledger
		for i := range int64(n) {
			mustAppend(t, &l, audio.Pos(10*i), i/2)
		}
		l.Forget(before)
		for p := before; p < before+100; p++ {
			if key, err := l.Key(p); err != nil || key != int64(p)/20 {
				t.Fatalf("before %d is forgotten: Key(%d) = %d, %v, want %d", before, p, key, err, p/20)
			}
		}
		for key := int64(before+19) / 20; key < n/2; key++ {
			if p, err := l.Lower(key); err != nil || p != audio.Pos(20*key) {
				t.Fatalf("before %d is forgotten: Lower(%d) = %d, %v, want %d", before, key, p, err, 20*key)
			}
		}
	}
}

// Each round races those who wait with the entry that one of them waits for,
// and nothing follows that could wake him too. Then comes the end.
func TestNoKeyThatIsAwaitedIsMissed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for round := range 2000 {
		var l Ledger
		var come [4]chan error
		for key := range come {
			come[key] = make(chan error, 1)
			go func() { come[key] <- l.AwaitKey(ctx, int64(key)) }()
		}
		for key, c := range come {
			want := error(nil)
			if key == len(come)-1 {
				want = io.EOF
				l.Close()
			} else {
				mustAppend(t, &l, audio.Pos(key), int64(key))
			}
			if err := <-c; err != want {
				t.Fatalf("round %d: who waited for key %d: %v, want %v", round, key, err, want)
			}
		}
	}
}

// Readers ask while entries are appended and forgotten. Each answer can be
// checked alone, since the entries follow a rule.
func TestReadersOfALedgerSeeWholeEntries(t *testing.T) {
	const n, kept = 60 * pageEntries, 3 * pageEntries
	at := func(i int64) (audio.Pos, int64) { return audio.Pos(i*i/8 + i), i * 3 }
	var l Ledger
	var appended atomic.Int64
	var wait sync.WaitGroup
	for r := range int64(3) {
		wait.Go(func() {
			answers := 0
			for x := r; appended.Load() < n; x++ {
				if err := l.AwaitKey(t.Context(), 3*min(n-1, appended.Load()+x%3)); err != nil && !strings.Contains(err.Error(), "forgotten") {
					t.Error(err)
				}
				head := appended.Load()
				i := max(0, head-1-(x*2654435761)%kept)
				p, key := at(i)
				got, err := l.Key(p)
				if err == nil && got != key || err != nil && (i < head && errors.Is(err, ErrNotYet) || i > appended.Load()-kept+2000) {
					t.Errorf("Key(%d) of entry %d of %d = %d, %v, want %d", p, i, head, got, err, key)
				}
				low, lowErr := l.Lower(key - 1)
				if lowErr == nil && low != p || lowErr != nil && i < head && errors.Is(lowErr, ErrNotYet) {
					t.Errorf("Lower(%d) of entry %d of %d = %d, %v, want %d", key-1, i, head, low, lowErr, p)
				}
				if err == nil && lowErr == nil {
					answers++
				}
				if t.Failed() {
					return
				}
			}
			if answers == 0 {
				t.Error("a reader had no answer at all")
			}
		})
	}
	for i := range int64(n) {
		p, key := at(i)
		mustAppend(t, &l, p, key)
		appended.Store(i + 1)
		if i%500 == 0 {
			before, _ := at(max(0, i-kept))
			l.Forget(before)
			runtime.Gosched()
		}
	}
	wait.Wait()
}

// Exactly those wake whose key has come, and at the end all.
func TestLedgerWakesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Ledger
		ctx, cancel := context.WithCancel(t.Context())
		come := make([]chan error, 10)
		for i := range come {
			come[i] = make(chan error, 1)
			go func() {
				if i == 9 {
					come[i] <- l.AwaitKey(ctx, 90)
					return
				}
				come[i] <- l.AwaitKey(t.Context(), int64(10*i-40))
			}()
		}
		for n, key := range []int64{-45, -40, -35, 0, 1, 9, 10} {
			synctest.Wait()
			mustAppend(t, &l, audio.Pos(n), key)
			synctest.Wait()
			for i := range come[:9] {
				if due := int64(10*i-40) <= key; due != (len(come[i]) == 1) {
					t.Errorf("key %d has come: who waits for %d woke: %v", key, 10*i-40, !due)
				}
			}
		}
		cancel()
		if err := <-come[9]; err != context.Canceled {
			t.Errorf("who was cancelled: %v", err)
		}
		l.Close()
		for i, c := range come[:9] {
			want := error(nil)
			if 10*i-40 > 10 {
				want = io.EOF
			}
			if err := <-c; err != want {
				t.Errorf("who waited for %d: %v, want %v", 10*i-40, err, want)
			}
		}
	})
}
