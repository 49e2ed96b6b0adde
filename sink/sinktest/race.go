package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

const racers = 16

// race runs act in many goroutines that begin as one, and returns how many
// had no error. Each other error must be ErrExists.
func race(t *testing.T, act func(racer int) error) (won int) {
	var wins atomic.Int32
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wait.Go(func() {
			<-start
			switch err := act(i); {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, sink.ErrExists):
				t.Error(err)
			}
		})
	}
	close(start)
	wait.Wait()
	return int(wins.Load())
}

// body is what a racer writes: long enough to be seen torn.
func body(racer int) string { return strings.Repeat(string(rune('a'+racer)), 100_000) }

func onePutWins(t *testing.T, b sink.Bucket) {
	for round := range 8 {
		name := fmt.Sprintf("new%d/folder/name", round)
		won := race(t, func(i int) error {
			_, err := b.Put(t.Context(), name, []byte(body(i)), sink.PutOptions{})
			return err
		})
		got := get(t, b, name, 0, -1)
		if won != 1 || got == "" || got != body(int(got[0]-'a')) {
			t.Errorf("%d of %d puts of one name won, it has %d bytes", won, racers, len(got))
		}
	}
}

func many(t *testing.T, b sink.Bucket) {
	var wait sync.WaitGroup
	for i := range racers {
		wait.Go(func() {
			for n := range 10 {
				name := fmt.Sprintf("s%d/%d", i%4, i*10+n)
				_, err := b.Put(t.Context(), name, []byte(name), sink.PutOptions{})
				if err == nil {
					_, err = b.Stat(t.Context(), name)
				}
				if err == nil && n%2 == 1 {
					err = b.Delete(t.Context(), name)
				}
				for _, e := range b.List(t.Context(), fmt.Sprintf("s%d/", i%4), "") {
					err = errors.Join(err, e)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := list(t, b, "", ""); len(got) != racers*5 || !slices.IsSorted(got) {
		t.Errorf("%d names are left, want %d", len(got), racers*5)
	}
}
