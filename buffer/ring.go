// Package buffer holds the recent past of one sensor in a ring: one writer,
// many readers, absolute positions. Writing takes no lock, allocates nothing
// and waits for nobody; a reader that is too slow is told exactly what it
// lost.
//
// # Blocks, slots, pins
//
// The frames lie in equal blocks of one slab. Slot b mod N names the memory of
// block b in one atomic word, block number and memory id together. The writer
// fills a spare block, swings the slot to it with one store (S) and publishes
// the head with one store (H). A reader pins the memory that a slot names (A)
// and looks at the slot again (V): if the word is another one, it lets go and
// touches nothing. Words never repeat, since they carry the block number.
//
// A block that has left its slot is written again only when the writer has
// seen its pin count at 0 (L). All four operations have a place in one total
// order, as sync/atomic promises. If A comes before L, then L sees the pin. If
// L comes before A, then S, L, A, V follow in this order and V sees that the
// slot has moved on. So no byte is ever read while it is written. Inside the
// open block readers stay below the head and the writer above it.
//
// Spare blocks are paid for up front: a reader can hold back MaxPins blocks
// with views and one more with a copy that is under way. With
// MaxReaders*(MaxPins+1)+1 spares the writer always finds a free one, whatever
// the readers do or fail to do.
//
// # Holes
//
// A hole takes no room: the ring counts stored frames, and a log of holes
// translates positions into them. See holeLog.
package buffer

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
)

// Limits of a Config.
const (
	maxFrameBytes  = 1 << 16
	maxBlockFrames = 1 << 24
	maxReaders     = 1 << 12
	maxPins        = 1 << 6
	maxBytes       = 1 << 34
	maxHoles       = 1 << 20
	blockSize      = 16 << 10 // bytes that a block has at least, unless it is said otherwise
	line           = 64       // bytes that travel together between two cores
)

// Config says how large a ring is. Zero fields take the default.
type Config struct {
	FrameBytes  int   // size of a frame, needed
	Frames      int64 // the window: how many stored frames can at least be read back, needed
	BlockFrames int   // frames in a block, a power of two; by default the least that makes 16 KiB
	MaxReaders  int   // readers at a time; 16
	MaxPins     int   // blocks that one reader may borrow at a time; 4
	Holes       int   // holes that are remembered, plus one; 1,024
	Wake        Wake  // who wakes the readers that wait; the writer
}

// complete fills in the defaults and refuses what is out of range.
func (c Config) complete() (Config, error) {
	if c.FrameBytes < 1 || c.FrameBytes > maxFrameBytes {
		return c, fmt.Errorf("a frame of %d bytes is out of range 1 to %d", c.FrameBytes, maxFrameBytes)
	}
	if c.BlockFrames == 0 {
		least := (blockSize + c.FrameBytes - 1) / c.FrameBytes
		c.BlockFrames = 1 << bits.Len(uint(least-1))
	}
	if c.BlockFrames < 1 || c.BlockFrames > maxBlockFrames || c.BlockFrames&(c.BlockFrames-1) != 0 {
		return c, fmt.Errorf("a block of %d frames is not a power of two from 1 to %d", c.BlockFrames, maxBlockFrames)
	}
	if c.Frames < 1 || c.Frames > math.MaxInt64/2 {
		return c, fmt.Errorf("a window of %d frames is out of range", c.Frames)
	}
	for _, f := range []struct {
		what      string
		v         *int
		def, most int
	}{{"readers", &c.MaxReaders, 16, maxReaders}, {"pins", &c.MaxPins, 4, maxPins}, {"holes", &c.Holes, 1024, maxHoles}} {
		if *f.v == 0 {
			*f.v = f.def
		}
		if *f.v < 1 || *f.v > f.most {
			return c, fmt.Errorf("%d %s is out of range 1 to %d", *f.v, f.what, f.most)
		}
	}
	c.Holes = max(c.Holes, 2) // a log of one remembers none
	if c.Wake > ByTimer {
		return c, fmt.Errorf("wake %d is neither by writer nor by timer", c.Wake)
	}
	return c, nil
}

// A Ring holds the newest frames of one stream. All its methods may be called
// from any goroutine at once.
//
// The frames may lie outside of the Go heap; that memory is given back once
// the Ring is unreachable. Its Writer, every Place and every View that is held
// keep it reachable, a slice of its bytes alone does not.
type Ring struct {
	frameBytes int
	blockMask  int64 // frames in a block, minus 1
	blockShift uint
	stride     int // bytes from block to block in the slab
	count      int64
	maxReaders int
	maxPins    int
	slab       []byte
	slots      []atomic.Uint64 // block<<idBits | id, or empty; the writer stores
	pins       []pin           // by id; readers add, the writer loads
	log        holeLog
	waits      waitSet
	demand     demand
	dropped    atomic.Int64 // places that were never closed
	written    atomic.Bool  // the writer has been handed out
	closed     atomic.Bool  // stored after err
	err        error
	chaos      chaos

	_    [line]byte
	head atomic.Int64 // the Pos behind the newest frame; the writer stores it last of all
	_    [line - 8]byte
}

