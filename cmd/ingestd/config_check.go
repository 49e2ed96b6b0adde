package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/portaudio"
)

// checker judges what the keys of a config mean together.
type checker struct {
	*report
	c   *config
	now time.Time // zero: not known
}

// checkConfig reports what cannot work in c to r, and what is odd. It opens nothing.
func checkConfig(c *config, r *report, h host) {
	k := checker{r, c, h.now}
	if !k.count() {
		return
	}
	k.station()
	k.listen()
	k.defaults()
	seen := map[string]bool{}
	for _, s := range c.Sensors {
		k.sensor(s, seen)
	}
	k.readers()
	k.sinks()
	k.memory(h.memory)
	if len(c.enabled()) == 0 {
		k.warnf(place{}, "no sensor is enabled: nothing will be recorded.")
	}
}

// check reports what cannot work in a configuration that was made by a
// command, as an error like that of loadConfig.
func (c *config) check() error {
	r := &report{}
	checkConfig(c, r, host{memory: machineMemory()})
	return r.err()
}

// Limits of one configuration. They keep the work of judging it small.
const maxSensors, maxReaders, maxSinks = 1000, 100, 100

// count refuses a configuration that is too large to be judged.
func (k checker) count() bool {
	for _, n := range []struct {
		what        string
		count, most int
	}{{"sensor", len(k.c.Sensors), maxSensors}, {"reader", len(k.c.Readers), maxReaders}, {"sink", len(k.c.Sinks), maxSinks}} {
		if n.count > n.most {
			k.faultf(place{}, "%s are more than ingestd can serve: at most %d.", counted(n.count, n.what), n.most)
			return false
		}
	}
	return true
}

// wrong reports the value at path, once.
func (k checker) wrong(path, format string, args ...any) {
	if k.bad[path] {
		return
	}
	k.mark(path)
	at := k.c.at(path)
	for at == (place{}) && strings.Contains(path, ".") { // a built-in value: its table
		path = path[:strings.LastIndexByte(path, '.')]
		at = k.c.at(path)
	}
	k.faultf(at, format, args...)
}

// missing reports a key that the table at path must have.
func (k checker) missing(path, key, head, hint string) {
	if !k.bad[path+"."+key] {
		k.mark(path + "." + key)
		k.faultf(k.c.at(path), "%s has no %s. %s", head, key, hint)
	}
}

// said tells whether somebody set the value at path.
func (k checker) said(path string) bool {
	_, said := k.c.places[path]
	return said
}

func (k checker) station() {
	if s := k.c.Station; len(s) > 128 {
		k.wrong("station", "station must be at most 128 bytes, not %d.", len(s))
	}
}

// listen allows this machine only: there is neither TLS nor a token yet. The
// address that is bound in the end is judged again where it is bound.
func (k checker) listen() {
	l := k.c.HTTP.Listen
	if l == "off" {
		k.c.HTTP.Listen = ""
		return
	}
	if l == "" {
		return
	}
	open := `http: listen = %s would let the network hear the microphones, and ingestd has no TLS and tokens yet. Listen on 127.0.0.1.`
	host, _, found := strings.Cut(l, ":")
	if host == "localhost" && found {
		l = "127.0.0.1" + strings.TrimPrefix(l, "localhost")
	}
	address, err := netip.ParseAddrPort(l)
	switch {
	case err == nil && address.Addr().Unmap().IsLoopback():
	case err == nil || strings.HasPrefix(l, ":"):
		k.wrong("http.listen", open, quoted(k.c.HTTP.Listen))
	default:
		k.wrong("http.listen", `http: listen = %s is no address of this machine alone with a port. Write "127.0.0.1:8080", or "off" for none.`, quoted(k.c.HTTP.Listen))
	}
}

func (k checker) defaults() {
	d := k.c.Defaults.Sensor
	k.format("defaults.sensor", "", d, func(string) bool { return true })
}

// Limits of what a sensor may be set to.
const (
	minRing, maxRing       = ringPieces * source.DefaultBatch, time.Hour
	minRingUnpaced         = 100 * time.Millisecond
	minLatency, maxLatency = time.Millisecond, 2 * time.Second
	maxRingBytes           = 1 << 36
)

