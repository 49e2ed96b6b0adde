package pipe

import (
	"bytes"
	"os"
)

// A Hold keeps a FIFO open between a source that broke by silence and the next
// one. Without it the feeder is killed by SIGPIPE if it writes in between, and
// one that goes on in the middle of a frame is out of step for ever. The zero
// value is ready; give it to each Open of one sensor, one source at a time,
// and close it at the end.
type Hold struct {
	path  string
	in    *input
	carry []byte
}

// take returns what was given back for this path, nil if that is nothing, or
// if another file has its name by now.
func (h *Hold) take(path string) (*input, []byte, error) {
	if h == nil || h.in == nil {
		return nil, nil, nil
	}
	in, carry := h.in, h.carry
	h.in, h.carry = nil, nil
	if h.path == path && in.stillAt(path) {
		return in, carry, nil
	}
	return nil, nil, in.close()
}

func (h *Hold) give(path string, in *input, carry []byte) error {
	if h == nil {
		return in.close()
	}
	h.path, h.in, h.carry = path, in, bytes.Clone(carry)
	return nil
}

// Close closes what is held. It may be called more than once.
func (h *Hold) Close() error {
	if h == nil || h.in == nil {
		return nil
	}
	in := h.in
	h.in = nil
	return in.close()
}

// stillAt says whether path still names the file that is open.
func (in *input) stillAt(path string) bool {
	if path == "-" {
		return true
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(in.info, now)
}
