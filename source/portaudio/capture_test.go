//go:build linux && cgo && !noportaudio

package portaudio

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/sourcetest"
	"github.com/ingestd/ingestd/test/alsa"
)

// using is the environment of a capture from a rig.
func using(r *alsa.Rig) func(string) string {
	return func(name string) string {
		if name == "ALSA_CONFIG_PATH" {
			return r.Config
		}
		return os.Getenv(name)
	}
}

func open1(t *testing.T, c Config) *Source {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// read reads that many frames, in pieces of at most room frames.
func read(t *testing.T, s source.Source, frames, room int) ([]byte, []source.Packet) {
	t.Helper()
	var all []byte
	var packets []source.Packet
	size := s.Format().FrameBytes()
	p := make([]byte, room*size)
	for len(all) < frames*size {
		k, err := s.Read(t.Context(), p[:min(len(p), frames*size-len(all))])
		if err != nil {
			t.Fatalf("after %d frames: %v", len(all)/size, err)
		}
		all = append(all, p[:k.Frames*size]...)
		packets = append(packets, k)
	}
	return all, packets
}

// value decodes the sample at b, as an integer modulo 2^bits of the encoding.
func value(b []byte, e audio.Encoding) (v uint64, bits int) {
	switch e {
	case audio.S16:
		return uint64(binary.LittleEndian.Uint16(b)), 16
	case audio.S24:
		return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16, 24
	case audio.S32:
		return uint64(binary.LittleEndian.Uint32(b)), 32
	}
	return uint64(math.Float32frombits(binary.LittleEndian.Uint32(b)) * (1 << 24)), 24
}

func TestCaptureIsBitExactFromTheFirstSample(t *testing.T) {
	t.Parallel()
	var mics []alsa.Mic
	sounds := map[string][]byte{}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	for _, enc := range audio.Encodings() {
		for _, channels := range []int{1, 2, 8} {
			m := alsa.Mic{Name: fmt.Sprintf("%s%d", enc, channels), Encoding: enc, Channels: channels, Speed: 4, Rate: 8000}
			m.File = filepath.Join(dir, m.Name)
			f := mustFormat(t, m)
			sound := make([]byte, 12000*f.FrameBytes())
			for i := range sound {
				sound[i] = byte(random.Uint32())
			}
			if f.Encoding == audio.F32 { // no NaN: not every bit pattern of those survives a copy
				for i := 3; i < len(sound); i += 4 {
					sound[i] &= 0xbf
				}
			}
			if err := os.WriteFile(m.File, sound, 0o640); err != nil {
				t.Fatal(err)
			}
			mics, sounds[m.Name] = append(mics, m), sound
		}
	}
	rig := alsa.Build(t, mics...)
	lim := usual()
	lim.fast *= 1000 // four times as fast is meant
	for _, m := range mics {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			f := mustFormat(t, m)
			s := open1(t, Config{Device: "name:" + m.Name, Format: f, Env: using(rig), Latency: 4 * time.Second, limits: lim})
			want := sounds[m.Name]
			got, packets := read(t, s, len(want)/f.FrameBytes(), 777)
			if !bytes.Equal(got, want) {
				t.Errorf("%d of %d bytes are the same", same(got, want), len(want))
			}
			for i, k := range packets {
				if k.Lost != 0 || k.First != (i == 0) {
					t.Errorf("packet %d: %+v", i, k)
				}
			}
		})
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	sound := make([]byte, 4000*2)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range sound {
		sound[i] = byte(random.Uint32())
	}
	file := filepath.Join(t.TempDir(), "sound")
	if err := os.WriteFile(file, sound, 0o640); err != nil {
		t.Fatal(err)
	}
	rig := alsa.Build(t, alsa.Mic{Name: "mic0", Encoding: "s16", Rate: 8000, Speed: 4, File: file})
	lim := usual()
	lim.fast *= 1000 // four times as fast is meant
	sourcetest.Test(t, func(t *testing.T) (source.Source, sourcetest.Want) {
		c := Config{Device: "name:mic0", Format: format(8000, 1, audio.S16), Env: using(rig), Latency: 2 * time.Second, limits: lim}
		return open1(t, c), sourcetest.Want{Bytes: sound}
	})
}