// format judges the keys that sensors and their defaults share.
func (k checker) format(path, name string, d sensorDefaults, mine func(key string) bool) {
	of := func(key string) string { return subject{path + ".", "", name, ""}.value(key) }
	if mine("rate") && (d.Rate < 1 || d.Rate > audio.MaxRate) {
		k.wrong(path+".rate", "%s must be from 1 to %d Hz, not %d.", of("rate"), audio.MaxRate, d.Rate)
	}
	if mine("channels") && (d.Channels < 1 || d.Channels > audio.MaxChannels) {
		k.wrong(path+".channels", "%s must be from 1 to %d, not %d.", of("channels"), audio.MaxChannels, d.Channels)
	}
	if mine("ring") {
		k.ring(path, of("ring"), d.Ring, minRing)
	}
	if mine("latency") && (d.Latency.Duration < minLatency || d.Latency.Duration > maxLatency) {
		k.wrong(path+".latency", `%s must be from "1ms" to "2s", not %v.`, of("latency"), d.Latency)
	}
}

// ringPieces is how many of the pieces in which sound comes a ring must hold: a
// reader takes one while the next is written, and may be late.
const ringPieces = 4

// ring judges the length of a ring.
func (k checker) ring(path, of string, ring duration, least time.Duration) {
	if ring.Duration >= least && ring.Duration <= maxRing {
		return
	}
	why := ""
	if ring.Duration < least && least == minRing {
		why = fmt.Sprintf(" Sound comes in pieces of %v, and the ring must hold %d of them.", source.DefaultBatch, ringPieces)
	}
	k.wrong(path+".ring", "%s must be from %q to %q, not %v.%s", of, short(least), short(maxRing), ring, why)
}

// fastTick is how often the sound of a WAV comes at the most: the faster it is
// played, the longer are the pieces.
const fastTick = 10 * time.Millisecond

// speed judges how fast a WAV is played.
func (k checker) speed(path, name string, s *sensorConfig) {
	piece := time.Duration(s.Speed.Times * float64(fastTick))
	if need := ringPieces * piece; need > s.Ring.Duration && piece > source.DefaultBatch && !k.bad[path+".ring"] {
		set := "Set speed = 0 (as fast as the sinks take it)"
		if need <= maxRing {
			set += fmt.Sprintf(", or ring = %q", short((need + time.Second - 1).Truncate(time.Second)))
		}
		k.wrong(path+".speed", "speed of %s is %v: its sound comes in pieces of %v, and its ring (%v) must hold %d of them. %s.", name, s.Speed, piece, s.Ring, ringPieces, set)
	}
}

func (k checker) sensor(s *sensorConfig, seen map[string]bool) {
	path, head := "sensor."+cmp.Or(s.title, s.ID), "[[sensor]] "+cmp.Or(s.title, s.ID)
	name := titled("sensor", cmp.Or(s.title, s.ID))
	switch {
	case s.ID == "":
		k.missing(path, "id", head, `Write id = "mic0".`)
	case audio.CheckSensor(s.ID) != nil:
		k.wrong(path+".id", "%v.", audio.CheckSensor(s.ID))
	case seen[s.ID]:
		k.wrong(path+".id", "id %q of [[sensor]] is used twice.", s.ID)
	}
	seen[s.ID] = true
	if s.Source == "" {
		k.missing(path, "source", head, `Write source = "portaudio", "wav", "pipe" or "tone".`)
		return
	}
	takes := map[string]bool{}
	for _, f := range fieldsOf(reflect.TypeFor[sensorConfig]()) {
		takes[f.name] = f.takenBy(s.Source)
	}
	// What comes from the defaults was judged there.
	k.format(path, name, s.sensorDefaults, func(key string) bool {
		own := k.said(path+"."+key) && k.c.at(path+"."+key) != k.c.at("defaults.sensor."+key)
		if key == "ring" && own && s.waits() {
			k.ring(path, "ring of "+name, s.Ring, minRingUnpaced)
			own = false
		}
		return takes[key] && own
	})
	switch s.Source {
	case sourcePortAudio:
		if s.Device == "" {
			k.missing(path, "device", head, "`ingestd devices` prints the string to copy.")
		} else if err := portaudio.CheckSelector(s.Device); err != nil {
			k.wrong(path+".device", "%v.", err)
		}
	case sourceWAV:
		if len(s.Files) == 0 {
			k.missing(path, "files", head, `Write files = ["/path/to/a.wav"]: files, folders or globs.`)
		}
		k.speed(path, name, s)
	case sourcePipe:
		if s.Path == "" {
			k.missing(path, "path", head, `Write the name of a FIFO, or path = "-" for standard input.`)
		}
	case sourceTone:
		k.tone(path, name, s)
	}
	k.start(path, name, s)
	k.alone(path, s)
}

