package pipe

import "os"

// A Hold keeps a FIFO open between a source that broke by silence and the next
// one, and hands on what the one knew. Without it the feeder is killed by
// SIGPIPE if it writes in between, one that goes on in the middle of a frame is
// out of step for ever, and when the next frames were due is forgotten. The
// zero value is ready; give it to each Open of one sensor, one source at a
// time, and close it at the end.
type Hold struct {
	path string
	in   *input
	state
}

// take returns what was given back for this path, nil if that is nothing, or
// if another file has its name by now.
func (h *Hold) take(path string) (*input, state, error) {
	if h == nil || h.in == nil {
		return nil, state{}, nil
	}
	in, s := h.in, h.state
	h.in, h.state = nil, state{}
	if h.path == path && in.stillAt(path) {
		return in, s, nil
	}
	return nil, state{}, in.close()
}

func (h *Hold) give(path string, in *input, s state) error {
	if h == nil {
		return in.close()
	}
	h.path, h.in, h.state = path, in, s
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

// freshen drops what stands in the pipe, and what is known of the time before.
// The part of a frame at its end is kept, so that the next one is in step. A
// feeder that goes on to write meanwhile is not followed for ever.
func (s *Source) freshen() {
	buf := make([]byte, keptBytes)
	for left := s.in.capacity; left > 0; {
		had := copy(buf, s.carry)
		n, err := s.in.read(buf[had:min(len(buf), had+left)])
		if err != nil {
			break // the next read says what it is
		}
		left -= n
		whole := (had + n) / s.frame * s.frame
		s.carry = append(s.carry[:0], buf[whole:had+n]...)
	}
	s.state = state{carry: s.carry}
}
