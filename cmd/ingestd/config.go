package main

import (
	"slices"
	"time"

	"github.com/ingestd/ingestd/audio"
)

// config is the whole configuration, with every value in force. The tags of
// its fields say how it is written:
//
//	toml    the key
//	for     the sources or drivers that take it; all if there is none
//	kind    the kinds of tone that take it
//	oneof   the words that it may be
//	unit    what a number counts
//
// Only this package knows it; the rest is told plain values.
type config struct {
	Station  string                 `toml:"station"`
	Log      logConfig              `toml:"log"`
	HTTP     httpConfig             `toml:"http"`
	Session  sessionConfig          `toml:"session"`
	Defaults defaultsConfig         `toml:"defaults"`
	Sensors  []*sensorConfig        `toml:"sensor"`
	Readers  []*readerConfig        `toml:"reader"`
	Sinks    map[string]*sinkConfig `toml:"sink"`

	// warnings are oddities that are no faults, each with its place, to be
	// shown once.
	warnings []string
	places   map[string]place // path of a value: where it was written
}

type logConfig struct {
	Level  string `toml:"level" oneof:"debug info warn error"`
	Format string `toml:"format" oneof:"auto text json"`
}

type httpConfig struct {
	Listen string `toml:"listen"` // host:port; empty: no HTTP
}

type sessionConfig struct {
	Rotate rotation `toml:"rotate"`
}

type defaultsConfig struct {
	Sensor sensorDefaults `toml:"sensor"`
}

// sensorDefaults are the keys of a sensor that [defaults.sensor] takes too.
type sensorDefaults struct {
	Rate     int            `toml:"rate" for:"portaudio pipe tone" unit:"Hz"`
	Channels int            `toml:"channels" for:"portaudio pipe tone" unit:"channels"`
	Encoding audio.Encoding `toml:"encoding" for:"portaudio pipe tone" oneof:"s16 s24 s32 f32"`
	Ring     duration       `toml:"ring"`
	Latency  duration       `toml:"latency" for:"portaudio"`
}

// sensorConfig is one [[sensor]].
type sensorConfig struct {
	ID      string `toml:"id"`
	Source  string `toml:"source" oneof:"portaudio wav pipe tone"`
	Enabled bool   `toml:"enabled"`

	Start startTime `toml:"start"` // of a WAV also when it was recorded

	Device string `toml:"device" for:"portaudio"`

	Files []file `toml:"files" for:"wav"` // files, folders, globs
	Speed speed  `toml:"speed" for:"wav"`
	Loop  bool   `toml:"loop" for:"wav"`

	Path file `toml:"path" for:"pipe"` // a FIFO, a device or a file, or standardInput

	Kind      string   `toml:"kind" for:"tone" oneof:"sine sweep ramp"`
	Hz        number   `toml:"hz" for:"tone" kind:"sine sweep"`
	HzTo      number   `toml:"hz_to" for:"tone" kind:"sweep"`          // 0: half the rate
	Period    duration `toml:"period" for:"tone" kind:"sweep"`         // of a sweep
	Amplitude number   `toml:"amplitude" for:"tone" kind:"sine sweep"` // peak, above 0 to 1
	Duration  duration `toml:"duration" for:"tone"`                    // 0: without end

	sensorDefaults // of a WAV, rate, channels and encoding are zero: the file says them

	Location location          `toml:"location"`
	Labels   map[string]string `toml:"labels"`

	title string // in paths and messages, also if the id is wrong
}

// standardInput as the path of a pipe.
const standardInput = "-"

// format is that of the sensor's sound. It is false for a WAV: open the file.
func (s *sensorConfig) format() (audio.Format, bool) {
	f := audio.Format{Rate: s.Rate, Channels: s.Channels, Encoding: s.Encoding}
	return f, s.Source != sourceWAV && f.Check() == nil
}

// window is how many frames of f the sensor's ring keeps.
func (s *sensorConfig) window(f audio.Format) int64 { return f.Frames(s.Ring.Duration) }

// waits says whether the sensor is as fast as its sinks, and loses nothing in
// its ring.
func (s *sensorConfig) waits() bool { return s.Source == sourceWAV && s.Speed.Times == 0 }

// The sources, as configured.
const (
	sourcePortAudio = "portaudio"
	sourceWAV       = "wav"
	sourcePipe      = "pipe"
	sourceTone      = "tone"
)

