package tone

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/ingestd/ingestd/audio"
)

// A phase is a fraction of a turn, in 2^-64 turns. It is stepped by integers
// only: over any number of frames it is exactly the one that its position
// gives.
type phase interface {
	seek(pos int64)
	next() uint64 // the phase of this frame; steps to the next one
}

// steady turns num/den of a turn a frame.
type steady struct {
	num, den  uint64
	inc, frac uint64 // num/den in 2^-64 turns, and the rest in 2^-64/den
	at, rest  uint64
}

func newSteady(hz float64, rate int) *steady {
	s := &steady{num: uint64(math.Round(hz * 1e6)), den: uint64(rate) * 1e6}
	s.inc, s.frac = bits.Div64(s.num%s.den, 0, s.den)
	return s
}

func (s *steady) seek(pos int64) {
	hi, lo := bits.Mul64(uint64(pos)%s.den, s.num%s.den)
	_, turn := bits.Div64(hi, lo, s.den)
	s.at, s.rest = bits.Div64(turn, 0, s.den)
}

func (s *steady) next() uint64 {
	at := s.at
	s.at += s.inc
	if s.rest += s.frac; s.rest >= s.den {
		s.rest -= s.den
		s.at++
	}
	return at
}

// sweep goes evenly from one frequency to another in period frames, and begins
// again. With frequencies in mHz the phase of frame i of a period is
// (2·from·period·i + (to−from)·i²) / (2·1000·rate·period) turns.
type sweep struct {
	from, diff  int64 // mHz
	period, den int64
	i, at, step int64 // at: the numerator, modulo den; step: to the next one, below den/2
}

func newSweep(from, to float64, rate int, period int64) *sweep {
	f, t := int64(math.Round(from*1000)), int64(math.Round(to*1000))
	return &sweep{from: f, diff: t - f, period: period, den: 2000 * int64(rate) * period}
}

func (s *sweep) seek(pos int64) {
	s.i = pos % s.period
	den, i := uint64(s.den), uint64(s.i)
	hi, lo := bits.Mul64(uint64(2*s.from*s.period), i)
	even := int64(bits.Rem64(hi, lo, den))
	hi, lo = bits.Mul64(uint64(max(s.diff, -s.diff)), i*i)
	bend := int64(bits.Rem64(hi, lo, den))
	if s.diff < 0 && bend > 0 {
		bend = s.den - bend
	}
	s.at = (even + bend) % s.den
	s.step = 2*s.from*s.period + s.diff*(2*s.i+1)
}

func (s *sweep) next() uint64 {
	at, _ := bits.Div64(uint64(s.at), 0, uint64(s.den))
	if s.at += s.step; s.at >= s.den {
		s.at -= s.den
	}
	s.step += 2 * s.diff
	if s.i++; s.i == s.period {
		s.seek(0)
	}
	return at
}

const (
	tableBits = 12
	tableLen  = 1 << tableBits
)

// table holds one turn of a sine, and a quarter more for the cosine.
type table [tableLen + tableLen/4]float64

func newTable() *table {
	t := new(table)
	for i := range t {
		t[i] = math.Sin(2 * math.Pi * float64(i) / tableLen)
	}
	return t
}

// sin is the sine of a phase to the last bits of a float64: the table and the
// addition theorem. The conversions keep a compiler from fusing, so that all
// machines give the same bytes.
func (t *table) sin(ph uint64) float64 {
	i := ph >> (64 - tableBits)
	b := float64(ph<<tableBits>>11) * (2 * math.Pi / tableLen / (1 << 53))
	b2 := float64(b * b)
	sin := float64(b * (1 - float64(b2/6)))
	cos := 1 - float64(b2*(0.5-float64(b2/24)))
	return float64(t[i]*cos) + float64(t[i+tableLen/4]*sin)
}

// putWave fills dst with as many whole frames as fit, the same in all
// channels. For integers full is the value at amplitude 1.
func putWave(f audio.Format, dst []byte, ph phase, t *table, amplitude float64) {
	full := float64(uint64(1)<<(rampBits(f.Encoding)-1) - 1)
	size := f.Encoding.Bytes()
	for len(dst) >= f.FrameBytes() {
		x := float64(amplitude * t.sin(ph.next()))
		var v uint32
		if f.Encoding == audio.F32 {
			v = math.Float32bits(float32(x))
		} else {
			v = uint32(int32(math.RoundToEven(float64(x * full))))
		}
		for range f.Channels {
			switch size {
			case 2:
				binary.LittleEndian.PutUint16(dst, uint16(v))
			case 3:
				dst[0], dst[1], dst[2] = byte(v), byte(v>>8), byte(v>>16)
			default:
				binary.LittleEndian.PutUint32(dst, v)
			}
			dst = dst[size:]
		}
	}
}
