package portaudio

import "os"

// wire reads records from the data pipe of a child. It allocates by what the
// head of a record says only after that was checked.
type wire struct {
	pipe       *os.File
	buf        []byte
	r, w       int   // the bytes in buf that were read and not taken yet
	pos        int64 // of the next sound record, if nothing is lost
	seq        uint32
	frameBytes int
}

func newWire(pipe *os.File, frameBytes int) *wire {
	return &wire{pipe: pipe, buf: make([]byte, 64<<10), frameBytes: frameBytes}
}

// next returns the next record that is there as a whole, and its payload,
// which is valid until fill. It does not wait.
func (w *wire) next() (r record, payload []byte, ok bool, err error) {
	if w.w-w.r < headBytes {
		return record{}, nil, false, nil
	}
	r, err = parse(w.buf[w.r : w.r+headBytes])
	if err != nil {
		return record{}, nil, false, err
	}
	if w.w-w.r < headBytes+r.payload {
		return record{}, nil, false, nil
	}
	if r.kind == sound {
		if r.frames*w.frameBytes != r.payload || r.pos != w.pos+r.lost || r.seq != w.seq {
			return record{}, nil, false, errOutOfStep
		}
		w.pos, w.seq = r.pos+int64(r.frames), w.seq+1
	}
	payload = w.buf[w.r+headBytes : w.r+headBytes+r.payload]
	w.r += headBytes + r.payload
	return r, payload, true, nil
}

// fill waits for bytes until the pipe's deadline and reads them once. At the
// end of the pipe it returns io.EOF.
func (w *wire) fill() error {
	w.room()
	n, err := w.pipe.Read(w.buf[w.w:])
	w.w += n
	if n > 0 {
		return nil
	}
	return err
}

// room makes room for the rest of the record that buf begins with.
func (w *wire) room() {
	w.w = copy(w.buf, w.buf[w.r:w.w])
	w.r = 0
	if w.w < headBytes {
		return
	}
	// next has checked this head.
	if r, err := parse(w.buf[:headBytes]); err == nil && headBytes+r.payload > len(w.buf) {
		grown := make([]byte, headBytes+r.payload)
		copy(grown, w.buf[:w.w])
		w.buf = grown
	}
}
