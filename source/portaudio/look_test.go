//go:build linux

package portaudio

import (
	"os"
	"strings"
	"testing"
)

func TestLookFindsWhatIsPluggedInAndOpensNothing(t *testing.T) {
	s := fake(t)
	if err := os.RemoveAll(s.at("dev")); err != nil { // there is nothing to be opened
		t.Fatal(err)
	}
	umik := Found{Name: "UMIK-1[31m", USBID: "usb-id:2752:0007:1-0000:00:03.0-2.3", Path: "usb-path:0000:00:14.0-1", Serial: "1-0000:00:03.0-2.3", File: "/dev/snd/pcmC1D0c"}
	moth := Found{Name: "AudioMoth USB", USBID: "usb-id:16d0:06f3", Path: "usb-path:0000:00:03.0-2.3", File: "/dev/snd/pcmC2D0c"}
	for device, want := range map[string]Found{
		"usb-id:2752:0007": umik, "usb-id:2752:0007:1-0000:00:03.0-2.3": umik, "usb-path:0000:00:14.0-1": umik,
		"usb-id:16D0:06F3": moth, "usb-path:0000:00:03.0-2.3#0": moth, "name:UMIK-1": {}, "name:nothing": {}, "default": {},
	} {
		found, known, err := Look(device, s.root)
		if err != nil || found != want || known != (want != Found{}) {
			t.Errorf("%s: %+v, %v, %v", device, found, known, err)
		}
	}
	for device, want := range map[string]string{
		"usb-id:2752:0007:other": "no input matches device \"usb-id:2752:0007:other\".\n    Seen now:  \"PCH\", usb-id:2752:0007:1-0000:00:03.0-2.3 \"UMIK-1[31m\"",
		"usb-id:ffff:0001":       "Nothing of vendor ffff is plugged in.", "usb-path:0000:00:14.0-9": "Nothing is in that socket.",
		"usb-id:0d8c:0014":   "matches 2 inputs: usb-path:0000:00:14.0-3, usb-path:0000:00:14.0-4. Use one of these strings.",
		"usb-id:16d0:06f3#1": "AudioMoth USB has 1 input:", "usb-id:x": "four hex digits", "hw:1": "none of usb-id:",
	} {
		if _, known, err := Look(device, s.root); known || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", device, known, err)
		}
	}
}
