package daemon

import (
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// ServiceManager returns how to tell systemd the state of the service, and how
// often its watchdog wants to hear of it; 0: never. Without systemd, telling
// does nothing.
func ServiceManager() (notify func(state string) error, watchdog time.Duration, err error) {
	watchdog, err = systemd.SdWatchdogEnabled(false)
	if err != nil {
		return nil, 0, fmt.Errorf("read WATCHDOG_USEC: %w", err)
	}
	return func(state string) error {
		_, err := systemd.SdNotify(false, state)
		return err
	}, watchdog, nil
}
