//go:build linux

package portaudio

import (
	"strings"
	"testing"
)

// S19: a microphone is named by what survives a reboot, never by the number of
// its card; a name that fits several is refused, with all of them, as names that
// fit one each.
func TestSeed_S19(t *testing.T) {
	s := fake(t)
	find := func(device string) (target, error) {
		t.Helper()
		sel, err := parseSelector(device)
		if err != nil {
			t.Fatal(err)
		}
		return s.find(sel)
	}
	_, err := find("usb-id:0d8c:0014")
	if err == nil {
		t.Fatal("two microphones of one product were taken for one")
	}
	names := strings.FieldsFunc(strings.TrimSuffix(strings.SplitN(err.Error(), "inputs: ", 2)[1], ". Use one of these strings."), func(r rune) bool { return r == ',' || r == ' ' })
	files := map[string]bool{}
	for _, name := range names {
		to, err := find(name)
		if err != nil || to.card == nil {
			t.Errorf("%s, of %q, finds none: %v", name, names, err)
			continue
		}
		files[to.card.file(to.input)] = true
	}
	if len(names) != 2 || !files["/dev/snd/pcmC3D0c"] || !files["/dev/snd/pcmC4D0c"] {
		t.Errorf("%q stand for %v", names, files)
	}
	for device, file := range map[string]string{
		"usb-id:2752:0007:1-0000:00:03.0-2.3": "/dev/snd/pcmC1D0c", "usb-path:0000:00:03.0-2.3": "/dev/snd/pcmC2D0c",
	} {
		to, err := find(device)
		if err != nil || to.card == nil || to.card.file(to.input) != file {
			t.Errorf("%s: %+v, %v, want %s", device, to, err, file)
		}
	}
	for _, number := range []string{"hw:1,0", "1", "card1", "/dev/snd/pcmC1D0c"} {
		if CheckSelector(number) == nil {
			t.Errorf("%q, which another reboot makes another microphone, was accepted", number)
		}
	}
}
