package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/source/portaudio"
)

func TestDevicesAreATableToCopyFrom(t *testing.T) {
	var out, errs bytes.Buffer
	p := &program{stdout: &out, stderr: &errs}
	err := p.deviceTable([]portaudio.Device{
		{Selector: "usb-id:2752:0007:810-6452", Name: "UMIK-1", Channels: 2, Rates: []int{48000}, State: "free"},
		{Selector: "usb-id:16d0:06f3", Name: "AudioMoth USB", Channels: 1, Rates: []int{48000, 88200, 96000, 176400, 192000, 250000, 256000, 384000}, State: "free"},
		{Selector: "usb-path:0000:00:14.0-4", Name: "USB Audio", State: "in use by pid 812 (pipewire)"},
		{Selector: "default", Name: "ALSA default", Channels: 2, Rates: []int{44100, 48000}, State: "free", Resample: true},
	})
	want := "" +
		"DEVICE STRING              NAME           CHANNELS  RATES          STATE\n" +
		"usb-id:2752:0007:810-6452  UMIK-1         2         48000          free\n" +
		"usb-id:16d0:06f3           AudioMoth USB  1         48000..384000  free\n" +
		"usb-path:0000:00:14.0-4    USB Audio                               in use by pid 812 (pipewire)\n" +
		"default                    ALSA default   2         44100, 48000   free, may resample\n"
	if err != nil || out.String() != want || errs.Len() > 0 {
		t.Errorf("%v, got\n%swant\n%sand on standard error %q", err, out.String(), want, errs.String())
	}
}

// A stop that comes while devices and stores are still being opened is no
// failure.
func TestInterruptedBeforeTheFirstFrame(t *testing.T) {
	dir := t.TempDir()
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	name := filepath.Join(dir, "ingestd.toml")
	config := "[http]\nlisten = \"off\"\n[[sensor]]\nid = \"mic0\"\nsource = \"tone\"\n[[reader]]\nname = \"archive\"\nsink = \"disk\"\n" +
		"[sink.disk]\ndriver = \"files\"\nroot = \"" + filepath.ToSlash(filepath.Join(dir, "root")) + "\"\n"
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	p := &program{stdout: &out, stderr: &errs, clock: clock.System{}, config: name, flags: map[string]string{}}
	if err := p.daemon(stop, t.Context()); err != nil {
		t.Errorf("run: %v", err)
	}
	var coded *exitError
	for what, err := range map[string]error{
		"record": p.record(stop, t.Context(), "mic0", 0),
		"replay": p.replay(stop, t.Context(), replayFlags{
			sensor: "mic0", root: filepath.Join(dir, "root"), start: "now", chunk: "1s", key: keyBytes, sync: "chunk", rotate: never, speed: 1,
		}, []string{"../../testdata/wavs/s16-48000-1.wav"}),
	} {
		if !errors.As(err, &coded) || coded.code != exitInterrupted || err.Error() != errEarly.Error() {
			t.Errorf("%s: %v", what, err)
		}
	}
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
}
