package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
)

// exampleSession is the session in names that are shown as examples.
const exampleSession audio.Session = 1795287841150

func (k checker) readers() {
	seen := map[string]bool{}
	for _, r := range k.c.Readers {
		name := cmp.Or(r.title, r.Name)
		path, head := "reader."+name, "[[reader]] "+name
		switch {
		case r.Name == "":
			k.missing(path, "name", head, `Write name = "archive".`)
		case audio.CheckSensor(r.Name) != nil:
			k.wrong(path+".name", "name %s of a reader must be small letters, digits, - and _, at most %d of them.", quoted(r.Name), audio.MaxSensor)
		case seen[r.Name]:
			k.wrong(path+".name", "name %q of [[reader]] is used twice.", r.Name)
		}
		seen[r.Name] = true
		k.readerSensors(path, name, r)
		names := slices.Sorted(maps.Keys(k.c.Sinks))
		switch {
		case r.Sink == "":
			k.missing(path, "sink", head, meant("", "Sinks", names))
		case k.c.Sinks[r.Sink] == nil:
			k.wrong(path+".sink", "reader %s writes to sink %s, which does not exist. %s", name, quoted(r.Sink), meant(r.Sink, "Sinks", names))
		}
		for _, s := range k.served(r) {
			// A WAV says its format when it is opened; checkSound is for then.
			if f, known := s.format(); known && !k.formatFaulty(s) {
				k.chunk(path, name, r, s, f)
			} else if !known && r.Chunk.time > 0 && !k.bad[path+".chunk"] {
				k.manyFiles(path, name, s, time.Duration(float64(r.Chunk.time)/max(1, s.Speed.Times)))
			}
		}
	}
	for _, s := range k.c.enabled() {
		if s.ID != "" && !s.Start.OnDemand && k.c.storedBy(s) == nil {
			k.warnf(k.c.at("sensor."+s.ID), "no reader stores %s: it is heard, and nothing of it is kept.", s.ID)
		}
	}
}

func (k checker) readerSensors(path, name string, r *readerConfig) {
	if len(r.Sensors) == 0 {
		k.wrong(path+".sensors", `sensors of reader %s must name at least one sensor, or "*" for all.`, name)
	}
	ids := k.c.ids()
	for i, id := range r.Sensors {
		at := fmt.Sprintf("%s.sensors.%d", path, i)
		switch {
		case slices.Contains(r.Sensors[:i], id):
			k.wrong(at, "reader %s names sensor %s twice.", name, quoted(id))
		case id == everySensor && len(r.Sensors) > 1:
			k.wrong(at, `reader %s names "*", which is every sensor, and others. Write sensors = ["*"].`, name)
		case id != everySensor && k.c.sensor(id) == nil:
			k.wrong(at, "reader %s names sensor %s, which does not exist. %s", name, quoted(id), meant(id, "Sensors", ids))
		}
	}
}

// checkSound judges what depends on the format of a sensor that is known only
// when its source is open.
func (c *config) checkSound(s *sensorConfig, f audio.Format) error {
	k := checker{&report{}, c, time.Time{}}
	for _, r := range c.Readers {
		if slices.Contains(c.served(r), s) {
			k.chunk("reader."+r.Name, r.Name, r, s, f)
		}
	}
	return k.err()
}

// formatFaulty says whether the format of s is not what was meant.
func (k checker) formatFaulty(s *sensorConfig) bool {
	return slices.ContainsFunc([]string{".rate", ".channels", ".encoding", ".source"}, func(key string) bool {
		return k.bad["sensor."+s.ID+key]
	})
}

