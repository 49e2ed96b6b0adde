package portaudio

import (
	"fmt"
	"os"
)

// environment is the whole environment of a child. The list is closed: none of
// the daemon's secrets, sockets or credentials may get there. alsa is the path
// of a configuration, or empty for the system's.
func environment(get func(string) string, alsa string) []string {
	env := []string{
		"LANG=C",
		"JACK_NO_START_SERVER=1",
		"GOMAXPROCS=2",
		"GOTRACEBACK=none",         // what killed it would drown in stacks and registers
		"GORACE=atexit_sleep_ms=0", // a child built with -race would take a second to exit
	}
	if alsa != "" {
		env = append(env, "ALSA_CONFIG_PATH="+alsa)
	}
	for _, name := range []string{
		"PATH", "HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
		"PULSE_SERVER", "PULSE_SOURCE", "PULSE_COOKIE", "PULSE_RUNTIME_PATH", "PULSE_CLIENTCONFIG",
		"PIPEWIRE_REMOTE", "PIPEWIRE_RUNTIME_DIR", "PIPEWIRE_NODE", "PIPEWIRE_LATENCY",
		"JACK_DEFAULT_SERVER", "JACK_SERVER", "ALSA_CONFIG_PATH", "ALSA_CONFIG_DIR", "ALSA_PLUGIN_DIR",
	} {
		if v := get(name); v != "" && (name != "ALSA_CONFIG_PATH" || alsa == "") {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// privateName is what PortAudio calls the one device of a private
// configuration.
const privateName = "ingestd"

// privateConfig is an ALSA configuration that knows one device. PortAudio
// opens all that it finds: with this it finds no other, is ready at once and
// disturbs nobody. It needs a default, without which PortAudio aborts.
func privateConfig(card, device int) string {
	hw := fmt.Sprintf("{ type hw card %d device %d }\n", card, device)
	return "pcm." + privateName + " " + hw + "pcm.!default " + hw
}

// writePrivate writes the configuration to a new file in dir and returns its
// path. Only this user can read it.
func writePrivate(dir string, card, device int) (path string, err error) {
	f, err := os.CreateTemp(dir, "asound-*.conf") // of mode 0600
	if err != nil {
		return "", fmt.Errorf("write the ALSA configuration: %w", err)
	}
	_, err = f.WriteString(privateConfig(card, device))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to tell
		return "", fmt.Errorf("write the ALSA configuration %s: %w", f.Name(), err)
	}
	return f.Name(), nil
}
