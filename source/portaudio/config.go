// Package portaudio captures microphones with PortAudio.
//
// PortAudio aborts, hangs and spins in ways that no Go code can recover from,
// so it runs in a child process: this executable, started again, one for each
// microphone. The child sends records of frames with their capture times over
// a pipe; killing it is the recovery from whatever goes wrong in there. A
// program that uses this package calls Child before it does anything else.
//
// Nothing here needs cgo but what the child does with PortAudio. Where the
// program was built without it, Open and List say so.
package portaudio

import (
	"os"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// Config says what to capture.
type Config struct {
	Device  string        // which input: the texts that CheckSelector takes
	Format  audio.Format  // nothing is resampled; another encoding than the device's is converted by PortAudio
	Latency time.Duration // asked of the device; longer is safer; 0 means 200 ms

	Sensor string      // for the title of the capture process
	Clock  clock.Clock // nil: the system's
	Turn   *Turn       // shared by all that capture or list; nil: none do at the same time
	Sysfs  string      // where /sys, /proc and /dev are found; empty: /
	Dir    string      // for the generated ALSA configuration; empty: the folder for temporary files

	// Log is given what the capture process writes to its stderr, one line at a
	// time, at most 20 a second, without control characters. It is called from
	// another goroutine, until Close has returned; nil drops the lines.
	Log func(line string)
	// Env reads the environment, of which the capture process gets the few
	// variables that sound needs; nil: os.Getenv.
	Env func(string) string

	extra  []string // more of the child's environment, for tests
	limits limits   // zero: the usual ones
}

// limits say how long a child may take.
type limits struct {
	initialize, open, start time.Duration // each from the step before
	first                   time.Duration // from the start to the first frame
	stall                   time.Duration // from frame to frame
	hang                    time.Duration // from record to record
	fast                    time.Duration // over which a rate is judged
	polite                  time.Duration // from the closed control pipe to SIGKILL
	last                    time.Duration // from SIGKILL to the end
	list                    time.Duration // of a listing
	lines                   int           // on stderr in a second: more is a flood
}

func usual() limits {
	return limits{
		initialize: 10 * time.Second, open: 5 * time.Second, start: 5 * time.Second,
		first: 5 * time.Second, stall: 2 * time.Second, hang: 3 * time.Second, fast: 2 * time.Second,
		polite: 500 * time.Millisecond, last: 2 * time.Second, list: 10 * time.Second, lines: 1000,
	}
}

// slowest is how long an Open may take once it has its turn: each step of the
// start as long as it may, and then a process that does not end.
func (l limits) slowest() time.Duration {
	return l.initialize + l.open + l.start +
		l.polite + // until it is seen how it ended
		2*(l.polite+l.last) + // killed with the turn, and waited for once more without
		time.Second // to find the device, to start the process, and the last looks
}

// SlowestOpen is how long Open may take, beside waiting for its Turn, in which
// those before it may take as long each.
func SlowestOpen() time.Duration { return usual().slowest() }

// defaults fills in what was left open, and checks the rest.
func (c *Config) defaults() (selector, error) {
	if c.Latency == 0 {
		c.Latency = 200 * time.Millisecond
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Turn == nil {
		c.Turn = NewTurn()
	}
	if c.Env == nil {
		c.Env = os.Getenv
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	if c.limits == (limits{}) {
		c.limits = usual()
		// Host periods are a quarter of the latency, and ten of them may pass.
		c.limits.stall = max(c.limits.stall, 10*c.Latency/4)
	}
	if err := c.Format.Check(); err != nil {
		return selector{}, source.Faultf(source.Failed, "%w", err)
	}
	if c.Latency < 0 || c.Latency > maxLatency {
		return selector{}, source.Faultf(source.Failed, "latency %v is out of range 0 to %v", c.Latency, maxLatency)
	}
	sel, err := parseSelector(c.Device)
	if err != nil {
		return selector{}, source.Faultf(source.Failed, "%w", err)
	}
	return sel, nil
}

const maxLatency = 10 * time.Second

func newSystem(root string) system {
	if root == "" {
		root = "/"
	}
	return system{root: root, access: readable}
}
