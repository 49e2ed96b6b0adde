//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// S4: the ring is set in time, for all sensors or for one, and comes to as many
// frames as that lasts; there is none without an end.
func TestSeed_S4(t *testing.T) {
	c, err := parsed("[defaults.sensor]\nring = \"20s\"\n[[sensor]]\nid = \"a\"\nsource = \"tone\"\nrate = 8000\n[[sensor]]\nid = \"b\"\nsource = \"tone\"\nrate = 44100\nring = \"60s\"\n")
	if err != nil {
		t.Fatal(err)
	}
	for id, length := range map[string]time.Duration{"a": 20 * time.Second, "b": time.Minute} {
		s := c.sensor(id)
		f, known := s.format()
		if want := int64(length.Seconds()) * int64(f.Rate); !known || s.window(f) != want {
			t.Errorf("the ring of %s holds %d frames at %d Hz, want %d", id, s.window(f), f.Rate, want)
		}
	}
	for _, ring := range []string{`"0s"`, `"-1s"`, `"off"`, `"none"`, `"100000h"`, "20", `""`} {
		if _, err := parsed("[[sensor]]\nid = \"a\"\nsource = \"tone\"\nring = " + ring + "\n"); err == nil {
			t.Errorf("ring = %s is good", ring)
		}
	}
}

// A8: a configuration belongs to who loaded it: two in one process know nothing
// of each other, and loading reads the file anew.
func TestSeed_A8(t *testing.T) {
	var wait sync.WaitGroup
	for i := range 8 {
		name := filepath.Join(t.TempDir(), "ingestd.toml")
		wait.Go(func() {
			for turn := range 20 {
				station := fmt.Sprintf("station-%d-%d", i, turn)
				if err := os.WriteFile(name, []byte(strings.Replace(twoSensors, `"base"`, fmt.Sprintf("%q", station), 1)), 0o600); err != nil {
					t.Error(err)
					return
				}
				c, err := loadConfig(name, []string{fmt.Sprintf("INGESTD_DEFAULTS_SENSOR_RATE=%d", 8000+i)}, nil)
				if err != nil || c.Station != station || c.Defaults.Sensor.Rate != 8000+i {
					t.Errorf("loaded %v, want %s and %d", err, station, 8000+i)
					return
				}
				c.Station, c.Sensors = "changed", nil // it is ours
			}
		})
	}
	wait.Wait()
}

// P18: sound of others enters through a pipe or by replaying files, and is then
// like any other. The drivers keep one contract: see the suites sourcetest and
// sinktest.
func TestSeed_P18(t *testing.T) {
	sound := noise(2 * 44100)
	dir := t.TempDir()
	in, raw := filepath.Join(dir, "in.wav"), filepath.Join(dir, "in.raw")
	for name, data := range map[string][]byte{in: oldWAV(sound), raw: sound} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	piped, replayed := filepath.Join(dir, "piped"), filepath.Join(dir, "replayed")
	config := folder(t, "ingestd.toml", fmt.Sprintf("[[sensor]]\nid = \"mic0\"\nsource = \"pipe\"\npath = \"-\"\nrate = 44100\nchannels = 1\nencoding = \"s16\"\n"+
		"[[reader]]\nname = \"archive\"\nsink = \"disk\"\nchunk = \"300ms\"\n[sink.disk]\ndriver = \"files\"\nroot = %q\n", piped))
	stdin, err := os.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if code, said := commandReading(stdin, "record", "mic0", "--config", config); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	if code, said := command("replay", in, "--sensor", "mic0", "--root", replayed, "--speed", "0", "--chunk", "300ms"); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	a, b := stored(t, piped), stored(t, replayed)
	var all []byte
	for i := range a {
		if i >= len(b) || a[i].name != b[i].name || !bytes.Equal(a[i].sound, b[i].sound) {
			t.Fatalf("chunk %d of the pipe is not that of the file", i)
		}
		all = append(all, a[i].sound...)
	}
	if len(a) != len(b) || !bytes.Equal(all, sound) {
		t.Errorf("%d chunks from the pipe, %d from the file, %d bytes of %d", len(a), len(b), len(all), len(sound))
	}
	for _, base := range []string{"csv", "s3", "sql"} { // what there is no driver for is said, not guessed
		if _, err := parsed("[sink.disk]\ndriver = \"" + base + "\"\nroot = \"/x\"\n"); err == nil || !strings.Contains(err.Error(), base) {
			t.Errorf("driver %s: %v", base, err)
		}
	}
}
