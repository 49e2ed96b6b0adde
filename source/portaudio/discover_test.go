//go:build linux

package portaudio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// fake is a machine: a USB microphone with a serial number that has colons, one
// without behind a hub, twins, one with two inputs, and a card that is not USB.
func fake(t *testing.T) system {
	t.Helper()
	root := t.TempDir()
	write := func(text string, path ...string) {
		p := filepath.Join(append([]string{root}, path...)...)
		if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to string, path ...string) {
		p := filepath.Join(append([]string{root}, path...)...)
		if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []struct{ usb, card, vendor, product, serial, name, devpath, inputs string }{
		{"0000:00:14.0/usb3/3-1", "1", "2752", "0007", "1-0000:00:03.0-2.3", "UMIK-1\x1b[31m", "1", "0"},
		{"0000:00:03.0/usb1/1-2/1-2.3", "2", "16d0", "06f3", "", "AudioMoth USB", "2.3", "0"},
		{"0000:00:14.0/usb3/3-3", "3", "0d8c", "0014", "", "USB Audio", "3", "0"},
		{"0000:00:14.0/usb3/3-4", "4", "0d8c", "0014", "", "USB Audio", "4", "0"},
		{"0000:00:14.0/usb3/3-5", "10", "1234", "ABCD", "s", "Two", "5", "0 2"},
	} {
		dir := filepath.Join("sys/devices/pci0000:00", d.usb)
		write(d.vendor+"\n", dir, "idVendor")
		write(d.product+"\n", dir, "idProduct")
		write(d.name+"\n", dir, "product")
		write(d.devpath+"\n", dir, "devpath")
		if d.serial != "" {
			write(d.serial+"\n", dir, "serial")
		}
		iface := filepath.Base(d.usb) + ":1.0"
		write(d.name, dir, iface, "sound/card"+d.card, "id")
		link("../../../"+iface, dir, iface, "sound/card"+d.card, "device")
		link("../../devices/pci0000:00/"+d.usb+"/"+iface+"/sound/card"+d.card, "sys/class/sound/card"+d.card)
		for input := range strings.FieldsSeq(d.inputs) {
			write("", "sys/class/sound/pcmC"+d.card+"D"+input+"c")
			write("", "dev/snd/pcmC"+d.card+"D"+input+"c")
		}
		write("", "sys/class/sound/pcmC"+d.card+"D0p")
	}
	write("PCH\n", "sys/class/sound/card0/id")
	write("", "sys/class/sound/pcmC0D0c")
	write("", "sys/class/sound/pcmC0D0cx")
	write("", "sys/class/sound/pcmC00D0c")
	write("", "dev/snd/pcmC0D0c")
	write("state: RUNNING\nowner_pid   : 812\n", "proc/asound/card2/pcm0c/sub0/status")
	write("pipewire\n", "proc/812/comm")
	write("closed\n", "proc/asound/card1/pcm0c/sub0/status")
	return system{root: root, access: func(path string) error {
		if strings.HasSuffix(path, "pcmC10D2c") {
			return fs.ErrPermission
		}
		_, err := os.Stat(path)
		return err
	}}
}

func TestSelectorFindsOneInput(t *testing.T) {
	s := fake(t)
	for _, c := range []struct {
		selector, want string // card file, or the Fault
	}{
		{"usb-id:2752:0007", "/dev/snd/pcmC1D0c"},
		{"usb-id:2752:0007:1-0000:00:03.0-2.3", "/dev/snd/pcmC1D0c"},
		{"usb-id:16D0:06F3", "/dev/snd/pcmC2D0c"},
		{"usb-path:0000:00:03.0-2.3", "/dev/snd/pcmC2D0c"},
		{"usb-path:0000:00:14.0-4", "/dev/snd/pcmC4D0c"},
		{"usb-id:1234:abcd#0", "/dev/snd/pcmC10D0c"},
		{"usb-id:1234:abcd:s", "/dev/snd/pcmC10D0c"},
		{"name:anything", ""},
		{"default", ""},
		{"usb-id:0d8c:0014", `device "usb-id:0d8c:0014" matches 2 inputs: usb-path:0000:00:14.0-3, usb-path:0000:00:14.0-4. Use one of these strings.`},
		{"usb-id:1234:abcd#2", `Two has 2 inputs: device "usb-id:1234:abcd#2" names none of them.`},
		{"usb-id:2752:0007:810-6452", "no input matches device \"usb-id:2752:0007:810-6452\".\n" +
			"    Seen now:  \"PCH\", usb-id:2752:0007:1-0000:00:03.0-2.3 \"UMIK-1[31m\", usb-id:16d0:06f3 \"AudioMoth USB\", usb-id:0d8c:0014 \"USB Audio\", " +
			"usb-id:0d8c:0014 \"USB Audio\", usb-id:1234:abcd:s \"Two\"\n" +
			"    What is there of vendor 2752 is another product or has another serial number. Check the cable, then `ingestd devices`."},
	} {
		sel, err := parseSelector(c.selector)
		if err != nil {
			t.Errorf("%s: %v", c.selector, err)
			continue
		}
		to, err := s.find(sel)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case to.card != nil:
			got = to.card.file(to.input)
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.selector, got, c.want)
		}
	}
}

