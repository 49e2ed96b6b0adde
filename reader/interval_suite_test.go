package reader_test

import (
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/reader/readertest"
)

// The starts and ends of items are keys like others.
func TestStartsAndEndsPassTheSuite(t *testing.T) {
	ms := reader.Millis(7, 44100)
	want := func(a reader.Affine, p audio.Pos) int64 {
		_, key := exactKey(a, p)
		return key.Int64()
	}
	for name, keys := range map[string]func() readertest.Keys{
		"ends where the next begins": func() readertest.Keys {
			return readertest.Keys{KeyTrans: reader.Next(ms), Span: audio.Span{To: 3000}, Want: func(p audio.Pos) int64 { return want(ms, p+1) }}
		},
		"ends after a length": func() readertest.Keys {
			return readertest.Keys{KeyTrans: reader.Shifted(ms, 250), Span: audio.Span{To: 3000}, Want: func(p audio.Pos) int64 { return want(ms, p) + 250 }}
		},
		"starts before the stamp": func() readertest.Keys {
			return readertest.Keys{KeyTrans: reader.Shifted(ms, -1<<40), Span: audio.Span{To: 3000}, Want: func(p audio.Pos) int64 { return want(ms, p) - 1<<40 }}
		},
		"after a length, in an index that grows": func() readertest.Keys {
			k := growing(entries(300, jittered), 100)
			inner := k.Want
			k.KeyTrans, k.Want = reader.Shifted(k.KeyTrans, 5), func(p audio.Pos) int64 { return inner(p) + 5 }
			return k
		},
	} {
		t.Run(name, func(t *testing.T) { readertest.TestKeyTrans(t, keys) })
	}
}
