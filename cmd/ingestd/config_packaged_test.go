package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/configs"
)

// switchedOn is the packaged file with every commented-out line in force.
func switchedOn() string {
	return regexp.MustCompile(`(?m)^# (\[|[a-z_]+ *= )`).ReplaceAllString(configs.Packaged(), "$1")
}

func TestPackagedConfigurationRuns(t *testing.T) {
	c, err := parsed(configs.Packaged())
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, c, nil); got != "warning: no sensor is enabled: nothing will be recorded.\nok: 0 sensors, 1 reader, 1 sink\n" {
		t.Error(got)
	}
	want := builtInConfig()
	r, s := builtInReader(), builtInSink()
	r.Name, r.Sink, r.title = "archive", "disk", "archive"
	s.Driver, s.Root = driverFiles, "/var/lib/ingestd"
	want.Readers, want.Sinks["disk"], want.places, want.warnings = []*readerConfig{r}, s, c.places, c.warnings
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
	var b strings.Builder
	if err := configInit(&b); err != nil || b.String() != configs.Packaged() {
		t.Error("config init writes something else", err)
	}
}

// TestPackagedConfigurationShowsTheDefaults: every line that can be switched
// on is read, means something, and changes nothing.
func TestPackagedConfigurationShowsTheDefaults(t *testing.T) {
	c, err := parsed(switchedOn())
	if err != nil || len(c.warnings) > 0 {
		t.Fatal(err, c.warnings)
	}
	built := builtInConfig()
	if c.Station != built.Station || c.Log != built.Log || c.HTTP != built.HTTP || c.Session != built.Session || c.Defaults != built.Defaults {
		t.Errorf("got %+v, want %+v", c, built)
	}
	examples := []string{"id", "source", "device", "files", "path", "location", "labels"}
	for _, s := range c.Sensors {
		got, want := reflect.ValueOf(s).Elem(), reflect.ValueOf(builtInSensor(c.Defaults.Sensor)).Elem()
		for _, f := range fieldsOf(got.Type()) {
			_, said := c.places["sensor."+s.ID+"."+f.name]
			if !said || slices.Contains(examples, f.name) || s.ID == "tone1" && f.name == "kind" {
				continue
			}
			if g, w := got.FieldByIndex(f.Index).Interface(), want.FieldByIndex(f.Index).Interface(); g != w {
				t.Errorf("%s of %s: %v, the default is %v", f.name, s.ID, g, w)
			}
		}
	}
	r, s := builtInReader(), builtInSink()
	if got := c.Readers[0]; !slices.Equal(got.Sensors, r.Sensors) || got.Key != r.Key || got.Chunk != r.Chunk {
		t.Errorf("got %+v, want %+v", got, r)
	}
	if got := c.Sinks["disk"]; got.Layout != s.Layout || got.Codec != s.Codec || got.Sync != s.Sync {
		t.Errorf("got %+v, want %+v", got, s)
	}
}

// TestEveryKeyIsInThePackagedConfiguration, and each with a comment or a name
// that needs none.
func TestEveryKeyIsInThePackagedConfiguration(t *testing.T) {
	root, wrong := parseTree(&document{name: "FILE", data: []byte(switchedOn())})
	if wrong != nil {
		t.Fatal(wrong)
	}
	shown := map[string]bool{}
	var walk func(prefix string, n *node)
	walk = func(prefix string, n *node) {
		for _, name := range n.names {
			v, path := n.fields[name], prefix+name
			shown[path] = true
			for _, item := range v.items {
				if item.kind == kindTable {
					walk(path+".", item)
				}
			}
			if v.kind == kindTable && name != "labels" {
				walk(path+".", v)
			}
		}
	}
	walk("", root)
	var want func(prefix string, typ reflect.Type)
	want = func(prefix string, typ reflect.Type) {
		for _, f := range fieldsOf(typ) {
			path, inner := prefix+f.name, f.Type
			_, value := reflect.New(inner).Interface().(setter)
			if prefix == "sensor." && (f.name == "ring" || f.name == "latency" || f.name == "rate" || f.name == "channels" || f.name == "encoding") {
				continue // in [defaults.sensor]
			}
			if !shown[path] {
				t.Errorf("%s is not in the packaged configuration", path)
			}
			switch {
			case inner.Kind() == reflect.Struct && !value:
				want(path+".", inner)
			case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Pointer:
				want(path+".", inner.Elem().Elem())
			case inner.Kind() == reflect.Map && inner.Elem().Kind() == reflect.Pointer:
				want(path+".disk.", inner.Elem().Elem())
			}
		}
	}
	want("", reflect.TypeFor[config]())
	for line := range strings.Lines(configs.Packaged()) {
		if len(strings.TrimRight(line, "\n")) > 140 {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestShowAlignsValuesAndOrigins(t *testing.T) {
	c, err := layered([]string{"INGESTD_HTTP_LISTEN=127.0.0.1:9000"}, map[string]string{"log.level": "debug"}, twoSensors, `
[[sensor]]
id = "mock0"
source = "wav"
files = ["a.wav"]
location = [46.5191, -6]
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, origin := range map[string]bool{"testdata/config/show.txt": false, "testdata/config/origin.txt": true} {
		var b strings.Builder
		if err := configShow(&b, c, origin); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

// TestWhatIsShownIsAConfiguration: the shown values, written as a file, are the
// same configuration.
func TestWhatIsShownIsAConfiguration(t *testing.T) {
	c, err := parsed(switchedOn())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	table := ""
	for _, s := range c.settings() {
		parts := strings.Split(s.path, ".")
		head := "[" + strings.Join(parts[:len(parts)-1], ".") + "]"
		if parts[0] == "sensor" || parts[0] == "reader" {
			head = "[[" + parts[0] + "]] # " + parts[1]
		}
		if head != table && len(parts) > 1 {
			fmt.Fprintln(&b, head)
			table = head
		}
		fmt.Fprintf(&b, "%s = %s\n", parts[len(parts)-1], s.value)
	}
	again, err := parsed(b.String())
	if err != nil {
		t.Fatal(err)
	}
	again.places = c.places
	if !reflect.DeepEqual(again, c) {
		t.Errorf("another configuration is in\n%s", b.String())
	}
}
