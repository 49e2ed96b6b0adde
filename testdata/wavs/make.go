//go:build ignore

// Make writes the WAV files of this folder anew, byte for byte the same each
// time:
//
//	go run testdata/wavs/make.go [FOLDER]
package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := filepath.Join("testdata", "wavs")
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := run(root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	for _, set := range []map[string][]byte{good(), odd(), bad()} {
		for name, content := range set {
			path := filepath.Join(root, filepath.FromSlash(name)+".wav")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

var le = binary.LittleEndian

// format is the content of a fmt chunk.
type format struct {
	tag, channels uint16
	rate          uint32
	bits          uint16
}

const (
	pcm, float, extensible = 1, 3, 0xFFFE
	guidTail               = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
)

var (
	s16 = format{pcm, 1, 48000, 16}
	s24 = format{pcm, 1, 48000, 24}
	f32 = format{float, 1, 48000, 32}
)

// plain is f as a fmt chunk of 16 bytes.
func (f format) plain() string {
	b := le.AppendUint16(nil, f.tag)
	b = le.AppendUint16(b, f.channels)
	b = le.AppendUint32(b, f.rate)
	b = le.AppendUint32(b, f.rate*uint32(f.channels)*uint32(f.bits)/8)
	b = le.AppendUint16(b, f.channels*f.bits/8)
	return chunk("fmt ", string(le.AppendUint16(b, f.bits)))
}

// long is f as an EXTENSIBLE fmt chunk.
func (f format) long(mask uint32, tail string) string {
	g := f
	g.tag = extensible
	b := le.AppendUint16([]byte(g.plain()[8:]), 22)
	b = le.AppendUint16(b, f.bits)
	b = le.AppendUint32(b, mask)
	b = append(le.AppendUint16(b, f.tag), tail...)
	return chunk("fmt ", string(b))
}

// sound is n frames of f: a triangle in each channel, each at its own pitch,
// cut from 32 bits to what the format has, so that every bit of it is used.
func (f format) sound(n int) string {
	var b []byte
	for i := range uint32(n) {
		for c := range uint32(f.channels) {
			t := i*0x01F35A77*(c+1) + c*0x9E3779B9
			if t >= 1<<31 {
				t = ^t
			}
			v := t<<1 - 1<<31 // a signed number
			switch {
			case f.tag == float && f.bits == 64:
				b = le.AppendUint64(b, math.Float64bits(float64(int32(v))/(1<<31)))
			case f.tag == float:
				b = le.AppendUint32(b, math.Float32bits(float32(int32(v)>>8)/(1<<23)))
			case f.bits == 8:
				b = append(b, byte(v>>24)+128)
			case f.bits == 16:
				b = le.AppendUint16(b, uint16(v>>16))
			case f.bits == 24:
				b = append(b, byte(v>>8), byte(v>>16), byte(v>>24))
			default:
				b = le.AppendUint32(b, v)
			}
		}
	}
	return string(b)
}

// head is the header of a chunk.
func head(id string, size uint32) string { return id + string(le.AppendUint32(nil, size)) }

// chunk is a chunk, with its pad byte.
func chunk(id, content string) string {
	return head(id, uint32(len(content))) + content + strings.Repeat("\x00", len(content)%2)
}

// riff is a whole file of these chunks.
func riff(chunks ...string) []byte {
	all := strings.Join(chunks, "")
	return []byte(head("RIFF", uint32(4+len(all))) + "WAVE" + all)
}

// simple is n frames of f in a plain file.
func (f format) simple(n int) []byte { return riff(f.plain(), chunk("data", f.sound(n))) }

// fact is the chunk that sound other than PCM must have.
func fact(frames uint32) string { return chunk("fact", string(le.AppendUint32(nil, frames))) }

// rf64 is a file whose sizes stand in a ds64 chunk.
func rf64(id string, size uint64, f format, sound string) []byte {
	b := le.AppendUint64(nil, size)
	b = le.AppendUint64(b, uint64(len(sound)))
	if size == 0 {
		b = make([]byte, 16)
	}
	b = append(b, make([]byte, 12)...)
	all := "WAVE" + chunk("ds64", string(b)) + f.plain() + head("data", math.MaxUint32) + sound
	return []byte(head(id, math.MaxUint32) + all)
}

const info = "INFOISFT\x06\x00\x00\x00maker\x00"

// bext is a bext chunk that puts the sound at 2026-11-21, frames after
// midnight.
func bext(frames uint64) string {
	b := make([]byte, 602)
	copy(b, "made by testdata/wavs/make.go")
	copy(b[256:], "make.go")
	copy(b[320:], "2026-11-2114:00:00")
	le.PutUint64(b[338:], frames)
	b[346] = 1
	return chunk("bext", string(b))
}

const guano = "GUANO|Version: 1.0\nTimestamp: 2026-11-21T15:00:00.250000+01:00\nMake: make.go\nLoc Position: 46.5191 6.5668\n" +
	"Note: made by a program\nTE: 1\n"

// good are the files that any tool reads.
func good() map[string][]byte {
	quad, quad24 := format{pcm, 4, 48000, 16}, format{pcm, 4, 44100, 24}
	quadf := format{float, 4, 96000, 32}
	return map[string][]byte{
		"s16-16000-1":     format{pcm, 1, 16000, 16}.simple(800),
		"s16-44100-2":     format{pcm, 2, 44100, 16}.simple(1102),
		"s16-48000-1":     s16.simple(2400),
		"s16-48000-4":     riff(quad.long(0x33, guidTail), chunk("data", quad.sound(600))),
		"s24-44100-4":     riff(quad24.long(0x33, guidTail), chunk("data", quad24.sound(441))),
		"s24-48000-1-odd": s24.simple(1001),
		"s24-96000-2":     format{pcm, 2, 96000, 24}.simple(960),
		"s32-16000-2":     format{pcm, 2, 16000, 32}.simple(400),
		"s32-48000-1":     format{pcm, 1, 48000, 32}.simple(1200),
		"f32-48000-1":     riff(f32.plain(), fact(1200), chunk("data", f32.sound(1200))),
		"f32-96000-4":     riff(quadf.long(0x33, guidTail), fact(480), chunk("data", quadf.sound(480))),
		"dated":           riff(s16.plain(), bext(14*3600*48000+12000), chunk("guan", guano), chunk("data", s16.sound(480))),
	}
}

// odd are files that are read, most of them with a word to the user.
func odd() map[string][]byte {
	u8, u8x2 := format{pcm, 1, 8000, 8}, format{pcm, 2, 22050, 8}
	data := chunk("data", s16.sound(240))
	open := head("data", math.MaxUint32) + s16.sound(240)
	wrong := s16.simple(240)
	le.PutUint32(wrong[4:], 1)
	return map[string][]byte{
		"odd/u8":                  u8.simple(401),
		"odd/u8-extensible":       riff(u8x2.long(3, guidTail), chunk("data", u8x2.sound(100))),
		"odd/extensible-s16":      riff(s16.long(4, guidTail), data),
		"odd/extensible-s24-odd":  riff(s24.long(4, guidTail), chunk("data", s24.sound(101))),
		"odd/extensible-f32":      riff(f32.long(4, guidTail), fact(100), chunk("data", f32.sound(100))),
		"odd/fmt-18":              riff(chunk("fmt ", s16.plain()[8:]+"\x00\x00"), data),
		"odd/rf64":                rf64("RF64", 552, s16, s16.sound(240)),
		"odd/bw64":                rf64("BW64", 552, s16, s16.sound(240)),
		"odd/rf64-open":           rf64("RF64", 0, s16, s16.sound(240)),
		"odd/size-unknown":        []byte(head("RIFF", math.MaxUint32) + "WAVE" + s16.plain() + open),
		"odd/size-unknown-part":   []byte(head("RIFF", math.MaxUint32) + "WAVE" + s16.plain() + open + "x"),
		"odd/size-zero":           []byte(head("RIFF", 0) + "WAVE" + s16.plain() + head("data", 0) + s16.sound(240)),
		"odd/size-zero-empty":     riff(s16.plain(), head("data", 0)),
		"odd/size-zero-list":      riff(s16.plain(), head("data", 0), chunk("LIST", info)),
		"odd/size-zero-junk":      append(riff(s16.plain(), head("data", 0)), s16.sound(240)...),
		"odd/cut":                 s16.simple(2400)[:1244],
		"odd/cut-in-frame":        format{pcm, 2, 44100, 24}.simple(2400)[:1243],
		"odd/part-of-a-frame":     riff(s24.plain(), chunk("data", s24.sound(240)+"\x01\x02")),
		"odd/riff-size-wrong":     wrong,
		"odd/list-before":         riff(s16.plain(), chunk("LIST", info), data),
		"odd/list-first":          riff(chunk("LIST", info), s16.plain(), data),
		"odd/list-after":          riff(s16.plain(), data, chunk("LIST", info)),
		"odd/bext-first":          riff(bext(1), s16.plain(), data),
		"odd/odd-chunk":           riff(s16.plain(), chunk("note", "odd"), data),
		"odd/odd-chunk-no-pad":    riff(s16.plain(), head("note", 3)+"odd", data),
		"odd/odd-data-no-pad":     riff(s24.plain(), head("data", 303)+s24.sound(101), chunk("guan", guano)),
		"odd/guano-behind":        riff(s16.plain(), data, chunk("guan", guano)),
		"odd/junk-behind":         append(riff(s16.plain(), data), "\x00\x01 junk that is no chunk"...),
		"odd/cut-behind":          append(riff(s16.plain(), data), head("LIST", 4000)+"INFO"...),
		"odd/second-data":         riff(s16.plain(), data, chunk("data", "\x01\x02\x03\x04")),
		"odd/guano-local-time":    riff(s16.plain(), chunk("guan", strings.Replace(guano, "+01:00", "", 1)), data),
		"odd/list-says-gigabytes": riff(s16.plain(), chunk("LIST", "INFO"+head("ISFT", 0x7fffffff)), data),
	}
}

// bad are files that must be refused.
func bad() map[string][]byte {
	data := chunk("data", s16.sound(24))
	with := func(f format) []byte { return riff(f.plain(), data) }
	align := s16.plain()[:20] + "\x03\x00" + s16.plain()[22:]
	rifx := with(s16)
	copy(rifx, "RIFX")
	avi := with(s16)
	copy(avi[8:], "AVI ")
	many := riff(s16.plain(), strings.Repeat(head("note", 0), 1001), data)
	f64 := format{float, 1, 48000, 64}
	return map[string][]byte{
		"bad/empty":              {},
		"bad/one-byte":           []byte("R"),
		"bad/cut-in-header":      with(s16)[:10],
		"bad/cut-in-fmt":         with(s16)[:30],
		"bad/zeros":              make([]byte, 256),
		"bad/text":               []byte("<!DOCTYPE html>\n<title>404</title>\n"),
		"bad/mp3-id3":            []byte("ID3\x04\x00\x00\x00\x00\x00\x00 the rest of an MP3"),
		"bad/mp3-frame":          []byte("\xff\xfb\x90\x64 the rest of an MP3"),
		"bad/ogg":                []byte("OggS\x00\x02 the rest of an Ogg file"),
		"bad/flac":               []byte("fLaC\x00\x00\x00\x22 the rest of a FLAC file"),
		"bad/aiff":               []byte("FORM\x00\x00\x00\x40AIFFCOMM"),
		"bad/m4a":                []byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00"),
		"bad/avi":                avi,
		"bad/rifx":               rifx,
		"bad/adpcm-ms":           with(format{2, 1, 48000, 4}),
		"bad/adpcm-ima":          with(format{0x11, 1, 48000, 4}),
		"bad/a-law":              with(format{6, 1, 8000, 8}),
		"bad/mu-law":             with(format{7, 1, 8000, 8}),
		"bad/mp3-inside":         with(format{0x55, 1, 48000, 0}),
		"bad/tag-unknown":        with(format{0x7777, 1, 48000, 16}),
		"bad/float64":            riff(f64.plain(), fact(24), chunk("data", f64.sound(24))),
		"bad/pcm12":              with(format{pcm, 2, 48000, 12}),
		"bad/extensible-a-law":   riff(format{6, 1, 8000, 8}.long(4, guidTail), data),
		"bad/extensible-guid":    riff(s16.long(4, strings.Repeat("?", 14)), data),
		"bad/extensible-float64": riff(f64.long(4, guidTail), data),
		"bad/extensible-short":   riff(format{extensible, 1, 48000, 16}.plain(), data),
		"bad/channels-0":         with(format{pcm, 0, 48000, 16}),
		"bad/channels-65":        with(format{pcm, 65, 48000, 16}),
		"bad/rate-0":             with(format{pcm, 1, 0, 16}),
		"bad/rate-huge":          with(format{pcm, 1, 1536001, 16}),
		"bad/block-align":        riff(align, data),
		"bad/no-chunks":          riff(),
		"bad/no-data":            riff(s16.plain()),
		"bad/no-fmt":             riff(data),
		"bad/fmt-after-data":     riff(data, s16.plain()),
		"bad/fmt-short":          riff(chunk("fmt ", s16.plain()[8:22]), data),
		"bad/fmt-huge":           riff(head("fmt ", 0x7fffffff)+s16.plain()[8:], data),
		"bad/list-huge":          riff(s16.plain(), head("LIST", 0x7fffffff)+"INFO", data),
		"bad/ds64-short":         append([]byte(head("RF64", math.MaxUint32)+"WAVE"+chunk("ds64", "1234")), with(s16)[12:]...),
		"bad/odd-chunk-no-next":  riff(s16.plain(), head("note", 3)+"odd\x01\x02\x03\x04", data),
		"bad/chunks-1000":        many,
	}
}