// pin counts who reads a block, on a line of its own.
type pin struct {
	atomic.Int32
	_ [line - 4]byte
}

const (
	idBits = 20
	empty  = math.MaxUint64
)

func blockOf(word uint64) int64 { return int64(word >> idBits) }
func idOf(word uint64) int      { return int(word & (1<<idBits - 1)) }

// New makes a ring. All of its memory is taken and touched here.
func New(c Config) (*Ring, error) {
	c, err := c.complete()
	if err != nil {
		return nil, fmt.Errorf("make ring: %w", err)
	}
	stride := (int64(c.FrameBytes)*int64(c.BlockFrames) + line - 1) &^ (line - 1)
	count := (c.Frames-1)/int64(c.BlockFrames) + 2
	memories := count + int64(c.MaxReaders)*int64(c.MaxPins+1) + 1
	if memories >= 1<<idBits-1 || memories > min(maxBytes, math.MaxInt/2)/stride {
		return nil, fmt.Errorf("make ring: %d blocks of %d bytes are too many: larger blocks or a smaller window are needed", memories, stride)
	}
	slab, err := newSlab(int(memories * stride))
	if err != nil {
		return nil, fmt.Errorf("make ring of %d bytes: %w", memories*stride, err)
	}
	steps := newChaos()
	r := &Ring{
		frameBytes: c.FrameBytes,
		blockMask:  int64(c.BlockFrames) - 1,
		blockShift: uint(bits.TrailingZeros(uint(c.BlockFrames))),
		stride:     int(stride),
		count:      count,
		maxReaders: c.MaxReaders,
		maxPins:    c.MaxPins,
		slab:       slab,
		slots:      make([]atomic.Uint64, count),
		pins:       make([]pin, memories),
		log:        holeLog{entries: make([]entry, c.Holes), chaos: steps},
		chaos:      steps,
	}
	r.waits.init(c.MaxReaders, c.Wake)
	for i := range r.slots {
		r.slots[i].Store(empty)
	}
	runtime.AddCleanup(r, freeSlab, slab)
	return r, nil
}

// Writer hands out the one writer of the ring. A second call is an error.
func (r *Ring) Writer() (*Writer, error) {
	if r.written.Swap(true) {
		return nil, errors.New("take writer: the ring has its writer already")
	}
	return newWriter(r), nil
}

// FrameBytes is the size of a frame.
func (r *Ring) FrameBytes() int { return r.frameBytes }

// Head is the position behind the newest frame.
func (r *Ring) Head() audio.Pos { return audio.Pos(r.head.Load()) }

// Closed says whether the writer has ended the stream. A reader that sees it
// closed must look at Head once more before it says that the stream is over.
func (r *Ring) Closed() bool {
	r.chaos.at("closed")
	return r.closed.Load()
}

// Err is what the writer ended the stream with, nil before that.
func (r *Ring) Err() error {
	if !r.closed.Load() {
		return nil
	}
	return r.err
}

// slot is where block is named.
func (r *Ring) slot(block int64) *atomic.Uint64 { return &r.slots[uint64(block)%uint64(r.count)] }

// memory is the bytes of one block.
func (r *Ring) memory(id int) []byte {
	at := id * r.stride
	return r.slab[at : at+r.stride : at+r.stride]
}

// holds says whether block can be read at this moment.
func (r *Ring) holds(block int64) bool {
	r.chaos.at("holds")
	return blockOf(r.slot(block).Load()) == block
}

// pin takes hold of the memory of block, or returns false if that has been
// overwritten. Only bytes below a head that was loaded before may be read.
func (r *Ring) pin(block int64) (id int, ok bool) {
	slot := r.slot(block)
	r.chaos.at("L1")
	word := slot.Load()
	if blockOf(word) != block {
		return 0, false
	}
	return r.hold(slot, word)
}

// hold pins the memory that word names, or returns false if slot has moved on
// since word was loaded from it.
func (r *Ring) hold(slot *atomic.Uint64, word uint64) (id int, ok bool) {
	id = idOf(word)
	r.chaos.at("A")
	r.pins[id].Add(1)
	r.chaos.at("V")
	if slot.Load() != word { // the second look
		r.unpin(id)
		return 0, false
	}
	return id, true
}

func (r *Ring) unpin(id int) {
	r.chaos.at("unpin")
	r.pins[id].Add(-1)
}

// touch makes every page of the slab present.
func touch(slab []byte) {
	for at := 0; at < len(slab); at += 4096 {
		slab[at] = 0
	}
}
