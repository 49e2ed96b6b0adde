package clock

import (
	"io"
	"os"
	"strings"
)

// bootIDFile is a random number of each boot: see random(4).
const bootIDFile = "/proc/sys/kernel/random/boot_id"

// BootID names the machine's boot, within which CLOCK_BOOTTIME means something;
// "" if it has no name.
func BootID() string {
	f, err := os.Open(bootIDFile)
	if err != nil {
		return ""
	}
	defer f.Close()
	text := make([]byte, 36)
	if _, err := io.ReadFull(f, text); err != nil || strings.Trim(string(text), "0123456789abcdef-") != "" {
		return ""
	}
	return string(text)
}
