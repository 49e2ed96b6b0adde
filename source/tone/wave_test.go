package tone

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// turns returns the phase of frame pos in 2^-64 turns, by big numbers: num/den
// turns, rounded down.
func turns(num, den *big.Int) uint64 {
	rest := new(big.Int).Mod(num, den)
	return rest.Lsh(rest, 64).Div(rest, den).Uint64()
}

func TestPhaseIsExactAfterYears(t *testing.T) {
	const year = 365 * 86400 * 192000
	for _, pos := range []int64{0, 1, 47999, 9_999_990, year, 100 * year} {
		for _, hz := range []float64{440, 1000, 0.000001, 12345.678901, 96000} {
			s := newSteady(hz, 192000)
			s.seek(pos)
			num, den := big.NewInt(int64(math.Round(hz*1e6))), big.NewInt(192000*1e6)
			for i := range int64(100) {
				at := new(big.Int).Mul(num, big.NewInt(pos+i))
				if got, want := s.next(), turns(at, den); got != want {
					t.Fatalf("%v Hz at frame %d: phase %x, want %x", hz, pos+i, got, want)
				}
			}
		}
		for _, c := range [][2]float64{{0, 96000}, {20000, 100}, {440, 440}} {
			const period = 1_920_000
			s := newSweep(c[0], c[1], 192000, period)
			s.seek(pos)
			for i := range int64(100) {
				n := (pos + i) % period
				num := new(big.Int).Mul(big.NewInt(int64(2*1000*c[0])*period), big.NewInt(n))
				num.Add(num, new(big.Int).Mul(big.NewInt(int64((c[1]-c[0])*1000)), big.NewInt(n*n)))
				if got, want := s.next(), turns(num, big.NewInt(2*1000*192000*period)); got != want {
					t.Fatalf("sweep %v at frame %d: phase %x, want %x", c, pos+i, got, want)
				}
			}
		}
	}
}

func TestSineIsTheSineOfItsPosition(t *testing.T) {
	table := newTable()
	for i := range 100_000 {
		ph := uint64(i) * 0x9E3779B97F4A7C15
		want := math.Sin(2 * math.Pi * float64(ph>>11) / (1 << 53))
		if got := table.sin(ph); math.Abs(got-want) > 4e-15 {
			t.Fatalf("phase %x: %v, want %v", ph, got, want)
		}
	}
}

func TestFullScaleDoesNotOverflow(t *testing.T) {
	for _, name := range audio.Encodings() {
		e, err := audio.ParseEncoding(name)
		if err != nil {
			t.Fatal(err)
		}
		f := audio.Format{Rate: 8000, Channels: 1, Encoding: e}
		p := make([]byte, 8*f.FrameBytes())
		s := open(t, Config{Format: f, Hz: 1000, Amplitude: 1})
		if _, err := s.Read(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		// Frames 2 and 6 are the crests of 1 kHz at 8 kHz.
		size := f.FrameBytes()
		up, down := sample(f, p[2*size:]), sample(f, p[6*size:])
		if math.Abs(up-1) > 1e-9 || math.Abs(down+1) > 1e-9 {
			t.Errorf("%v: crests %v and %v", e, up, down)
		}
	}
}

// sample is the first sample of b, in parts of the largest.
func sample(f audio.Format, b []byte) float64 {
	var v [4]byte
	bits := 8 * f.Encoding.Bytes()
	copy(v[4-f.Encoding.Bytes():], b)
	raw := binary.LittleEndian.Uint32(v[:])
	if f.Encoding == audio.F32 {
		return float64(math.Float32frombits(raw))
	}
	return float64(int32(raw)>>(32-bits)) / float64(int64(1)<<(bits-1)-1)
}

func TestRampTellsItsPosition(t *testing.T) {
	for _, name := range audio.Encodings() {
		e, err := audio.ParseEncoding(name)
		if err != nil {
			t.Fatal(err)
		}
		f := audio.Format{Rate: 48000, Channels: 3, Encoding: e}
		turn := audio.Pos(1) << rampBits(e)
		for _, pos := range []audio.Pos{0, 1, turn - 3, 5*turn + 7, 1 << 40} {
			b := make([]byte, 10*f.FrameBytes())
			RampAt(f, pos, b)
			if err := CheckRamp(f, pos, b); err != nil {
				t.Errorf("%v: %v", f, err)
			}
			if got, err := RampPos(f, b); err != nil || got != pos%turn {
				t.Errorf("%v: the ramp at %d tells %d, %v", f, pos, got, err)
			}
			second, err := RampPos(f, b[e.Bytes():])
			if want := (pos + turn/16) % turn; err != nil || second != want {
				t.Errorf("%v: the second channel at %d tells %d, %v; want %d", f, pos, second, err, want)
			}
			b[4*f.FrameBytes()+1] ^= 4
			if err := CheckRamp(f, pos, b); err == nil || CheckRamp(f, pos, b[:4*f.FrameBytes()]) != nil {
				t.Errorf("%v: frame 4 is spoilt: %v", f, err)
			}
			if CheckRamp(f, pos, b[:7]) == nil {
				t.Errorf("%v: part of a frame was accepted", f)
			}
		}
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	f := audio.Format{Rate: 48000, Channels: 2, Encoding: audio.F32}
	for _, kind := range []Kind{Sine, Sweep, Ramp} {
		s := open(t, Config{Format: f, Kind: kind})
		p := make([]byte, 4800)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := s.Read(t.Context(), p); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a Read", kind, n)
		}
	}
}

func TestToneOutOfRangeIsRefused(t *testing.T) {
	f := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}
	for want, c := range map[string]Config{
		"rate 0":        {},
		"kind of tone":  {Format: f, Kind: "noise"},
		"24001 Hz":      {Format: f, Hz: 24001},
		"to NaN Hz":     {Format: f, HzTo: math.NaN()},
		"sweep of":      {Format: f, Kind: Sweep, Period: time.Hour},
		"amplitude 1.5": {Format: f, Amplitude: 1.5},
		"-1 frames":     {Format: f, Frames: -1},
		"speed -1":      {Format: f, Speed: -1},
		"batch 1ns":     {Format: f, Batch: 1},
	} {
		_, err := Open(t.Context(), c)
		if _, ok := err.(*source.Fault); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a Fault with %q", err, want)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	f := audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S16}
	for _, kind := range []Kind{Sine, Sweep, Ramp} {
		b.Run(string(kind), func(b *testing.B) {
			s, err := Open(b.Context(), Config{Format: f, Kind: kind})
			if err != nil {
				b.Fatal(err)
			}
			p := make([]byte, 9600)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Read(b.Context(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