// alone finds a sensor before s that reads from the same place: of a pipe each
// would get a part, and a device has one stream.
func (k checker) alone(path string, s *sensorConfig) {
	for _, other := range k.c.enabled() {
		switch {
		case other == s || !s.Enabled:
			return
		case other.Source != s.Source:
		case s.Source == sourcePipe && s.Path == standardInput && other.Path == standardInput:
			k.wrong(path+".path", "path of %s is standard input, which %s reads already. Use a FIFO.", s.ID, other.ID)
		case s.Source == sourcePipe && s.Path != "" && filepath.Clean(string(s.Path)) == filepath.Clean(string(other.Path)):
			k.wrong(path+".path", sharedPipe, s.ID, s.Path, other.ID)
		case s.Source == sourcePortAudio && s.Device != "" && s.Device == other.Device:
			k.wrong(path+".device", "device of %s is %q, which %s records already: the second would find it busy. Switch one off (enabled = false); two devices of one kind have usb-path: names of their own.", s.ID, s.Device, other.ID)
		}
	}
}

const sharedPipe = "path of %s is %v, which %s reads already: each would get a part of the sound. Make a FIFO for each, or give one sensor two readers."

// tone judges the keys of a tone. A kind does not take the keys of another.
func (k checker) tone(path, name string, s *sensorConfig) {
	takes := map[string]bool{}
	for _, f := range fieldsOf(reflect.TypeFor[sensorConfig]()) {
		kinds := strings.Fields(f.Tag.Get("kind"))
		takes[f.name] = f.kindTakes(s.Kind)
		if k.said(path+"."+f.name) && !k.bad[path+".kind"] && !takes[f.name] {
			k.wrong(path+"."+f.name, "%s of %s is for kind %s; here kind = %q. Remove it.", f.name, name, quotedList(kinds), s.Kind)
		}
	}
	_, known := s.format()
	known = known && !k.bad[path+".rate"]
	half := float64(s.Rate) / 2
	if hz := s.Hz.Value; known && takes["hz"] && (hz <= 0 || hz > half) {
		k.wrong(path+".hz", "hz of %s must be above 0 and at most half the rate, %v, not %v.", name, half, hz)
	}
	if hz := s.HzTo.Value; known && (hz < 0 || hz > half) {
		k.wrong(path+".hz_to", "hz_to of %s must be above 0 and at most half the rate, %v, not %v.", name, half, hz)
	}
	if p := s.Period.Duration; p < time.Millisecond || p > time.Minute {
		k.wrong(path+".period", `period of %s must be from "1ms" to "1m", not %v.`, name, s.Period)
	}
	if a := s.Amplitude.Value; a <= 0 || a > 1 {
		k.wrong(path+".amplitude", "amplitude of %s must be above 0 and at most 1 (full scale), not %v.", name, a)
	}
}

// memory warns when the rings take more than half of what the machine has. A
// WAV says its rate when it is opened: the daemon judges that.
func (k checker) memory(have int64) {
	var total int64
	for _, s := range k.c.enabled() {
		f, known := s.format()
		if !known || s.Ring.Duration > maxRing {
			continue
		}
		bytes := s.window(f) * int64(f.FrameBytes())
		if bytes > maxRingBytes {
			k.wrong("sensor."+s.ID+".ring", "ring of %s would take %d MiB of memory. Set a shorter one.", s.ID, bytes>>20)
		}
		total += bytes
	}
	if have > 0 && total > have/2 {
		k.warnf(place{}, "the rings of all sensors take %d MiB, and this machine has %d MiB. Set shorter ones, or give the sensors a lower rate.", total>>20, have>>20)
	}
}