// chunk judges the length of the chunks that r makes of s, whose sound is f.
func (k checker) chunk(path, name string, r *readerConfig, s *sensorConfig, f audio.Format) {
	at := path + ".chunk"
	if k.bad[at] || k.bad[path+".key"] {
		return
	}
	frames, err := r.Chunk.frames(f)
	if err != nil {
		k.wrong(at, "chunk of reader %s: %s: %v.", name, s.ID, err)
		return
	}
	length := f.Duration(frames)
	if r.Key == keyMS && length < time.Millisecond {
		k.wrong(at, `chunk of reader %s: %s: %v lasts %v, so with key = "ms" two chunks would have one block. Set chunk = "1ms" or longer.`, name, s.ID, r.Chunk, length)
	}
	k.manyFiles(path, name, s, length)
	if ring := "sensor." + s.ID + ".ring"; 2*frames > s.window(f) && !k.bad[ring] {
		k.warnf(k.c.at(at), "chunk of reader %s is longer than half the ring of %s (%v): after an error of the disk only what the ring still holds can be written again. Set ring = %q, or a chunk of at most %q.",
			name, s.ID, s.Ring, short((2*length+time.Second-1)/time.Second*time.Second), short(s.Ring.Duration/2))
	}
}

// shortChunk is how short a chunk may be before it is worth a word.
const shortChunk = 100 * time.Millisecond

// manyFiles warns of chunks so short that there are more than ten a second.
func (k checker) manyFiles(path, name string, s *sensorConfig, length time.Duration) {
	if length <= 0 || length >= shortChunk {
		return
	}
	k.warnf(k.c.at(path+".chunk"), "chunk of reader %s makes more than ten files a second of %s: a disk is slow with so many, and so is whoever lists them. Usual is \"10s\".", name, s.ID)
}

func (k checker) sinks() {
	roots := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(k.c.Sinks)) {
		s := k.c.Sinks[name]
		path := "sink." + name
		if audio.CheckSensor(name) != nil {
			k.wrong(path, "the name of sink %s must be small letters, digits, - and _, at most %d of them.", quoted(name), audio.MaxSensor)
		}
		switch {
		case s.Driver == "":
			k.missing(path, "driver", "[sink."+name+"]", `Write driver = "files".`)
		case s.Driver == driverMem:
			k.warnf(k.c.at(path+".driver"), "sink %s keeps all sound in memory, and forgets it at the end.", name)
		case s.Root == "":
			k.missing(path, "root", "[sink."+name+"]", `Write root = "/var/lib/ingestd".`)
		case !filepath.IsAbs(string(s.Root)):
			k.wrong(path+".root", "root of sink %s must be a folder, not %v.", name, s.Root)
		default:
			root := filepath.Clean(string(s.Root))
			if first, taken := roots[root]; taken {
				k.wrong(path+".root", "sink %s has the same root as sink %s (%v). Give it its own: two layouts cannot mix.", name, first, k.c.at("sink."+first+".root"))
			} else {
				roots[root] = name
			}
		}
		if !k.c.written(name) && !k.readerFaulty() {
			k.warnf(k.c.at(path), "no reader writes to sink %s; it is not opened.", name)
		}
		k.layout(path, name, s)
		k.sync(path, name, s)
		k.sharers(name)
	}
}

// syncsKept is how many intervals of sync a ring must hold: the one that was
// not made durable, the one that passes until that is known, and the one in
// which both are written again.
const syncsKept = 3

// sync warns once for a sink of the shortest ring that cannot write again what
// a failed sync leaves. Sound that waits until it is stored loses nothing.
func (k checker) sync(path, name string, s *sinkConfig) {
	var least *sensorConfig
	for _, r := range k.c.Readers {
		if r.Sink != name {
			continue
		}
		for _, m := range k.served(r) {
			if !m.waits() && !k.bad["sensor."+m.ID+".ring"] && (least == nil || m.Ring.Duration < least.Ring.Duration) {
				least = m
			}
		}
	}
	if least == nil || k.bad[path+".sync"] || least.Ring.Duration >= syncsKept*s.Sync.Every {
		return
	}
	set := fmt.Sprintf("sync = %q", short((least.Ring.Duration / syncsKept).Truncate(time.Millisecond)))
	if ring := syncsKept * s.Sync.Every; ring <= maxRing {
		set = fmt.Sprintf("ring = %q, or %s", short(ring), set)
	}
	at := k.c.at(path + ".sync")
	if at == (place{}) {
		at = k.c.at("sensor." + least.ID + ".ring")
	}
	k.warnf(at, "sync of sink %s is %v, and the ring of %s keeps %v: what an error of the disk leaves unsure may be gone from the ring before it is written again. Set %s.",
		name, s.Sync, least.ID, least.Ring, set)
}

