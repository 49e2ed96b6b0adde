//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/clock"
)

// plugged is a /sys in which USB microphones are plugged in: socket, vendor,
// product, serial number and name of each.
func plugged(t *testing.T, mics ...[5]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for i, m := range mics {
		usb := filepath.Join(root, "sys/devices/pci0000:00/0000:00:14.0/usb1/1-"+m[0])
		card := filepath.Join(usb, "1-"+m[0]+":1.0/sound", fmt.Sprint("card", i))
		class := filepath.Join(root, "sys/class/sound")
		for _, dir := range []string{card, class} {
			if err := os.MkdirAll(dir, 0o750); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string]string{
			usb + "/idVendor": m[1], usb + "/idProduct": m[2], usb + "/serial": m[3], usb + "/product": m[4], usb + "/devpath": m[0],
			filepath.Join(class, fmt.Sprintf("pcmC%dD0c", i)): "",
		} {
			if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for link, to := range map[string]string{filepath.Join(card, "device"): filepath.Dir(filepath.Dir(card)), filepath.Join(class, fmt.Sprint("card", i)): card} {
			if err := os.Symlink(to, link); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// infoOf is what info.json says of a sensor of a configuration.
func infoOf(t *testing.T, sysfs, toml, id string) map[string]any {
	t.Helper()
	c, err := parsed(toml)
	if err != nil {
		t.Fatal(err)
	}
	a := newAssembler(&program{sysfs: sysfs, clock: clock.System{}}, c, zap.NewNop())
	text, err := json.Marshal(a.info(c.sensor(id)))
	if err != nil {
		t.Fatal(err)
	}
	var info map[string]any
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	return info
}

func TestInfoTellsWhatIsKnownAndNoMore(t *testing.T) {
	sysfs := plugged(t, [5]string{"1", "2752", "0007", "810-6452", "UMIK-1"}, [5]string{"2.3", "16d0", "06f3", "", "AudioMoth USB"})
	const sensors = `
[[sensor]]
id = "umik"
source = "portaudio"
device = "usb-id:2752:0007"
labels = { side = "inlet" }
[[sensor]]
id = "moth"
source = "portaudio"
device = "usb-path:0000:00:14.0-2.3"
location = [52.5, 13.4]
[[sensor]]
id = "away"
source = "portaudio"
device = "usb-id:ffff:0001"
[[sensor]]
id = "default"
source = "portaudio"
device = "default"
[[sensor]]
id = "tone"
source = "tone"
[[sensor]]
id = "dated"
source = "wav"
files = ["/x.wav"]
start = "file"
[[sensor]]
id = "now"
source = "wav"
files = ["/y.wav"]
[[reader]]
name = "archive"
sink = "disk"
[[reader]]
name = "raw"
sink = "pcm"
sensors = ["tone"]
[sink.disk]
driver = "files"
root = "/a"
[sink.pcm]
driver = "mem"
codec = "pcm"
layout = "{session}/{sensor}/{block}.pcm"
`
	object := func(pairs ...string) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for id, want := range map[string]map[string]any{
		"umik": {"container": "wav", "labels": object("side", "inlet"), "device": object("selector", "usb-id:2752:0007", "name", "UMIK-1",
			"usb_id", "usb-id:2752:0007:810-6452", "usb_path", "usb-path:0000:00:14.0-1", "serial", "810-6452")},
		"moth": {"labels": object(), "location": []any{52.5, 13.4}, "device": object("selector", "usb-path:0000:00:14.0-2.3", "name", "AudioMoth USB",
			"usb_id", "usb-id:16d0:06f3", "usb_path", "usb-path:0000:00:14.0-2.3")},
		"away":    {"device": object("selector", "usb-id:ffff:0001"), "location": nil},
		"default": {"device": object("selector", "default")},
		"tone":    {"container": nil, "device": object("selector", ""), "source": "tone"},
		"dated":   {"container": "wav", "clock": nil}, // that is the daemon's to say
	} {
		info := infoOf(t, sysfs, sensors, id)
		want["layout_version"] = 1.0
		for name, value := range want {
			if got := info[name]; !reflect.DeepEqual(got, value) {
				t.Errorf("%s: %s is %v, want %v", id, name, got, value)
			}
		}
	}
}
