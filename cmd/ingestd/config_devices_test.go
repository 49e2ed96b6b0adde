//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// checked runs `config check` in front of a fake /sys.
func checked(t *testing.T, sysfs, toml string, flags ...string) (stdout string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{stdout: &out, stderr: &errs, sysfs: sysfs, flags: map[string]string{}}
	root := p.command()
	root.SetArgs(append([]string{"config", "check", "--config", folder(t, "ingestd.toml", toml)}, flags...))
	err = root.ExecuteContext(t.Context())
	if errs.Len() > 0 {
		t.Errorf("standard error: %q", errs.String())
	}
	return out.String(), err
}

// microphone is a sensor of a configuration.
func microphone(id, device, more string) string {
	return fmt.Sprintf("[[sensor]]\nid = %q\nsource = \"portaudio\"\ndevice = %q\n%s", id, device, more)
}

func TestCheckLooksForDevices(t *testing.T) {
	const sinks = "[[reader]]\nname = \"archive\"\nsink = \"disk\"\n[sink.disk]\ndriver = \"mem\"\n"
	sysfs := plugged(t, [5]string{"1", "2752", "0007", "810-6452", "UMIK-1"}, [5]string{"2", "0d8c", "0014", "", "USB Audio"}, [5]string{"3", "0d8c", "0014", "", "USB Audio"})
	const umik, left = "usb-id:2752:0007:810-6452", "usb-path:0000:00:14.0-2"
	for name, c := range map[string]struct{ sensors, want string }{
		"all are there":  {microphone("mic0", umik, "") + microphone("mic1", left, "") + microphone("mic2", "usb-path:0000:00:14.0-3", ""), ""},
		"not looked for": {microphone("mic0", "name:nothing of this kind", "") + microphone("mic1", "default", "") + microphone("mic2", "usb-id:ffff:0001", "enabled = false\n"), ""},
		"no microphone":  {"[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n", ""},
		"no device": {microphone("mic0", "usb-id:16d0:06f3", ""),
			"mic0: no input matches device \"usb-id:16d0:06f3\".\n" +
				"    Seen now:  usb-id:2752:0007:810-6452 \"UMIK-1\", usb-id:0d8c:0014 \"USB Audio\", usb-id:0d8c:0014 \"USB Audio\"\n" +
				"    Nothing of vendor 16d0 is plugged in. Check the cable, then `ingestd devices`.\n" +
				"1 problem. The rest of the configuration is good; with --no-devices nothing is looked for."},
		"twins, and nothing": {microphone("mic0", "usb-id:0d8c:0014", "") + microphone("mic1", "usb-path:0000:00:14.0-9", "") + microphone("mic2", umik, ""),
			"mic0: device \"usb-id:0d8c:0014\" matches 2 inputs: usb-path:0000:00:14.0-2, usb-path:0000:00:14.0-3. Use one of these strings.\n" +
				"mic1: no input matches device \"usb-path:0000:00:14.0-9\".\n" +
				"    Seen now:  usb-id:2752:0007:810-6452 \"UMIK-1\", usb-id:0d8c:0014 \"USB Audio\", usb-id:0d8c:0014 \"USB Audio\"\n" +
				"    Nothing is in that socket. Check the cable, then `ingestd devices`.\n" +
				"2 problems. The rest of the configuration is good; with --no-devices nothing is looked for."},
		"one by two names": {microphone("mic0", umik, "") + microphone("mic1", "usb-path:0000:00:14.0-1", ""),
			"mic1: device \"usb-path:0000:00:14.0-1\" is the input that mic0 records already, as \"usb-id:2752:0007:810-6452\": the second would find it busy. Switch one off (enabled = false).\n" +
				"1 problem. The rest of the configuration is good; with --no-devices nothing is looked for."},
	} {
		for _, flags := range [][]string{nil, {"--quiet"}, {"--no-devices"}, {"--quiet", "--no-devices"}} {
			want := c.want
			if strings.Contains(strings.Join(flags, " "), "--no-devices") {
				want = ""
			}
			out, err := checked(t, sysfs, c.sensors+sinks, flags...)
			if quiet := len(flags) > 0 && flags[0] == "--quiet"; (out == "") != (quiet || want != "") {
				t.Errorf("%s %q: printed %q", name, flags, out)
			}
			var coded *exitError
			switch {
			case want == "" && err != nil, want != "" && (err == nil || err.Error() != want || !errors.As(err, &coded) || coded.code != exitConfig):
				t.Errorf("%s %q:\n%v\nwant\n%s", name, flags, err, want)
			case want != "" && tidy(err.Error()) != nil:
				t.Errorf("%s: %v", name, tidy(err.Error()))
			}
		}
	}
	// What is wrong in the file comes first: devices are those of a good one.
	if _, err := checked(t, sysfs, microphone("mic0", "usb-id:16d0:06f3", "rate = 0\n")+sinks); err == nil || strings.Contains(err.Error(), "no input") {
		t.Errorf("got %v", err)
	}
}
