package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// layers is what a configuration is made of, the stronger later.
type layers struct {
	docs  []*document
	env   []string          // NAME=value
	flags map[string]string // path of a key: value
	host  host
}

// host is what of the machine decides about a configuration.
type host struct {
	cwd    string
	user   int       // effective user id; negative: files have no owners here
	memory int64     // bytes; 0: not known
	now    time.Time // zero: not known
	paths  *pathView // nil: none is looked at
}

// load makes the configuration in force. All that is wrong comes back at once,
// as a *configError.
func (l layers) load() (*config, error) {
	r := &report{}
	root, broken := l.tree(r)
	c := builtInConfig()
	d := &decoder{r, c.places, l.host.cwd}
	d.config(c, root)
	if !broken {
		checkConfig(c, r, l.host)
	}
	if l.host.paths != nil && len(r.faults) == 0 {
		looker{checker{r, c, l.host.now}, *l.host.paths}.look()
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	sortFaults(r.warnings)
	for _, w := range r.warnings {
		text := w.text
		if w.at != (place{}) {
			text = fmt.Sprintf("%v: %s", w.at, w.text)
		}
		c.warnings = append(c.warnings, strings.Map(printable, text))
	}
	return c, nil
}

// tree merges the layers. It is broken if one could not be read at all.
func (l layers) tree(r *report) (root *node, broken bool) {
	root = newTable(place{})
	m := merger{r}
	for i, doc := range l.docs {
		doc.order = i
		tree, wrong := parseTree(doc)
		if wrong != nil {
			r.faults = append(r.faults, *wrong)
			broken = true
			continue
		}
		m.merge(root, tree, true)
	}
	m.merge(root, envTree(l.env, root, r), true)
	m.merge(root, flagTree(l.flags), true)
	return root, broken
}

// config fills c, first what the sensors have in common.
func (d *decoder) config(c *config, root *node) {
	outer := newTable(place{})
	for _, name := range root.names {
		switch n := root.fields[name]; name {
		case "sensor", "reader":
			d.isList(name, n)
		case "sink":
			if n.kind != kindTable {
				d.faultf(n.at, "sink must be tables with a name, not %v. Write [sink.disk].", n.kind)
			}
		default:
			outer.put(name, n)
		}
	}
	d.table(reflect.ValueOf(c).Elem(), outer, subject{head: "the file, outside of all tables"})
	for i, n := range root.tables("sensor") {
		c.Sensors = append(c.Sensors, d.sensor(i, n, c.Defaults.Sensor))
	}
	for i, n := range root.tables("reader") {
		c.Readers = append(c.Readers, d.reader(i, n))
	}
	if sinks := root.fields["sink"]; sinks != nil && sinks.kind == kindTable {
		for _, name := range sinks.names {
			d.sink(c, name, sinks.fields[name])
		}
	}
}

// isList reports a list of tables that is written as something else.
func (d *decoder) isList(name string, n *node) {
	if n.kind == kindTable {
		d.faultf(n.at, "there may be several of %q, so its head has two brackets. Write [[%s]].", name, name)
		return
	}
	if n.kind != kindList {
		d.faultf(n.at, "%s must be a list of tables, not %v. Write [[%s]].", name, n.kind, name)
		return
	}
	for _, item := range n.items {
		if item.kind != kindTable {
			d.faultf(item.at, "%s must be a list of tables; one of them is %v. Write [[%s]].", name, item.kind, name)
		}
	}
}

// tables are those of a list of tables.
func (n *node) tables(name string) []*node {
	l := n.fields[name]
	if l == nil || l.kind != kindList {
		return nil
	}
	var all []*node
	for _, item := range l.items {
		if item.kind == kindTable {
			all = append(all, item)
		}
	}
	return all
}

// nameOf is what the table n is called by its key, or its number.
func nameOf(n *node, key string, i int) string {
	if v := n.fields[key]; v != nil && (v.kind == kindText || v.kind == kindWord) && v.text != "" && len(v.text) <= maxText {
		return strings.Trim(quoted(v.text), `"`)
	}
	return fmt.Sprintf("#%d", i+1)
}

// titled adds what it is to the number of a table without a name.
func titled(what, name string) string {
	if strings.HasPrefix(name, "#") {
		return what + " " + name
	}
	return name
}

func (d *decoder) sensor(i int, n *node, defaults sensorDefaults) *sensorConfig {
	s := builtInSensor(defaults)
	name := nameOf(n, "id", i)
	s.title = name
	path := "sensor." + name
	d.places[path] = n.at
	which := n.word("source", reflect.TypeFor[sensorConfig]())
	for _, f := range fieldsOf(reflect.TypeFor[sensorDefaults]()) {
		if at, said := d.places["defaults.sensor."+f.name]; said && which != "" && f.takenBy(which) {
			d.places[path+"."+f.name] = at
		}
		if d.bad["defaults.sensor."+f.name] {
			d.mark(path + "." + f.name)
		}
	}
	d.table(reflect.ValueOf(s).Elem(), n, subject{path + ".", "[[sensor]] " + name, titled("sensor", name), which})
	if s.Source == sourceWAV {
		s.Rate, s.Channels, s.Encoding = 0, 0, 0
	}
	return s
}

func (d *decoder) reader(i int, n *node) *readerConfig {
	r := builtInReader()
	name := nameOf(n, "name", i)
	r.title = name
	d.places["reader."+name] = n.at
	s := subject{"reader." + name + ".", "[[reader]] " + name, "reader " + name, ""}
	d.table(reflect.ValueOf(r).Elem(), n, s)
	if l := n.fields["sensors"]; l != nil && l.kind == kindList {
		for i, item := range l.items {
			d.places[fmt.Sprintf("%ssensors.%d", s.path, i)] = item.at
		}
	}
	return r
}

func (d *decoder) sink(c *config, name string, n *node) {
	if n.kind != kindTable {
		d.faultf(n.key, "sink %s must be a table, not %v. Write [sink.%s].", quoted(name), n.kind, name)
		return
	}
	s := builtInSink()
	c.Sinks[name] = s
	d.places["sink."+name] = n.at
	shown := strings.Trim(quoted(name), `"`)
	which := n.word("driver", reflect.TypeFor[sinkConfig]())
	d.table(reflect.ValueOf(s).Elem(), n, subject{"sink." + name + ".", "[sink." + shown + "]", "sink " + shown, which})
	if n.fields["layout"] == nil && n.fields["codec"] != nil {
		s.Layout = layoutOf(s.Codec)
	}
}

// word is the value of a key of n if it is one of the words that it may be.
func (n *node) word(key string, t reflect.Type) string {
	v := n.fields[key]
	if v == nil {
		return ""
	}
	for _, f := range fieldsOf(t) {
		if f.name != key {
			continue
		}
		for _, w := range strings.Fields(f.Tag.Get("oneof")) {
			if v.text == w {
				return w
			}
		}
	}
	return ""
}
