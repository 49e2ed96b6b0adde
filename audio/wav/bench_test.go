package wav

import (
	"bytes"
	"io"
	"testing"
)

func BenchmarkAppendHeader(b *testing.B) {
	tags, dst := full(), make([]byte, 0, MaxHeader)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendHeader(dst, mono, &tags, -1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	tags := full()
	file := whole(b, mono, &tags, ramp(960000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(bytes.NewReader(file), int64(len(file))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads a second of stereo in pieces of 20 ms, beside a plain
// copy of the same pieces.
func BenchmarkRead(b *testing.B) {
	files := map[string][]byte{"go-audio": whole(b, mono, nil, ramp(192000)), "ours": whole(b, monoF, nil, ramp(192000))}
	u8 := load(b, "odd/u8")[:44]
	le.PutUint32(u8[40:], 96000)
	files["8-bit"] = append(u8, ramp(96000)...)
	p := make([]byte, 3840)
	for _, name := range []string{"go-audio", "ours", "8-bit"} {
		b.Run(name, func(b *testing.B) {
			r, err := Open(bytes.NewReader(files[name]), int64(len(files[name])))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(r.Frames() * int64(r.Format().FrameBytes()))
			b.ReportAllocs()
			for b.Loop() {
				err := r.Rewind()
				for err == nil {
					_, err = r.Read(p)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("copy", func(b *testing.B) {
		src := ramp(192000)
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			for at := 0; at < len(src); at += len(p) {
				copy(p, src[at:])
			}
		}
	})
}
