// Package wav reads and writes WAV files.
//
// The reader takes what is found in the field: PCM of 8, 16, 24 and 32 bits,
// float of 32 bits, EXTENSIBLE, RF64 and BW64, files that were never finished
// or were cut. It either yields exactly the frames of the file, and says in
// Notes what is odd about it, or refuses the file with one line that says why
// and what to do. It does not trust a size that it finds: nothing is allocated
// by one, and every chunk is bounded by the file before it is looked at.
//
// The writer makes the headers of stored chunks: fmt, bext, GUANO, and the
// sound last, with sizes that say "to the end of the file" until the chunk is
// whole. See AppendHeader and Patch.
package wav

import "encoding/binary"

// Limits of a file that is read.
const (
	maxChunks = 1000     // chunks in a file
	maxGuano  = 64 << 10 // bytes of a GUANO chunk
	maxFields = 1000     // lines of it
)

// Format tags of the fmt chunk.
const (
	tagPCM        = 0x0001
	tagFloat      = 0x0003
	tagExtensible = 0xFFFE
)

// unknown32 is the size of a chunk whose size is not known yet, or does not
// fit into 32 bits.
const unknown32 = 0xFFFFFFFF

// guidTail is what follows the format tag in the SubFormat of EXTENSIBLE.
const guidTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

var le = binary.LittleEndian
