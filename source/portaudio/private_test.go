//go:build linux && cgo && !noportaudio

package portaudio

import (
	"os"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// The device files are there and no driver is behind them: what PortAudio
// cannot open it does not list.
func TestDeviceThatCannotBeOpenedIsSaidToBeInUse(t *testing.T) {
	t.Parallel()
	s, dir := fake(t), t.TempDir()
	c := Config{Format: format(48000, 1, audio.S16), Sysfs: s.root, Dir: dir, Log: func(line string) { t.Log(line) }}
	for device, message := range map[string]string{
		"usb-id:16d0:06f3": `AudioMoth USB is in use by pid 812 (pipewire). Stop it there, or use device = "default".`,
		"usb-id:1234:abcd": `Two is in use by another program. Stop it there, or use device = "default".`,
	} {
		c.Device = device
		_, err := Open(t.Context(), c)
		wantFault(t, err, source.Failed, message)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
