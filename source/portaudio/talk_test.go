package portaudio

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ingestd/ingestd/clock/clocktest"
)

// TestAFloodIsCountedByTheClock that the source was given: as many lines as may
// come in a second, second after second, are none; one line more in a second
// is, however long it was in truth.
func TestAFloodIsCountedByTheClock(t *testing.T) {
	const most = 5
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if err := read.SetReadDeadline(deadline(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := clocktest.New(time.Unix(1795287841, 0))
	heard, floods := make(chan string, most+1), make(chan struct{}, 1)
	k := &talk{pipe: read, clock: c, lines: most, log: func(line string) { heard <- line }, flood: func() { floods <- struct{}{} }}
	var talking sync.WaitGroup
	talking.Go(func() {
		defer close(heard)
		k.run()
	})
	say := func(i int) {
		want := fmt.Sprint("line ", i)
		if _, err := fmt.Fprintln(write, want); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; got != want { // "" once nobody reads
			t.Fatalf("heard %q, want %q", got, want)
		}
	}
	for second := range 3 {
		for i := range most {
			say(most*second + i)
		}
		if second < 2 {
			c.Advance(time.Second)
		}
	}
	if k.flooded.Load() {
		t.Error("a flood, although none of its seconds had too much")
	}
	c.Advance(time.Second - 1)
	say(3 * most)
	talking.Wait()
	if !k.flooded.Load() || len(floods) != 1 {
		t.Errorf("flooded: %v, told %d times, want once", k.flooded.Load(), len(floods))
	}
}
