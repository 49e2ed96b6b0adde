package main

import (
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/ingestd/ingestd/internal/daemon"
)

// registry is where session ids are remembered when a store was emptied: in the
// folder that the service manager made for the state of the service, else in
// the root of the first store on disk, by the names of the sinks. nil: nothing
// outlives the run.
func (a *assembler) registry() *daemon.Registry {
	dir, _, _ := strings.Cut(a.p.lookup("STATE_DIRECTORY"), ":")
	for _, name := range slices.Sorted(maps.Keys(a.c.Sinks)) {
		if s := a.c.Sinks[name]; dir == "" && s.Driver == driverFiles && a.stores(name) {
			dir = filepath.Clean(string(s.Root))
		}
	}
	if dir == "" {
		return nil
	}
	return daemon.NewRegistry(dir, buildTime())
}

// stores says whether anything is stored in that sink.
func (a *assembler) stores(sink string) bool {
	return slices.ContainsFunc(a.c.Readers, func(r *readerConfig) bool { return r.Sink == sink && len(a.c.served(r)) > 0 })
}

// oldestBuild is when this program was written, for a build that does not say:
// none was built before.
const oldestBuild = "2026-11-01T00:00:00Z"

// buildTime is the time of the commit that was built. Unlike the time at which
// the compiler ran, it is the same for everybody who builds it.
func buildTime() time.Time {
	at, err := time.Parse(time.RFC3339, oldestBuild)
	if err != nil {
		panic(err) // it is a constant
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil && t.After(at) {
				at = t
			}
		}
	}
	return at
}
