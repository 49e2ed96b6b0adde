package portaudio

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/clock"
)

// What a child may write to its stderr in a second. A healthy one writes less
// than 16 KiB in its life; a driver that spins writes 40 MB/s.
const (
	talkBytes = 64 << 10
	talkLines = 20  // that are passed on
	lineBytes = 500 // that are kept of a line
	lastLines = 5
)

// talk reads the messages of a child within a budget.
type talk struct {
	pipe  *os.File
	clock clock.Clock // by which a second is counted
	log   func(string)
	lines int    // in a second: more is a flood
	flood func() // called once, at the first flood

	flooded atomic.Bool
	mu      sync.Mutex
	last    []string // the last lines
}

// run reads until the pipe ends. After a flood it stops reading: the child
// then blocks in its write, which costs nothing, until it is gone.
func (t *talk) run() {
	buf := make([]byte, 4096)
	var line []byte
	var lines, passed, taken int
	var begun int64 // of this second, on Monotonic
	for {
		n, err := t.pipe.Read(buf)
		if now := t.clock.Monotonic(); now-begun >= int64(time.Second) {
			begun, lines, passed, taken = now, 0, 0, 0
		}
		taken += n
		for rest := buf[:n]; len(rest) > 0; {
			part, after, ended := bytes.Cut(rest, []byte{'\n'})
			line = append(line, part[:min(len(part), lineBytes-len(line))]...)
			rest = after
			if ended {
				lines++
				t.say(line, &passed)
				line = line[:0]
			}
		}
		if lines > t.lines || taken > talkBytes {
			t.flooded.Store(true)
			t.flood()
			return
		}
		if err != nil {
			t.say(line, &passed)
			return
		}
	}
}

// say keeps a line, and passes it on while the budget lasts.
func (t *talk) say(line []byte, passed *int) {
	s := printable(string(line))
	if s == "" {
		return
	}
	t.mu.Lock()
	t.last = append(t.last, s)
	if len(t.last) > lastLines {
		t.last = append(t.last[:0], t.last[1:]...)
	}
	t.mu.Unlock()
	if *passed++; *passed <= talkLines {
		t.log(s)
	}
}

// words are the last lines of the child as the end of a message, or "" if it
// said nothing.
func (t *talk) words() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) == 0 {
		return ""
	}
	return " Its last words: " + strings.Join(t.last, " | ")
}
