package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestSessionIDsAreKeptWithTheState of the service, or beside what is stored
// first.
func TestSessionIDsAreKeptWithTheState(t *testing.T) {
	for _, c := range []struct {
		name string
		env  string
		want string // folder
	}{
		{"by hand", "", "b"},
		{"as a service", "STATE_DIRECTORY=%/state", "state"},
		{"as a service of two", "STATE_DIRECTORY=%/state:%/other", "state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := t.TempDir()
			cfg := builtInConfig()
			s := builtInSensor(cfg.Defaults.Sensor)
			s.ID, s.Source = "mic0", sourceTone
			cfg.Sensors = []*sensorConfig{s}
			for _, name := range []string{"a", "b", "c", "m"} {
				if err := os.Mkdir(filepath.Join(top, name), 0o700); err != nil {
					t.Fatal(err)
				}
				cfg.Sinks[name] = builtInSink()
				cfg.Sinks[name].Driver, cfg.Sinks[name].Root = driverFiles, file(filepath.Join(top, name))
				r := builtInReader()
				r.Name, r.Sink = "to-"+name, name
				if name != "a" { // nothing is stored there
					cfg.Readers = append(cfg.Readers, r)
				}
			}
			for _, name := range []string{"state", "other"} {
				if err := os.Mkdir(filepath.Join(top, name), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			p := &program{env: []string{strings.ReplaceAll(c.env, "%", top)}}
			r := newAssembler(p, cfg, zap.NewNop()).registry()
			if _, err := r.Name(time.Now(), -1); err != nil {
				t.Fatal(err)
			}
			found, err := filepath.Glob(filepath.Join(top, "*", "*"))
			if want := filepath.Join(top, c.want, "sessions.json"); err != nil || len(found) != 1 || found[0] != want {
				t.Errorf("got %v, %v; want %s", found, err, want)
			}
		})
	}
}

func TestWhatIsStoredInMemoryHasNoRegistry(t *testing.T) {
	cfg := builtInConfig()
	cfg.Sinks["m"] = builtInSink()
	cfg.Sinks["m"].Driver = driverMem
	if r := newAssembler(&program{}, cfg, zap.NewNop()).registry(); r != nil {
		t.Errorf("got %+v", r)
	}
}

func TestTheBuildIsNotInTheFuture(t *testing.T) {
	oldest, err := time.Parse(time.RFC3339, oldestBuild)
	if at := buildTime(); err != nil || at.Before(oldest) || at.After(time.Now()) {
		t.Errorf("got %v, %v", at, err)
	}
}