func same(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

func mustFormat(t *testing.T, m alsa.Mic) audio.Format {
	t.Helper()
	e, err := audio.ParseEncoding(m.Encoding)
	if err != nil {
		t.Fatal(err)
	}
	return format(m.Rate, m.Channels, e)
}

// TestPacketsAreDatedByTheClockOfTheirSound tries up to three times: what a
// machine that is busy with other tests does between two readings of the clock
// is not ours.
func TestPacketsAreDatedByTheClockOfTheirSound(t *testing.T) {
	t.Parallel()
	f := format(48000, 2, audio.S32)
	for try := 1; ; try++ {
		rig := alsa.Build(t, alsa.Mic{Name: "mic0", Encoding: "s32", Channels: 2})
		s := open1(t, Config{Device: "default", Format: f, Env: using(rig)})
		got, packets := read(t, s, f.Rate, f.Rate)
		if i := s.Info(); i.HostAPI != "ALSA" || i.PID == 0 || i.PortAudio == "" || i.Latency == 0 {
			t.Errorf("info %+v", i)
		}
		worst := checkClock(t, f, got, packets)
		if worst <= 5*int64(f.Rate)/1000 {
			return
		}
		t.Logf("a packet was dated %d frames wrong", worst)
		if try == 3 {
			t.Fatal("a packet was dated more than 5 ms wrong, three times")
		}
	}
}

// checkClock checks that the clock signal of s32 agrees with the packets: no
// frame is lost unless said so, and nearly all are dated within a millisecond.
// It returns how many frames the worst was dated wrong.
func checkClock(t *testing.T, f audio.Format, got []byte, packets []source.Packet) (worst int64) {
	t.Helper()
	size := f.FrameBytes()
	limit, late := int64(f.Rate/1000), 0
	var next uint64
	for i, k := range packets {
		for j := range k.Frames {
			for c := range f.Channels {
				v, bits := value(got[j*size+c*f.Encoding.Bytes():], f.Encoding)
				v = (v - uint64(c)<<(bits-4)) & (1<<bits - 1)
				switch {
				case c == 0 && j == 0 && i == 0:
					next = v
				case v != next && (j > 0 || k.Lost == 0 || c > 0):
					t.Fatalf("packet %d, frame %d, channel %d: signal %d, want %d", i, j, c, v, next)
				default:
					next = v
				}
			}
			next = (next + 1) & (1<<32 - 1)
		}
		got = got[k.Frames*size:]
		// next is now the signal at the end of the packet.
		due := uint64(wholeFrames(k.At, int64(f.Rate))) & (1<<32 - 1)
		if wrong := abs(int64(int32(uint32(due - next)))); wrong > limit {
			late, worst = late+1, max(worst, wrong)
		}
	}
	// The child can be interrupted between two readings of the clock.
	if late > 1+len(packets)/50 {
		t.Errorf("%d of %d packets were dated more than %d frames wrong, the worst by %d", late, len(packets), limit, worst)
	}
	return worst
}

func abs(v int64) int64 { return max(v, -v) }

func TestReadObeysItsContextAndGoesOn(t *testing.T) {
	t.Parallel()
	rig := alsa.Build(t, alsa.Mic{Name: "mic0"})
	f := format(48000, 1, audio.S32)
	s := open1(t, Config{Device: "name:mic0", Format: f, Env: using(rig)})
	var all []byte
	var packets []source.Packet
	p := make([]byte, 4096*4)
	for range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Millisecond)
		k, err := s.Read(ctx, p)
		cancel()
		if err != nil && err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		if k.Frames > 0 {
			all, packets = append(all, p[:k.Frames*4]...), append(packets, k)
		}
	}
	more, rest := read(t, s, 4800, 4800)
	checkClock(t, f, append(all, more...), append(packets, rest...))
}
