package portaudio

import "bytes"

// Capture times are late by a few milliseconds under load. So less than this
// is never a loss unless the driver said that it lost frames, and more is one
// only if the records behind agree.
const (
	jitter = 20e6 // ns
	agree  = 3    // records
)

// losses turns the records of one child into losses. It holds a record back
// while it is in doubt whether frames are missing before it.
//
// The length of a loss comes from capture times: the overflow flag gives none,
// and stays on for every callback of the host's period. Records keep their
// order.
//
// Who opens the next source makes a hole of the time since the last frame of
// this one. So what was in doubt is dated by what was settled, not by its own
// time: a gap that was in doubt and is not counted is not in the times either,
// and a child that ends while one is in doubt leaves it to the hole that follows.
type losses struct {
	rate  int64
	queue []piece
	some  bool  // a record came before
	end   int64 // CLOCK_MONOTONIC ns at which the last of it was captured
	over  bool  // it had the overflow flag
}

// piece is a record with its sound and what is missing before it, in frames.
type piece struct {
	record
	sound   []byte
	owned   bool     // sound is a copy
	at      int64    // CLOCK_MONOTONIC ns at which its first frame was captured
	missing [2]int64 // dropped by the child; lost in the driver or the device
}

// push takes the next sound record. Its bytes must stay valid until pop has
// answered.
func (l *losses) push(r record, sound []byte) {
	l.queue = append(l.queue, piece{record: r, sound: sound})
}

// pop returns the next record that is not in doubt. With flush none is.
func (l *losses) pop(flush bool) (piece, bool) {
	if len(l.queue) == 0 {
		return piece{}, false
	}
	head := l.queue[0]
	missing, doubt := l.gap(head.record)
	head.at = head.begun(l.rate)
	if doubt {
		if len(l.queue) <= agree && !flush {
			l.own()
			return piece{}, false
		}
		missing = l.settle(missing)
		head.at = l.end + nanoseconds(head.lost, l.rate) + missing
	}
	head.missing = [2]int64{head.lost, wholeFrames(missing, l.rate)}
	l.some, l.over = true, head.flags&overflow != 0
	l.end = head.at + nanoseconds(int64(head.frames), l.rate)
	l.queue = append(l.queue[:0], l.queue[1:]...)
	return head, true
}

// gap is how many ns are missing before r beside what the child dropped, and
// whether that is in doubt.
func (l *losses) gap(r record) (ns int64, doubt bool) {
	if !l.some {
		return 0, false
	}
	ns = max(0, r.begun(l.rate)-l.end-nanoseconds(r.lost, l.rate))
	switch {
	case r.flags&overflow != 0 && !l.over:
		return ns, false
	case ns > jitter:
		return ns, true
	}
	return 0, false
}

// settle is the gap before the first record of the queue on which all of them
// agree: the smallest, since a capture time may be late and is never early. It
// is 0 if there are too few of them, or if one saw hardly any.
func (l *losses) settle(ns int64) int64 {
	if len(l.queue) <= agree {
		return 0
	}
	due := l.end
	for i, p := range l.queue[:agree+1] {
		due += nanoseconds(p.lost, l.rate)
		if i > 0 {
			ns = min(ns, p.begun(l.rate)-due)
		}
		due += nanoseconds(int64(p.frames), l.rate)
	}
	if ns <= jitter {
		return 0
	}
	return ns
}

// own copies the sound of what is held back: its bytes are about to go.
func (l *losses) own() {
	last := &l.queue[len(l.queue)-1]
	if !last.owned {
		last.sound, last.owned = bytes.Clone(last.sound), true
	}
}
