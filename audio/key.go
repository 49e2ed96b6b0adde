package audio

import (
	"fmt"
	"time"
)

// Session names one capture run by the Unix millisecond in which it began.
// All sensors of a run share it.
type Session int64

// SessionAt is the session that begins at t, rounded down to the millisecond.
func SessionAt(t time.Time) Session { return Session(t.UnixMilli()) }

// Time is the instant that the session is named after, in UTC.
func (s Session) Time() time.Time { return time.UnixMilli(int64(s)).UTC() }

// Key names a chunk: the session, the sensor, and the block, which is the
// reader's key of the chunk's first frame, counted from the beginning of the
// session. By default that is the byte offset in the session's PCM.
type Key struct {
	Session Session
	Sensor  string
	Block   int64
}

// String is SESSION/SENSOR/BLOCK.
func (k Key) String() string { return fmt.Sprintf("%d/%s/%d", k.Session, k.Sensor, k.Block) }

// Compare orders keys by session, then sensor, then block. It returns -1, 0
// or 1.
func (k Key) Compare(l Key) int {
	switch {
	case k.Session != l.Session:
		return sign(k.Session < l.Session)
	case k.Sensor != l.Sensor:
		return sign(k.Sensor < l.Sensor)
	case k.Block != l.Block:
		return sign(k.Block < l.Block)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// Check returns an error that names the first field of k that no chunk can
// have.
func (k Key) Check() error {
	if k.Session < 0 {
		return fmt.Errorf("session %d is negative", k.Session)
	}
	if k.Block < 0 {
		return fmt.Errorf("block %d is negative", k.Block)
	}
	return CheckSensor(k.Sensor)
}

// MaxSensor is the longest name of a sensor, in bytes.
const MaxSensor = 63

// CheckSensor returns an error unless id is a name that a sensor may have:
// ^[a-z0-9][a-z0-9_-]{0,62}$. Such a name is safe as a file name, a metric
// label and a part of a URL.
func CheckSensor(id string) error {
	if len(id) == 0 || len(id) > MaxSensor {
		return fmt.Errorf("sensor id %.80q must have 1 to %d characters", id, MaxSensor)
	}
	for i := range len(id) {
		c := id[i]
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '_' && c != '-') {
			return fmt.Errorf("sensor id %q may only hold a-z, 0-9, _ and -, and begins with a letter or a digit", id)
		}
	}
	return nil
}
