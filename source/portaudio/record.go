package portaudio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A capture process speaks in records: a head of 64 bytes, little-endian, and
// the payload that it announces.
//
//	 0 u32 magic "IGD1"         32 i64 mono  CLOCK_MONOTONIC ns on entry to the callback
//	 4 u8  kind                 40 i64 age   ns from the capture of the first frame to mono; -1 unknown
//	 5 u8  flags                48 u32 seq   of the frames records
//	 6 u16 bytes of the head    52 u64 0
//	 8 u32 payload bytes        60 u32 CRC-32C of bytes 0-59
//	12 u32 frames
//	16 i64 pos   frames of this stream before this record, lost ones included
//	24 i64 lost  frames that the child dropped just before this record
const (
	headBytes  = 64
	maxPayload = 1 << 20
	magic      = 0x31444749
)

// protocol is the version that parent and child must agree on.
const protocol = 1

// kind is what a record is.
type kind uint8

const (
	hello   kind = iota + 1 // notice: who speaks
	state                   // notice: how far the start has come
	sound                   // frames
	beat                    // nothing: the process lives, the device is silent
	failure                 // notice: why the child ends
)

// Flags of a sound record.
const (
	overflow = 1 << iota // the driver says that it lost frames shortly before
	aged                 // age is valid
	first                // the first of the stream
)

// record is the head of one.
type record struct {
	kind    kind
	flags   uint8
	payload int // bytes
	frames  int
	pos     int64
	lost    int64
	mono    int64
	age     int64
	seq     uint32
}

var errOutOfStep = errors.New("the capture process is out of step")

func sum(head []byte) uint32 { return crc32.Checksum(head[:60], crc32.MakeTable(crc32.Castagnoli)) }

// put writes the head of r into head, which has headBytes.
func (r record) put(head []byte) {
	clear(head[:headBytes])
	le := binary.LittleEndian
	le.PutUint32(head[0:], magic)
	head[4], head[5] = byte(r.kind), r.flags
	le.PutUint16(head[6:], headBytes)
	le.PutUint32(head[8:], uint32(r.payload))
	le.PutUint32(head[12:], uint32(r.frames))
	le.PutUint64(head[16:], uint64(r.pos))
	le.PutUint64(head[24:], uint64(r.lost))
	le.PutUint64(head[32:], uint64(r.mono))
	le.PutUint64(head[40:], uint64(r.age))
	le.PutUint32(head[48:], r.seq)
	le.PutUint32(head[60:], sum(head))
}

// parse reads a head of headBytes. What it accepts is in range by itself; that
// the records follow each other is checked by the reader.
func parse(head []byte) (record, error) {
	le := binary.LittleEndian
	if len(head) < headBytes || le.Uint32(head) != magic || le.Uint16(head[6:]) != headBytes {
		return record{}, fmt.Errorf("%w: no record where one begins", errOutOfStep)
	}
	if le.Uint32(head[60:]) != sum(head) {
		return record{}, fmt.Errorf("%w: checksum of a record", errOutOfStep)
	}
	payload, frames := le.Uint32(head[8:]), le.Uint32(head[12:])
	if payload > maxPayload || frames > payload {
		return record{}, fmt.Errorf("%w: a record of %d bytes and %d frames", errOutOfStep, payload, frames)
	}
	r := record{
		kind: kind(head[4]), flags: head[5], payload: int(payload), frames: int(frames),
		pos: int64(le.Uint64(head[16:])), lost: int64(le.Uint64(head[24:])),
		mono: int64(le.Uint64(head[32:])), age: int64(le.Uint64(head[40:])), seq: le.Uint32(head[48:]),
	}
	switch {
	case r.kind < hello || r.kind > failure:
		return record{}, fmt.Errorf("%w: a record of kind %d", errOutOfStep, r.kind)
	case r.pos < 0 || r.lost < 0 || r.lost > r.pos || r.pos > maxPos || r.mono < 0 || r.age < -1 || r.age > r.mono:
		return record{}, fmt.Errorf("%w: a record with numbers out of range", errOutOfStep)
	case (r.kind == sound) != (r.frames > 0) || r.kind == beat && r.payload > 0:
		return record{}, fmt.Errorf("%w: a record of kind %d with %d frames", errOutOfStep, r.kind, r.frames)
	}
	return r, nil
}

// maxPos is more frames than any rate delivers in a century. It keeps
// arithmetic on positions of a stream far from overflow.
const maxPos = 1 << 53

// begun is when the first frame of r was captured, on CLOCK_MONOTONIC. Without
// an age it is an upper bound: the callback came when the last was there.
func (r record) begun(rate int64) int64 {
	if r.flags&aged != 0 {
		return r.mono - r.age
	}
	return r.mono - nanoseconds(int64(r.frames), rate)
}

// nanoseconds is how long that many frames last, rounded down.
func nanoseconds(frames, rate int64) int64 {
	return frames/rate*1e9 + frames%rate*1e9/rate
}

// wholeFrames is how many frames last ns, to the nearest.
func wholeFrames(ns, rate int64) int64 {
	return ns/1e9*rate + (ns%1e9*rate+5e8)/1e9
}

// A notice is the payload of a hello, state or failure record, as JSON.
type notice struct {
	Version   int      `json:"v,omitempty"`
	Build     string   `json:"build,omitempty"` // of the program
	PID       int      `json:"pid,omitempty"`
	PortAudio string   `json:"portaudio,omitempty"`
	Stage     string   `json:"stage,omitempty"` // initialized, opened, started; of a failure: the one that was not reached
	Device    string   `json:"device,omitempty"`
	HostAPI   string   `json:"host_api,omitempty"`
	LatencyNS int64    `json:"latency_ns,omitempty"`
	Class     string   `json:"class,omitempty"`
	Text      string   `json:"text,omitempty"`     // the driver's own words
	Seen      []string `json:"seen,omitempty"`     // names of the inputs there are
	Rates     []int    `json:"rates,omitempty"`    // rates that the device offers, Hz
	Channels  int      `json:"channels,omitempty"` // as many as the device has
}

// Classes of a failure.
const (
	noDevice    = "no_device"
	twins       = "twins"
	busy        = "busy"
	denied      = "denied"
	badRate     = "rate"
	badChannels = "channels"
	badFormat   = "format"
	other       = "other"
)

// Stages of a start.
const (
	initialized = "initialized"
	opened      = "opened"
	started     = "started"
)

// An order is the one line of JSON that the parent writes to a capture
// process.
type order struct {
	Version   int    `json:"v"`
	Device    string `json:"device"` // PortAudio's name, or its part before " (hw:"; empty: the default
	Rate      int    `json:"rate"`
	Channels  int    `json:"channels"`
	Encoding  string `json:"encoding"`
	LatencyNS int64  `json:"latency_ns"`
}
