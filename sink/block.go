package sink

import (
	"time"

	"github.com/ingestd/ingestd/audio"
)

// Block is the line of a chunk in blocks.jsonl.
type Block struct {
	Block  int64  `json:"block"`
	From   int64  `json:"from"`             // frames since the session began
	Frames int64  `json:"frames"`           // in the chunk
	Bytes  int64  `json:"bytes"`            // of its file
	PCM    string `json:"pcm"`              // CRC-32C of the frames as captured, eight hex digits
	SHA256 string `json:"sha256"`           // of the file
	UTC    string `json:"utc,omitempty"`    // of the first frame: RFC 3339, nine digits of a second
	ErrUs  *int64 `json:"err_us,omitempty"` // half width of what UTC is known to, microseconds; absent: unknown
	Holes  []Hole `json:"holes,omitempty"`  // what is missing just before it, in order
}

// End is the last line of a session in blocks.jsonl.
type End struct {
	End   int64         `json:"end"` // where the session ends, frames since it began
	Clean bool          `json:"clean"`
	Next  audio.Session `json:"next,omitempty"`  // the session that goes on from here
	Holes []Hole        `json:"holes,omitempty"` // what is missing at the end
}

// timeText writes an instant as the store's files have it.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }
