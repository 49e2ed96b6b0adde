package daemon

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock/clocktest"
	"github.com/ingestd/ingestd/source"
)

// keepAll is a ring so long that nothing of a test is forgotten.
const keepAll = 15 * time.Minute

// A crystal is what a simulated microphone counts its frames by, from when the
// machine is made on: whether anybody listens or not, but not in suspend. The
// frames are s32, and each is its own number. So what was stored tells when it
// was captured, and what is missing.
type crystal struct {
	clock *clocktest.Clock
	f     audio.Format
	ppm   float64
	zero  int64 // RAW ns at which it counted 0
}

func newCrystal(c *clocktest.Clock, f audio.Format, ppm float64) *crystal {
	return &crystal{c, f, ppm, c.Read().Raw}
}

// frames is how many frames a second there are.
func (c *crystal) frames() float64 { return float64(c.f.Rate) * (1 + c.ppm/1e6) }

// raw is RAW, in ns, at the boundary before frame n.
func (c *crystal) raw(n int64) int64 { return c.zero + int64(float64(n)/c.frames()*1e9) }

// count is how many frames there were at RAW.
func (c *crystal) count(raw int64) int64 { return int64(float64(raw-c.zero) / 1e9 * c.frames()) }

// A mic delivers what its crystal counts, a buffer at a time, from when it was
// opened on.
type mic struct {
	*crystal
	buffer int
	late   *rand.Rand                      // of arrivals; nil: never late
	breaks func(ctx context.Context) error // before each buffer; nil: never
	exact  bool                            // it says so of its times
	held   int64                           // until RAW is that, all come 10 ms late

	next   int64 // frame
	opened bool
	at     int64 // of the last packet
}

func (c *crystal) open(buffer int, late *rand.Rand) *mic {
	return &mic{crystal: c, buffer: buffer, late: late, next: c.count(c.clock.Read().Raw)}
}

func (m *mic) Format() audio.Format { return m.f }
func (m *mic) Close() error         { return nil }

func (m *mic) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if m.breaks != nil {
		if err := m.breaks(ctx); err != nil {
			return source.Packet{}, err
		}
	}
	n := min(m.buffer, len(p)/m.f.FrameBytes())
	due := m.raw(m.next+int64(n)) + m.lateness()
	if due < m.held {
		due += int64(10 * time.Millisecond)
	}
	for {
		now := m.clock.Read()
		if now.Raw >= due {
			break
		}
		if err := m.clock.Sleep(ctx, now.Mono+max(1, (due-now.Raw)*9/10)); err != nil {
			return source.Packet{}, err
		}
	}
	if m.opened && m.count(m.clock.Read().Raw)-m.next > int64(m.f.Rate) {
		return source.Packet{}, source.Faultf(source.Stall, "the test was too slow")
	}
	for i := range n {
		binary.LittleEndian.PutUint32(p[4*i:], uint32(m.next)+uint32(i))
	}
	m.next += int64(n)
	pk := source.Packet{Frames: n, At: max(m.at, m.clock.Monotonic()), Exact: m.exact, First: !m.opened}
	m.opened, m.at = true, pk.At
	return pk, nil
}

// lateness is how much later than its last frame a buffer arrives, as on a busy
// machine: 0.15 ms on average, and 3 ms more for one in 50.
func (m *mic) lateness() int64 {
	if m.late == nil {
		return 0
	}
	late := m.late.ExpFloat64() * 150e3
	if m.late.IntN(50) == 0 {
		late += m.late.ExpFloat64() * 3e6
	}
	return min(int64(late), int64(20*time.Millisecond))
}
