package daemon

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

var mono = audio.Format{Rate: 8000, Channels: 1, Encoding: audio.S32}

// A bench is a daemon with stores in memory, in the time of a synctest bubble.
type bench struct {
	t      *testing.T
	clock  clock.Clock
	config Config
	stores map[string]*sink.Store
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: clock.NewBubble(), stores: map[string]*sink.Store{}}
	b.config = Config{Log: zaptest.NewLogger(t), Registry: prometheus.NewRegistry(), Clock: b.clock}
	return b
}

// sensor adds a sensor whose source is the ramp.
func (b *bench) sensor(id string, f audio.Format, window time.Duration, open func(ctx context.Context, admit source.Admit) (source.Source, error)) *Sensor {
	if open == nil {
		open = b.ramp(f, tone.Config{Speed: 1})
	}
	b.config.Sensors = append(b.config.Sensors, Sensor{ID: id, Format: f, Window: f.Frames(window), Open: open, Timing: Timing{Source: FromArrival}})
	return &b.config.Sensors[len(b.config.Sensors)-1]
}

func (b *bench) ramp(f audio.Format, c tone.Config) func(context.Context, source.Admit) (source.Source, error) {
	c.Format, c.Kind, c.Clock = f, tone.Ramp, b.clock
	return func(ctx context.Context, admit source.Admit) (source.Source, error) {
		c := c
		c.Admit = admit
		return tone.Open(ctx, c)
	}
}

// reader adds a reader of all sensors with a store of its own.
func (b *bench) reader(name string, bucket sink.Bucket, chunk time.Duration, keys func(audio.Format, audio.Pos) reader.KeyTrans) {
	b.readerAs(name, bucket, sink.DefaultLayout, "wav", chunk, keys)
}

// readerAs is reader with a layout and a codec.
func (b *bench) readerAs(name string, bucket sink.Bucket, template, encoded string, chunk time.Duration, keys func(audio.Format, audio.Pos) reader.KeyTrans) {
	b.t.Helper()
	layout, err := sink.ParseLayout(template)
	if err != nil {
		b.t.Fatal(err)
	}
	codec, err := sink.CodecByName(encoded)
	if err != nil {
		b.t.Fatal(err)
	}
	store, err := sink.OpenStore(b.t.Context(), bucket, layout, codec)
	if err != nil {
		b.t.Fatal(err)
	}
	b.stores[name] = store
	b.config.Sinks = append(b.config.Sinks, Sink{Name: name, Store: store, Sync: time.Second})
	r := Reader{Name: name, Sink: name, Keys: keys, Chunk: func(f audio.Format) int64 { return f.Frames(chunk) }}
	for _, s := range b.config.Sensors {
		r.Sensors = append(r.Sensors, s.ID)
	}
	b.config.Readers = append(b.config.Readers, r)
}

func byBytes(f audio.Format, mark audio.Pos) reader.KeyTrans {
	return reader.Bytes(mark, f.FrameBytes())
}

// run runs for as long as it is told, then stops in order.
func (b *bench) run(length time.Duration) (*Daemon, error) {
	b.t.Helper()
	d, err := New(b.t.Context(), b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	stop, cancel := context.WithTimeout(b.t.Context(), length)
	defer cancel()
	return d, d.Run(stop, b.t.Context())
}

// sound is the PCM of a sensor's chunks in a store, in the order of blocks.
func (b *bench) sound(name, sensor string) []byte {
	b.t.Helper()
	var all []byte
	for k, err := range b.stores[name].Keys(b.t.Context(), sink.Filter{Sensor: sensor}) {
		if err != nil {
			b.t.Fatal(err)
		}
		chunk, err := b.stores[name].Get(b.t.Context(), k)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, chunk.Data...)
	}
	return all
}

// index is blocks.jsonl of a sensor in a store that has one session.
func (b *bench) index(name, sensor string) string {
	b.t.Helper()
	all := b.indexes(name, sensor)
	if len(all) > 1 {
		b.t.Fatalf("%d sessions of %s in %s", len(all), sensor, name)
	}
	for _, lines := range all {
		return strings.Join(lines, "")
	}
	return ""
}
