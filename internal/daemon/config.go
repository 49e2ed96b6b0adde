// Package daemon wires sources, rings, readers and sinks together and keeps
// them going. Every goroutine that touches sound starts here and is waited for
// here.
//
//	Source ── pump ──▶ Ring ──▶ drain ── Recorder ──▶ Bucket
//	          one a sensor      one a sensor and reader
//
// The pump is the single writer of its ring and waits for nobody but its
// source. A drain walks the ring at its own pace. The left end stops first:
// when a pump is done it closes its ring, each drain takes what is left, and
// then its end is there.
package daemon

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/source"
)

// Config is all that a Daemon is told.
type Config struct {
	Sensors []Sensor
	Readers []Reader
	Sinks   []Sink

	// Start is when the first session begins, for replays that state it. Zero:
	// now.
	Start time.Time
	// Rotate is how long a session lasts, aligned to UTC; 0: it never ends. It
	// divides a day.
	Rotate time.Duration
	// Sessions names the session; nil: it is named by the clock and what the
	// stores hold. A Start that is stated is believed, and not looked up.
	Sessions *Registry
	// UntilEnded makes Run return when every source is over, which one that is
	// off is not. Otherwise it runs until it is told to stop.
	UntilEnded bool
	// Strict makes the first error of a sink end the run: what is replayed can
	// be replayed again.
	Strict bool
	// Grace is how long stopping may take before what is open is left as it
	// is. Zero: 25 s.
	Grace time.Duration

	HTTP     net.Listener // nil: no HTTP
	Log      *zap.Logger  // it must not wait: see LogQueue
	Registry *prometheus.Registry
	Clock    clock.Clock
	Notify   func(state string) error // to the service manager, from any goroutine at once; nil: there is none
	Watchdog time.Duration            // how often Notify wants WATCHDOG=1; 0: never
	Version  Version
	BootID   string // of the machine's boot, for clock.jsonl; "": not known
}

// Version says what was built.
type Version struct{ Version, Revision, Go string }

// Sensor is a named origin of sound.
type Sensor struct {
	ID     string
	Format audio.Format
	Window int64 // frames that the ring keeps
	Limit  int64 // frames after which the sensor ends; 0: never

	// Open makes the source ready. It is called again whenever the source
	// broke. admit is nil unless the sensor is unpaced.
	Open func(ctx context.Context, admit source.Admit) (source.Source, error)
	// Slow is how long Open may take by itself. It may wait as long again for
	// every other sensor that has a Slow: they may be opened one at a time.
	Slow time.Duration
	// Unpaced says that the source is as fast as its readers: it passes
	// through a gate, and no reader loses a frame to it that it has not taken.
	// What a sink takes and then fails to keep may be lost.
	Unpaced bool
	// OnDemand says that the source is open only while the ring has a reader,
	// one that stores or one that listens, see Daemon.Listen. The last of them
	// closes it, and the next opens it anew: a device goes on, what is replayed
	// begins again. The time between is a hole. An unpaced source is never on
	// demand.
	OnDemand bool
	// Once says that a source which broke cannot be opened again where it
	// broke: the sensor ends there.
	Once bool

	// Timing says where the times of its frames come from.
	Timing Timing

	Tags wav.Tags       // written into every chunk
	Info map[string]any // written into info.json
}

// Reader is forked for each sensor that it names.
type Reader struct {
	Name    string
	Sensors []string
	Sink    string // name of a Sink
	Key     string // what Keys count, as info.json says it

	// Keys makes the key_trans of one sensor's reader, for a session that
	// begins at mark.
	Keys func(f audio.Format, mark audio.Pos) reader.KeyTrans
	// Chunk is the length of a chunk in frames of f.
	Chunk func(f audio.Format) int64
}

// Sink is where readers persist.
type Sink struct {
	Name  string
	Store *sink.Store
	Sync  time.Duration // how often what was written is made durable; 0: when a chunk is whole
	Never bool          // nothing is made durable, and nothing is claimed
	// Space tells the free and the whole size of the bucket's volume in bytes.
	// It may be nil.
	Space func() (free, size int64, err error)

	commits prometheus.Observer
	clock   clock.Clock
}

// inOwnTime says whether the run has a time of its own, that of the sound it
// replays: it begins when that is stated to, a day of it is over when a day of
// sound was played, however fast, and nothing of the machine's time is stored.
func (c *Config) inOwnTime() bool { return !c.Start.IsZero() }

// Check returns an error that names the first part of c that cannot work. It
// is for mistakes of the caller: users are told by the configuration.
func (c *Config) Check() error {
	sinks := map[string]bool{}
	for _, s := range c.Sinks {
		if s.Name == "" || s.Store == nil || sinks[s.Name] {
			return fmt.Errorf("sink %q: no store, or named twice", s.Name)
		}
		sinks[s.Name] = true
	}
	sensors := map[string]audio.Format{}
	for _, s := range c.Sensors {
		if err := audio.CheckSensor(s.ID); err != nil {
			return err
		}
		if err := s.Format.Check(); err != nil {
			return fmt.Errorf("sensor %s: %w", s.ID, err)
		}
		if _, twice := sensors[s.ID]; twice || s.Open == nil || s.Window <= 0 {
			return fmt.Errorf("sensor %s: named twice, or no source, or no window", s.ID)
		}
		if s.OnDemand && s.Unpaced {
			return fmt.Errorf("sensor %s: on demand, and as fast as it is read", s.ID)
		}
		if !slices.Contains([]string{FromDevice, FromArrival, Given}, s.Timing.Source) {
			return fmt.Errorf("sensor %s: nothing says where its times come from", s.ID)
		}
		if s.Timing.Source != Given && c.inOwnTime() {
			return fmt.Errorf("sensor %s: its times are measured, and the start of the run is stated", s.ID)
		}
		sensors[s.ID] = s.Format
	}
	for _, r := range c.Readers {
		if r.Name == "" || !sinks[r.Sink] || r.Keys == nil || r.Chunk == nil {
			return fmt.Errorf("reader %q: no name, no sink %q, no keys or no chunk", r.Name, r.Sink)
		}
		for _, id := range r.Sensors {
			f, known := sensors[id]
			if !known {
				return fmt.Errorf("reader %s: no sensor %q", r.Name, id)
			}
			if n := r.Chunk(f); n <= 0 {
				return fmt.Errorf("reader %s: chunk of %d frames of %s", r.Name, n, id)
			}
		}
	}
	return nil
}
