package daemon

import (
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source"
)

// State is what a sensor is doing.
type State int32

// The states.
const (
	Starting  State = iota // no frame has come yet
	Recording              // frames come
	Retrying               // the source broke or cannot be opened; it is tried again
	Ended                  // the source is over
	Off                    // it is on demand, and nobody reads
)

// String is the state in the words of the status page and the log.
func (s State) String() string {
	return [...]string{"starting", "recording", "retrying", "ended", "off"}[s]
}

// A stream is one sensor at work: its ring, and what the pump says of it to
// those who look. The atomics are written by the pump and read by anybody.
type stream struct {
	Sensor
	ring   *buffer.Ring
	dates  *dater
	labels *clock.Labels    // by which its frames have a UTC
	own    bool             // it runs in its own time, see Daemon.inOwnTime
	gate   *gate            // nil unless the source is unpaced
	needs  func() audio.Pos // the position before which nobody asks the ledger

	state    atomic.Int32
	since    atomic.Int64 // CLOCK_MONOTONIC ns of the last change of state
	beats    atomic.Int64 // packets and attempts: what the supervisor watches
	frames   atomic.Int64 // frames captured
	opening  atomic.Bool  // inside Open
	heard    atomic.Bool  // a frame has come since the daemon started
	fault    atomic.Pointer[string]
	restarts [16]atomic.Int64 // by index in source.Reasons
	holes    [16]atomic.Int64 // by cause
	lost     [16]atomic.Int64 // frames, by cause
}

func newStream(s Sensor, readers int, k *timekeeper, labels *clock.Labels) (*stream, error) {
	block := pacedBlock
	if s.Unpaced {
		block = unpacedBlock
	}
	c := buffer.Config{
		FrameBytes: s.Format.FrameBytes(), Frames: s.Window, MaxReaders: readers + listeners, MaxPins: 1, // drains copy; a listener borrows one block and else gets copies
		BlockFrames: 1 << bits.Len(uint((block-1)/s.Format.FrameBytes())),
	}
	ring, err := buffer.New(c)
	if err != nil {
		return nil, fmt.Errorf("make the ring of %s: %w", s.ID, err)
	}
	if s.Timing.Stated {
		labels = new(clock.Labels)
	}
	dates, err := newDater(s, k, labels)
	if err != nil {
		return nil, fmt.Errorf("make the ledger of %s: %w", s.ID, err)
	}
	return &stream{Sensor: s, ring: ring, dates: dates, labels: labels}, nil
}

// The bytes of a block at least. In real time writes are few, and what counts is
// the memory of the spare blocks; an unpaced source is asked for a block at once.
const (
	pacedBlock   = 2 << 10
	unpacedBlock = 128 << 10
)

// listeners is how many readers a ring has room for beside the configured ones,
// see Daemon.Listen.
const listeners = 4

func (s *stream) State() State { return State(s.state.Load()) }

// session is the mark of the session in which p lies.
func (s *stream) session(p audio.Pos) clock.Mark {
	m, _ := s.dates.ledger.MarkAt(p)
	return m
}

// label is the one by which UTC is known now; zero if there is none.
func (s *stream) label() clock.Label {
	a, _ := s.labels.At(math.MaxInt64)
	return a
}

// utc is when the frame at p was captured, as well as it is known now, and how
// wrong that may be; zero if nothing came yet that could tell.
func (s *stream) utc(p audio.Pos) (at time.Time, within time.Duration) {
	label, ok := s.labels.At(math.MaxInt64)
	if !ok {
		return time.Time{}, 0
	}
	if i, err := s.dates.ledger.UTC(label).At(p); err == nil {
		return time.Unix(0, i.UTC).UTC(), time.Duration(i.Err)
	}
	m := s.dates.origin.Load() + nominalTime(int64(p), int64(s.Format.Rate))
	within = time.Duration(label.Err) + s.Timing.LatencyErr
	if s.Timing.Source != Given {
		within += firstErr
	}
	return time.Unix(0, label.UTC+m-label.M).UTC(), within
}

// firstErr is how wrong the time of a stream's first frame may be before a
// second of it is known.
const firstErr = 50 * time.Millisecond

// restarted counts a restart.
func (s *stream) restarted(why source.Reason) {
	for i, r := range source.Reasons() {
		if r == why {
			s.restarts[i].Add(1)
		}
	}
}
