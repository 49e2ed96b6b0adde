package portaudio

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// Child turns this process into a capture process if it was started as one,
// and then does not return unless exit does. Otherwise it returns false. It is
// called first of all, with os.Args and os.Exit: a capture process reads no
// file, no flag and no configuration. Tests that capture call it in TestMain.
func Child(args []string, exit func(int)) bool {
	what := os.Getenv(childVariable)
	if len(args) == 0 || what == "" || !strings.HasPrefix(args[0], titlePrefix+what) {
		return false
	}
	life, ok := map[string]func(func(int)) int{captureChild: captureMain, devicesChild: devicesMain}[what]
	if !ok {
		return false
	}
	conceal()
	dieOfAbort()
	exit(life(exit))
	return true
}

// exitFailed is the exit status of a child that has said why.
const exitFailed = 3

// captureMain is the life of a capture process. It returns its exit status.
func captureMain(exit func(int)) int {
	// The sound of years passes through without being allocated.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)
	out := &outlet{pipe: os.NewFile(3, "data"), clock: clock.System{}}
	orders := make(chan order, 1)
	go obey(os.Stdin, orders, exit)
	if err := out.notice(hello, notice{Version: protocol, Build: thisBuild(), PID: os.Getpid(), PortAudio: versionText()}); err != nil {
		return 1
	}
	o := <-orders
	enc, err := audio.ParseEncoding(o.Encoding)
	f := audio.Format{Rate: o.Rate, Channels: o.Channels, Encoding: enc}
	if err == nil {
		err = f.Check()
	}
	if err != nil || o.Version != protocol {
		_ = out.notice(failure, notice{Class: other, Text: "the order makes no sense"}) // the exit status tells as well
		return exitFailed
	}
	r := newRing(ringBytes(f))
	c := &capture{order: o, format: f, out: out, feed: &feed{ring: r, frame: f.FrameBytes(), rate: int64(f.Rate)}}
	if bad := c.start(); bad != nil {
		_ = out.notice(failure, *bad) // the exit status tells as well
		return exitFailed
	}
	out.run(r)
	return 1
}

// capture is what start needs, and keeps, to run a stream.
type capture struct {
	order  order
	format audio.Format
	out    *outlet
	feed   *feed
}

// obey reads the order and exits when the control pipe ends. Exiting works
// while a thread of the driver spins or hangs.
func obey(control io.Reader, orders chan<- order, exit func(int)) {
	r := bufio.NewReader(io.LimitReader(control, 64<<10))
	line, err := r.ReadBytes('\n')
	var o order
	if err == nil && json.Unmarshal(line, &o) == nil {
		orders <- o
		_, _ = io.Copy(io.Discard, control) // any end is the end
	}
	exit(0)
}

// ringBytes holds five seconds of sound, and the heads of its records.
func ringBytes(f audio.Format) int {
	return min(max(5*f.Rate*f.FrameBytes(), 128<<10)+64<<10, 32<<20)
}

// outlet writes records to the data pipe. It belongs to one goroutine.
type outlet struct {
	pipe  io.Writer
	clock clock.Clock
}

// Beats come this often while the device is silent.
const beatEvery = 500 * time.Millisecond

func (o *outlet) notice(k kind, n notice) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	b := make([]byte, headBytes, headBytes+len(text))
	record{kind: k, payload: len(text), mono: o.clock.Monotonic(), age: -1}.put(b)
	_, err = o.pipe.Write(append(b, text...))
	return err
}

// run writes what comes into the ring, until the pipe breaks.
func (o *outlet) run(r *ring) {
	idle := time.NewTimer(beatEvery)
	var head [headBytes]byte
	for {
		for b := r.peek(256 << 10); len(b) > 0; b = r.peek(256 << 10) {
			n, err := o.pipe.Write(b)
			r.take(n)
			if err != nil {
				return
			}
			idle.Reset(beatEvery)
		}
		// Here the ring was empty, so the last record is out as a whole.
		select {
		case <-r.wake:
		case <-idle.C:
			record{kind: beat, mono: o.clock.Monotonic(), age: -1}.put(head[:])
			if _, err := o.pipe.Write(head[:]); err != nil {
				return
			}
			idle.Reset(beatEvery)
		}
	}
}
