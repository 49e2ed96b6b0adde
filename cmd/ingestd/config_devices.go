package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ingestd/ingestd/source/portaudio"
)

// lookForDevices tells every microphone of c that is not plugged in, or that
// cannot be told from another. It opens none: that could disturb a daemon that
// records it. What only PortAudio could find, by its name or as the default, is
// not looked for.
func (p *program) lookForDevices(c *config) error {
	var wrong []string
	inputs := map[string]*sensorConfig{} // by device file
	for _, s := range c.enabled() {
		if s.Source != sourcePortAudio {
			continue
		}
		found, known, err := portaudio.Look(s.Device, p.sysfs)
		switch other := inputs[found.File]; {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %v", s.ID, err))
		case !known:
		case other != nil:
			wrong = append(wrong, fmt.Sprintf("%s: device %q is the input that %s records already, as %q: the second would find it busy. Switch one off (enabled = false).", s.ID, s.Device, other.ID, other.Device))
		default:
			inputs[found.File] = s
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	wrong = append(wrong, counted(len(wrong), "problem")+". The rest of the configuration is good; with --no-devices nothing is looked for.")
	return withCode(exitConfig, errors.New(strings.Join(wrong, "\n")))
}
