//go:build bench

package ring

import (
	"testing"

	"github.com/ingestd/ingestd/audio"
)

const chunkWords = chunk / wordBytes

// wordRing is the reference as a rival.
type wordRing struct{ words *words }

func newWordRing(_ testing.TB, chunks int) rival {
	return wordRing{newWords(chunks*chunkWords, sound)}
}

func (r wordRing) Write(p []byte) { r.words.write(p) }

func (r wordRing) Last(dst []byte) bool {
	at := r.words.head.Load() - int64(len(dst)/wordBytes)
	if at < 0 {
		return false
	}
	n, _ := r.words.read(dst, audio.Pos(at))
	return int(n) == len(dst)/wordBytes
}

func (r wordRing) Follow() follower { return &wordReader{r.words, audio.Pos(r.words.head.Load())} }

type wordReader struct {
	words *words
	at    audio.Pos
}

func (r *wordReader) Next(dst []byte) int {
	n, lost := r.words.read(dst, r.at)
	if !lost.Empty() {
		r.at = r.words.bounds().From
		return r.Next(dst)
	}
	r.at += audio.Pos(n)
	return int(n) / chunkWords
}

func (r *wordReader) Close() {}
