package portaudio

import "sync/atomic"

// ring carries records from the callback of the driver, which must never wait,
// to the goroutine that writes them to the pipe. It holds the bytes of the pipe
// as they are. One goroutine writes, one reads.
type ring struct {
	data []byte
	head atomic.Uint64 // bytes ever written; stored by the writer after it has written them
	tail atomic.Uint64 // bytes ever taken; stored by the reader after it has read them
	wake chan struct{} // of capacity 1: there may be more
}

func newRing(bytes int) *ring {
	return &ring{data: make([]byte, bytes), wake: make(chan struct{}, 1)}
}

// write adds a and b in one piece and says whether there was room for both.
func (r *ring) write(a, b []byte) bool {
	head := r.head.Load()
	if uint64(len(a)+len(b)) > uint64(len(r.data))-(head-r.tail.Load()) {
		return false
	}
	r.copy(head, a)
	r.copy(head+uint64(len(a)), b)
	r.head.Store(head + uint64(len(a)+len(b)))
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return true
}

func (r *ring) copy(at uint64, b []byte) {
	n := copy(r.data[at%uint64(len(r.data)):], b)
	copy(r.data, b[n:])
}

// peek returns the oldest bytes, at most most of them: those that lie
// together. They are valid until take.
func (r *ring) peek(most int) []byte {
	tail := r.tail.Load()
	n := min(r.head.Load()-tail, uint64(most))
	at := tail % uint64(len(r.data))
	return r.data[at:min(at+n, uint64(len(r.data)))]
}

// take frees n bytes that peek returned.
func (r *ring) take(n int) { r.tail.Add(uint64(n)) }

// feed turns callbacks into records in a ring. Its method belongs to the
// thread of the driver.
type feed struct {
	ring  *ring
	frame int // bytes
	rate  int64
	pos   int64
	lost  int64 // dropped since the last record, for want of room
	seq   uint32
	head  [headBytes]byte
}

// sound adds the frames of one callback; it keeps no reference to them. Age is
// -1 if it is not known.
func (f *feed) sound(b []byte, mono, age int64, over bool) {
	for len(b) >= f.frame {
		frames := min(len(b), maxPayload) / f.frame
		p := b[:frames*f.frame]
		b = b[len(p):]
		if age < 0 {
			f.put(p, frames, mono-nanoseconds(int64(len(b)/f.frame), f.rate), -1, over)
		} else {
			f.put(p, frames, mono, age, over)
			age = max(0, age-nanoseconds(int64(frames), f.rate))
		}
		over = false
	}
}

func (f *feed) put(b []byte, frames int, mono, age int64, over bool) {
	r := record{
		kind: sound, payload: len(b), frames: frames,
		pos: f.pos, lost: f.lost, mono: mono, age: age, seq: f.seq,
	}
	if age >= 0 {
		r.flags |= aged
	}
	if over {
		r.flags |= overflow
	}
	if f.seq == 0 {
		r.flags |= first
	}
	r.put(f.head[:])
	f.pos += int64(frames)
	if !f.ring.write(f.head[:], b) {
		f.lost += int64(frames)
		return
	}
	f.lost = 0
	f.seq++
}