// readerConfig is one [[reader]].
type readerConfig struct {
	Name    string      `toml:"name"`
	Sensors []string    `toml:"sensors"`
	Key     string      `toml:"key" oneof:"bytes frames ms"`
	Chunk   chunkLength `toml:"chunk"`
	Sink    string      `toml:"sink"`

	title string // in paths and messages, also if the name is wrong
}

// The keys of readers.
const (
	keyBytes  = "bytes"
	keyFrames = "frames"
	keyMS     = "ms"
)

// sinkConfig is one [sink.NAME]. It holds the keys of all drivers.
type sinkConfig struct {
	Driver string     `toml:"driver" oneof:"files mem"`
	Root   file       `toml:"root" for:"files"`
	Layout string     `toml:"layout"`
	Codec  string     `toml:"codec" oneof:"wav pcm"`
	Sync   syncPolicy `toml:"sync" for:"files"`
}

// The drivers of sinks, and the codecs.
const (
	driverFiles = "files"
	driverMem   = "mem"
	codecWAV    = "wav"
	codecPCM    = "pcm"
)

// layoutOf is the layout of a sink that names none.
func layoutOf(codec string) string { return "{session}/data/{sensor}/data/{block}." + codec }

// builtInConfig is the configuration when nobody says anything.
func builtInConfig() *config {
	return &config{
		Log:     logConfig{Level: "info", Format: "auto"},
		HTTP:    httpConfig{Listen: "127.0.0.1:8080"},
		Session: sessionConfig{rotation{longestRotation}},
		Defaults: defaultsConfig{Sensor: sensorDefaults{
			Rate: 48000, Channels: 1, Encoding: audio.S16,
			Ring: duration{20 * time.Second}, Latency: duration{200 * time.Millisecond},
		}},
		Sinks:  map[string]*sinkConfig{},
		places: map[string]place{},
	}
}

// builtInSensor is a sensor of which only [defaults.sensor] is known.
func builtInSensor(d sensorDefaults) *sensorConfig {
	return &sensorConfig{
		Enabled: true, Speed: speed{1},
		Kind: "sine", Hz: number{440}, Period: duration{10 * time.Second}, Amplitude: number{0.5},
		sensorDefaults: d,
	}
}

func builtInReader() *readerConfig {
	return &readerConfig{Sensors: []string{everySensor}, Key: keyBytes, Chunk: chunkLength{time: 10 * time.Second}}
}

func builtInSink() *sinkConfig {
	return &sinkConfig{Layout: layoutOf(codecWAV), Codec: codecWAV, Sync: syncPolicy{Every: time.Second}}
}

// everySensor among the sensors of a reader stands for all of them.
const everySensor = "*"

// enabled are the sensors that are to be heard.
func (c *config) enabled() []*sensorConfig {
	var on []*sensorConfig
	for _, s := range c.Sensors {
		if s.Enabled {
			on = append(on, s)
		}
	}
	return on
}

// served are the enabled sensors that r is forked for.
func (c *config) served(r *readerConfig) []*sensorConfig {
	var all []*sensorConfig
	for _, s := range c.enabled() {
		for _, name := range r.Sensors {
			if name == everySensor || name == s.ID {
				all = append(all, s)
				break
			}
		}
	}
	return all
}

// storedBy is the first reader that stores s, or nil.
func (c *config) storedBy(s *sensorConfig) *readerConfig {
	for _, r := range c.Readers {
		if slices.Contains(c.served(r), s) {
			return r
		}
	}
	return nil
}

// onDemand says whether the source of s runs only while somebody listens: a
// reader that stores it reads always.
func (c *config) onDemand(s *sensorConfig) bool { return s.Start.OnDemand && c.storedBy(s) == nil }

// sensor is the one of that id, or nil.
func (c *config) sensor(id string) *sensorConfig {
	for _, s := range c.Sensors {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// ids are those of all sensors.
func (c *config) ids() []string {
	var ids []string
	for _, s := range c.Sensors {
		ids = append(ids, s.ID)
	}
	return ids
}

// at is where the value at path was written, such as "sensor.mic0.rate",
// "sink.disk.root" or "http.listen".
func (c *config) at(path string) place { return c.places[path] }
