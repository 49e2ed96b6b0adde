package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// envPrefix begins the name of each environment variable that is ours.
const envPrefix = "INGESTD_"

// envTree makes a layer of the environment. A variable sets a single value
// outside of lists: INGESTD_HTTP_LISTEN is http.listen, and
// INGESTD_SINK_DISK_ROOT is sink.disk.root if the layers below have a sink of
// that name.
func envTree(env []string, below *node, r *report) *node {
	keys := map[string]string{} // variable: path
	for _, path := range scalarPaths(below) {
		keys[envName(path)] = path
	}
	values := map[string]string{}
	for _, pair := range env {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, envPrefix) {
			values[name] = value
		}
	}
	root := newTable(place{})
	names := slices.Sorted(maps.Keys(keys))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at := place{from: name}
		switch path, known := keys[name]; {
		case known:
			plant(root, path, &node{kind: kindWord, at: at, key: at, text: values[name]})
		case likeKey(name):
			r.warnf(at, "sets nothing: there is no such key. %s", meant(name, "These can be set", names))
		}
	}
	return root
}

// likeKey says whether a variable that is unknown was meant for the
// configuration; others are left to the commands.
func likeKey(name string) bool {
	name = strings.TrimPrefix(name, envPrefix)
	for _, f := range fieldsOf(reflect.TypeFor[config]()) {
		if first, _, _ := strings.Cut(name, "_"); nearest(first, []string{f.name}) != "" {
			return true
		}
	}
	return false
}

func envName(path string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

// scalarPaths lists the paths of all single values outside of lists.
func scalarPaths(below *node) []string {
	paths := scalars("", reflect.TypeFor[config]())
	sinks := below.fields["sink"]
	if sinks == nil || sinks.kind != kindTable {
		return paths
	}
	for _, name := range sinks.names {
		if len(name) <= 63 {
			paths = append(paths, scalars("sink."+name+".", reflect.TypeFor[sinkConfig]())...)
		}
	}
	return paths
}

func scalars(prefix string, t reflect.Type) []string {
	var paths []string
	for _, f := range fieldsOf(t) {
		_, one := reflect.New(f.Type).Interface().(setter)
		switch kind := f.Type.Kind(); {
		case one, kind == reflect.String, kind == reflect.Int, kind == reflect.Bool, kind == reflect.Uint8:
			paths = append(paths, prefix+f.name)
		case kind == reflect.Struct:
			paths = append(paths, scalars(prefix+f.name+".", f.Type)...)
		}
	}
	return paths
}

// plant puts v below root, where the path says.
func plant(root *node, path string, v *node) {
	names := strings.Split(path, ".")
	last := len(names) - 1
	for _, name := range names[:last] {
		if root.fields[name] == nil || root.fields[name].kind != kindTable {
			root.put(name, newTable(v.at))
		}
		root = root.fields[name]
	}
	root.put(names[last], v)
}

// flagTree makes a layer of the flags of a command, by paths such as
// "http.listen" or "sink.disk.root".
func flagTree(flags map[string]string) *node {
	root := newTable(place{})
	at := place{from: commandLine}
	for _, path := range slices.Sorted(maps.Keys(flags)) {
		plant(root, path, &node{kind: kindWord, at: at, key: at, text: flags[path]})
	}
	return root
}