// written says whether a reader writes to a sink.
func (c *config) written(name string) bool {
	return slices.ContainsFunc(c.Readers, func(r *readerConfig) bool { return r.Sink == name })
}

// readerFaulty says whether the sink of some reader is not known.
func (k checker) readerFaulty() bool {
	return slices.ContainsFunc(k.c.Readers, func(r *readerConfig) bool {
		return k.c.Sinks[r.Sink] == nil
	})
}

func (k checker) layout(path, name string, s *sinkConfig) {
	at := path + ".layout"
	if k.bad[at] {
		return
	}
	l, err := sink.ParseLayout(s.Layout)
	if err != nil {
		k.wrong(at, "sink %s: %s.", name, strings.TrimSuffix(err.Error(), "."))
		return
	}
	if codec, err := sink.CodecByName(s.Codec); err == nil && !k.bad[path+".codec"] {
		if err := sink.CheckCodec(l, codec); err != nil {
			k.wrong(at, "sink %s: %v.", name, err)
		}
	}
	ids := k.writers(name)
	if !l.HasSensor() && len(ids) == 0 && k.c.written(name) {
		k.wrong(at, "layout %q of sink %s is for one sensor, and there is none. Add {sensor}, e.g. %q, or a [[sensor]].", s.Layout, name, layoutOf(s.Codec))
	}
	if !l.HasSensor() && len(ids) > 1 {
		only, err := l.WithSensor(ids[0])
		if err != nil {
			return // the id has its own fault
		}
		k.wrong(at, "layout %q of sink %s does not tell %s and %s apart: both would write %s. Add {sensor}, e.g. %q.", s.Layout, name, ids[0], ids[1],
			only.Name(audio.Key{Session: exampleSession, Sensor: ids[0]}), layoutOf(s.Codec))
	}
}

// served are the sensors of r, if what it says about them can be believed.
func (k checker) served(r *readerConfig) []*sensorConfig {
	if k.bad["reader."+cmp.Or(r.title, r.Name)+".sensors"] {
		return nil
	}
	return k.c.served(r)
}

// writers are the ids of the sensors whose sound goes to a sink.
func (k checker) writers(name string) []string {
	var ids []string
	for _, r := range k.c.Readers {
		if r.Sink != name {
			continue
		}
		for _, s := range k.served(r) {
			if !slices.Contains(ids, s.ID) {
				ids = append(ids, s.ID)
			}
		}
	}
	return ids
}

// sharers finds two readers that would give chunks of one sensor one name.
func (k checker) sharers(name string) {
	by := map[string]string{} // sensor: reader
	for _, r := range k.c.Readers {
		if r.Sink != name || r.Name == "" {
			continue
		}
		for _, s := range k.served(r) {
			first, taken := by[s.ID]
			if !taken {
				by[s.ID] = r.Name
				continue
			}
			if first == r.Name {
				continue
			}
			k.wrong("reader."+r.Name+".sink", "readers %s and %s both write %s to sink %s, so both would write %s. Give reader %s a sink with its own root.",
				first, r.Name, s.ID, name, k.example(name, s.ID), r.Name)
		}
	}
}

// example is the name of the first chunk of a sensor in a sink.
func (k checker) example(name, id string) string {
	full, err := k.c.exampleName(name, id, 0)
	if err != nil {
		return "the same names"
	}
	return full
}

// exampleName is where a chunk would be stored: the name in the sink, behind
// its root.
func (c *config) exampleName(name, id string, block int64) (string, error) {
	s := c.Sinks[name]
	if s == nil {
		return "", errors.New("no such sink")
	}
	l, err := sink.ParseLayout(s.Layout)
	if err != nil {
		return "", err
	}
	if !l.HasSensor() {
		if l, err = l.WithSensor(id); err != nil {
			return "", err
		}
	}
	chunk := l.Name(audio.Key{Session: exampleSession, Sensor: id, Block: block})
	if s.Driver == driverMem {
		return "mem:" + chunk, nil
	}
	return filepath.Join(string(s.Root), filepath.FromSlash(chunk)), nil
}
