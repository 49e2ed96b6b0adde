// Package alsa gives tests microphones that need no sound card: ALSA PCMs of
// the plug-in testmic.c, which it builds. Real PortAudio and real ALSA capture
// from them. Faults are switched while they run.
package alsa

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed testmic.c
var plugin []byte

// Required is the environment variable that turns the skip of a test which
// cannot have its microphones into a failure, when it is "yes".
const Required = "INGESTD_MICROPHONES"

// Mic is one microphone. Zero values are left to the plug-in.
type Mic struct {
	Name     string // of the PCM, ^[a-z0-9]+$: select it by name:NAME
	Rate     int    // the only one it offers; 48000
	Channels int    // as many as it has; 1
	Encoding string // the only one it has: s16, s24, s32 or f32; s32
	File     string // raw samples to play, again and again; else the clock signal
	Speed    float64
	XRun     int           // frames after each start at which it loses some
	Errno    int           // which opening it fails with
	Slow     time.Duration // how long opening it takes
}

// The faults of Rig.Switch.
const (
	Gone  = "gone"  // unplugged
	Stall = "stall" // its clock stands still: no data, no error
	Hang  = "hang"  // its driver does not return
	Zero  = "zero"  // it delivers digital silence
	Busy  = "busy"  // another program has it open
)

// Rig is the microphones of one test.
type Rig struct {
	Config string // the value for ALSA_CONFIG_PATH
	dir    string
}

// Build builds the plug-in and writes the configuration with these
// microphones; the first one is the default too. A test that cannot have them
// is left out, or fails where they are required.
func Build(t testing.TB, mics ...Mic) *Rig {
	t.Helper()
	r := build(t)
	var b strings.Builder
	fmt.Fprintf(&b, "pcm_type.testmic { lib %s }\n", quote(r.library()))
	for _, m := range mics {
		if err := os.Mkdir(filepath.Join(r.dir, m.Name), 0o750); err != nil {
			t.Fatal(err)
		}
		b.WriteString(m.config(filepath.Join(r.dir, m.Name)))
	}
	if len(mics) > 0 {
		fmt.Fprintf(&b, "pcm.!default { type plug slave.pcm %s }\n", quote(mics[0].Name))
	}
	r.write(t, b.String())
	return r
}

// BuildWithoutDefault is a configuration with which PortAudio aborts: it has a
// microphone and no default.
func BuildWithoutDefault(t testing.TB, m Mic) *Rig {
	t.Helper()
	r := build(t)
	r.write(t, fmt.Sprintf("pcm_type.testmic { lib %s }\n%s", quote(r.library()), m.config("")))
	return r
}

func build(t testing.TB) *Rig {
	t.Helper()
	r := &Rig{dir: t.TempDir()}
	r.Config = filepath.Join(r.dir, "asoundrc")
	source := filepath.Join(r.dir, "testmic.c")
	if err := os.WriteFile(source, plugin, 0o640); err != nil {
		t.Fatal(err)
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	cmd := exec.Command(cc, "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-DPIC", "-o", r.library(), source, "-lasound")
	if out, err := cmd.CombinedOutput(); err != nil {
		LeaveOut(t, "the ALSA test plug-in cannot be built (it needs a C compiler and libasound2-dev): %v\n%s", err, out)
	}
	return r
}

// LeaveOut skips the test for the reason given, or fails it where microphones
// are required.
func LeaveOut(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(Required) == "yes" {
		t.Fatalf(format, args...)
	}
	t.Skipf("left out: "+format, args...)
}

// Switch switches a fault of a microphone on or off.
func (r *Rig) Switch(t testing.TB, mic, fault string, on bool) {
	t.Helper()
	path := filepath.Join(r.dir, mic, fault)
	var err error
	if on {
		err = os.WriteFile(path, nil, 0o640)
	} else {
		err = os.Remove(path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (r *Rig) library() string { return filepath.Join(r.dir, "libasound_module_pcm_testmic.so") }

func (r *Rig) write(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(r.Config, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func (m Mic) config(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "pcm.%s {\n\ttype testmic\n", m.Name)
	number := func(key string, v int) {
		if v != 0 {
			fmt.Fprintf(&b, "\t%s %d\n", key, v)
		}
	}
	text := func(key, v string) {
		if v != "" {
			fmt.Fprintf(&b, "\t%s %s\n", key, quote(v))
		}
	}
	number("rate", m.Rate)
	number("channels", m.Channels)
	number("xrun_every", m.XRun)
	number("open_errno", m.Errno)
	number("open_ms", int(m.Slow.Milliseconds()))
	text("format", map[string]string{"s16": "S16_LE", "s24": "S24_3LE", "s32": "S32_LE", "f32": "FLOAT_LE"}[m.Encoding])
	text("file", m.File)
	text("dir", dir)
	if m.Speed != 0 {
		fmt.Fprintf(&b, "\tspeed %f\n", m.Speed)
	}
	b.WriteString("}\n")
	return b.String()
}

// quote is a string as ALSA's configuration and JSON both write it.
func quote(s string) string {
	q, _ := json.Marshal(s) // a string never fails
	return string(q)
}
