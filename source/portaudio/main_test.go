//go:build linux

package portaudio

import (
	"flag"
	"os"
	"testing"

	"github.com/ingestd/ingestd/audio"
)

// The test binary is its own capture process, and plays other parts beside.
func TestMain(m *testing.M) {
	if standIn(os.Exit) || Child(os.Args, os.Exit) {
		return
	}
	// The tests mostly wait.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func format(rate, channels int, enc audio.Encoding) audio.Format {
	return audio.Format{Rate: rate, Channels: channels, Encoding: enc}
}