func TestNothingPluggedIn(t *testing.T) {
	for device, want := range map[string]string{
		"usb-id:2752:0007:810-6452": "no input matches device \"usb-id:2752:0007:810-6452\".\n    Seen now:  nothing\n" +
			"    Nothing of vendor 2752 is plugged in. Check the cable, then `ingestd devices`.",
		"usb-path:0000:00:14.0-3": "no input matches device \"usb-path:0000:00:14.0-3\".\n    Seen now:  nothing\n" +
			"    Nothing is in that socket. Check the cable, then `ingestd devices`.",
	} {
		_, err := open(t.Context(), Config{Device: device, Format: format(48000, 1, audio.S16), Sysfs: t.TempDir()})
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestDeniedDeviceIsNamedBeforeAChildIsStarted(t *testing.T) {
	sel, err := parseSelector("usb-id:1234:abcd#1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = fake(t).find(sel)
	if err == nil || !strings.HasPrefix(err.Error(), "/dev/snd/pcmC10D2c: permission denied. The user ") {
		t.Errorf("got %v", err)
	}
	const absent = "/dev/snd/pcmC1D0c: it is not in this process's /dev. Give it the device (DeviceAllow= of a unit, --device of a container)."
	if err := refused("/dev/snd/pcmC1D0c", fs.ErrNotExist); err.Error() != absent {
		t.Errorf("got %v", err)
	}
	for member, want := range map[bool]string{
		false: "The user ingestd is not in group audio: sudo usermod -aG audio ingestd",
		true:  "The user ingestd may, but this process may not: give it the device (DeviceAllow= of a unit, --device of a container).",
	} {
		if got := admission("ingestd", member); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatAChildSaysBecomesAMessage(t *testing.T) {
	s := fake(t)
	resolved := func(device string) target {
		sel, err := parseSelector(device)
		if err != nil {
			t.Fatal(err)
		}
		to, err := s.find(sel)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	umik, moth, named := resolved("usb-id:2752:0007"), resolved("usb-id:16d0:06f3"), resolved("name:USB Audio")
	umik.name = "UMIK-1"
	pulled := umik
	gone := *umik.card
	gone.number = 77
	pulled.card = &gone
	f := format(44100, 2, audio.S24)
	for _, c := range []struct {
		to   target
		n    notice
		want string
	}{
		{moth, notice{Class: noDevice}, `AudioMoth USB is in use by pid 812 (pipewire). Stop it there, or use device = "default".`},
		{moth, notice{Class: busy}, `AudioMoth USB is in use by pid 812 (pipewire). Stop it there, or use device = "default".`},
		{umik, notice{Class: busy}, `UMIK-1 is in use by another program. Stop it there, or use device = "default".`},
		{pulled, notice{Class: noDevice}, `UMIK-1 was unplugged while it was being opened.`},
		{umik, notice{Class: badRate, Rates: []int{48000}}, `UMIK-1 cannot do 44100 Hz; it offers 48000. ingestd does not resample. Set rate = 48000.`},
		{umik, notice{Class: badRate, Rates: []int{8000, 16000}}, `UMIK-1 cannot do 44100 Hz; it offers 8000, 16000. ingestd does not resample. Set rate = 16000.`},
		{umik, notice{Class: badRate, Rates: []int{48000, 88200, 96000, 176400}}, `UMIK-1 cannot do 44100 Hz; it offers 48000..176400. ingestd does not resample. Set rate = 48000.`},
		{umik, notice{Class: badRate}, `UMIK-1 cannot do 44100 Hz. ingestd does not resample.`},
		{umik, notice{Class: badChannels, Channels: 1}, `UMIK-1 has 1 channel, not 2. Set channels = 1 or fewer.`},
		{umik, notice{Class: badFormat, Text: "x\ny"}, `UMIK-1 cannot do encoding s24 (xy). Try another one: s16, s24, s32, f32.`},
		{umik, notice{Class: other, Text: "\x1b[31mno\n"}, `UMIK-1 cannot be captured ([31mno).`},
		{umik, notice{Class: "never heard of"}, `UMIK-1 cannot be captured.`},
		{named, notice{Class: twins, Seen: []string{"USB Audio: - (hw:3,0)", "USB Audio: - (hw:4,0)", "USB Audio: x (hw:0,0)"}},
			`device "name:USB Audio" matches 3 inputs: usb-path:0000:00:14.0-3, usb-path:0000:00:14.0-4, name:USB Audio: x (hw:0,0). Use one of these strings.`},
		{resolved("default"), notice{Class: noDevice}, "there is no default input. Plug in a microphone, or name one: `ingestd devices` prints the strings."},
	} {
		if got := s.explain(c.to, f, c.n).Error(); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.n.Class, got, c.want)
		}
	}
	err := s.explain(umik, f, notice{Class: denied})
	if !strings.HasPrefix(err.Error(), "/dev/snd/pcmC1D0c: permission denied. The user ") {
		t.Errorf("got %v", err)
	}
}

func TestSelectorsThatMeanNothingAreRefused(t *testing.T) {
	for _, bad := range []string{
		"", "hw:0", "usb-id", "usb-id:", "usb-id:2752", "usb-id:275:0007", "usb-id:2752:007", "usb-id:27520:0007", "usb-id:xxxx:0007", "usb-id:+752:0007",
		"usb-path:", "usb-path:#1", "name:", "default:", "Default", "name:a\nb", "name:\x00", "name:" + strings.Repeat("a", 600),
	} {
		if err := CheckSelector(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	for _, good := range []string{"default", "name:x", "name:USB Audio: - (hw:2,0)", "usb-id:2752:0007", "usb-id:2752:0007:", "usb-path:0000:00:14.0-3#2"} {
		if err := CheckSelector(good); err != nil {
			t.Error(err)
		}
	}
}

func FuzzSelector(f *testing.F) {
	f.Add("usb-id:2752:0007:a:b#1")
	f.Add("usb-path:0000:00:14.0-3")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSelector(text)
		if err == nil && (s.text != text || s.index < 0 || s.index > 255 || s.by == "usb-id" && (len(s.vendor) != 4 || len(s.product) != 4)) {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

// TestSecurity_C5: a private configuration is made of numbers, knows one device
// and is one user's.
func TestSecurity_C5(t *testing.T) {
	path, err := writePrivate(t.TempDir(), 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path)
	want := "pcm.ingestd { type hw card 1 device 2 }\npcm.!default { type hw card 1 device 2 }\n"
	if err != nil || string(b) != want {
		t.Errorf("got %q, %v", b, err)
	}
	for _, v := range environment(func(string) string { return "theirs" }, path) {
		if strings.HasPrefix(v, "ALSA_CONFIG_PATH=") && v != "ALSA_CONFIG_PATH="+path {
			t.Errorf("got %s", v)
		}
	}
}

func TestListedDevicesAreToldApart(t *testing.T) {
	s := fake(t)
	got, err := s.devices([]input{
		{Name: "HDA Intel: Generic Analog (hw:0,0)", HostAPI: "ALSA", Channels: 2, Rates: []int{44100, 48000}},
		{Name: "UMIK-1: - (hw:1,0)", Channels: 2, Rates: []int{48000}},
		{Name: "Two: x (hw:10,2)", Channels: 8},
		{Name: "pulse", Channels: 32},
		{Name: "default", HostAPI: "ALSA", Channels: 32, Rates: []int{8000}, Default: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range got {
		line := strings.Join([]string{d.Selector, d.Path, d.Name, rates(d.Rates), d.State}, "|")
		lines = append(lines, line)
	}
	want := []string{
		"usb-id:2752:0007:1-0000:00:03.0-2.3|usb-path:0000:00:14.0-1|UMIK-1[31m|48000|free",
		"usb-id:16d0:06f3|usb-path:0000:00:03.0-2.3|AudioMoth USB||in use by pid 812 (pipewire)",
		"usb-path:0000:00:14.0-3|usb-path:0000:00:14.0-3|USB Audio||free",
		"usb-path:0000:00:14.0-4|usb-path:0000:00:14.0-4|USB Audio||free",
		"usb-id:1234:abcd:s|usb-path:0000:00:14.0-5|Two||free",
		"usb-id:1234:abcd:s#1|usb-path:0000:00:14.0-5#1|Two||permission denied",
		"name:HDA Intel: Generic Analog||HDA Intel: Generic Analog (hw:0,0)|44100, 48000|free",
		"name:pulse||pulse||free",
		"default||ALSA default|8000|free",
	}
	if g, w := strings.Join(lines, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	for _, d := range got {
		sel, err := parseSelector(d.Selector)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := s.find(sel); err != nil && d.State == "free" {
			t.Errorf("%s: %v", d.Selector, err)
		}
	}
}

func TestLongListsOfRatesAreShort(t *testing.T) {
	for want, all := range map[string][]int{
		"":                            nil,
		"48000":                       {48000},
		"44100, 48000":                {44100, 48000},
		"44100..88200":                {44100, 48000, 88200},
		"8000..384000":                usualRates(),
		"8000, 44100..96000, 384000":  {8000, 44100, 48000, 88200, 96000, 384000},
		"11025, 44100, 48000, 192000": {11025, 44100, 48000, 192000},
	} {
		if got := (Device{Rates: all}).RateText(); got != want {
			t.Errorf("%v: got %q, want %q", all, got, want)
		}
	}
}

func TestWithoutPortAudioTheUserIsTold(t *testing.T) {
	if built {
		want := "this ingestd was built without microphone support. Install the .deb, or portaudio19-dev and build again."
		if got := notBuilt().Error(); got != want {
			t.Errorf("got %s", got)
		}
		return
	}
	_, err := Open(t.Context(), Config{Device: "default", Format: format(48000, 1, audio.S16)})
	var f *source.Fault
	if !errors.As(err, &f) || err.Error() != notBuilt().Error() {
		t.Errorf("open: %v", err)
	}
	if _, err := List(t.Context(), ListConfig{}); !errors.As(err, &f) {
		t.Errorf("list: %v", err)
	}
}
