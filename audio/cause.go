package audio

import "fmt"

// Cause says why a hole is one. The list is closed: metrics, chunk indexes and
// messages use these words and no others.
type Cause uint8

// The causes. The zero value is no cause: a hole always has one.
const (
	XRun    Cause = iota + 1 // lost in driver or device while the stream was open
	Source                   // the capture process could not hand its frames on in time
	Device                   // there was no stream: unplugged, refused, restarted
	Suspend                  // the machine slept
	Stopped                  // switched off on purpose
	Muted                    // muted on purpose
	Overrun                  // overwritten in the ring before it was stored
	Disk                     // the disk was full or failed
	Corrupt                  // stored, and damaged since
	Deleted                  // stored, and deleted since
	Erased                   // stored, and erased on request
)

var causes = [...]string{
	XRun: "xrun", Source: "source", Device: "device", Suspend: "suspend", Stopped: "stopped", Muted: "muted",
	Overrun: "overrun", Disk: "disk", Corrupt: "corrupt", Deleted: "deleted", Erased: "erased",
}

// Causes returns all causes, in their order.
func Causes() []Cause {
	all := make([]Cause, 0, len(causes)-1)
	for c := XRun; int(c) < len(causes); c++ {
		all = append(all, c)
	}
	return all
}

// ParseCause returns the cause of that name.
func ParseCause(name string) (Cause, error) {
	for _, c := range Causes() {
		if causes[c] == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("unknown cause %q of a hole", name)
}

// Valid says whether c is one of the causes.
func (c Cause) Valid() bool { return c >= XRun && int(c) < len(causes) }

// String returns the name that ParseCause takes.
func (c Cause) String() string {
	if !c.Valid() {
		return fmt.Sprintf("cause(%d)", uint8(c))
	}
	return causes[c]
}

// MarshalText writes the name.
func (c Cause) MarshalText() ([]byte, error) {
	if !c.Valid() {
		return nil, fmt.Errorf("cause %d has no name", uint8(c))
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads the name.
func (c *Cause) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCause(string(text))
	return err
}
