package daemon

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clockfile"
	"github.com/ingestd/ingestd/clock/clocktest"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
)

// dated are the clock.jsonl of all sessions of a sensor, in order.
func (b *bench) dated(store, sensor string) (all []*clockfile.Session) {
	b.t.Helper()
	s := b.stores[store]
	for id := range b.indexes(store, sensor) {
		r, err := s.Bucket.Get(b.t.Context(), s.Layout.Meta(id, sensor)+"/"+sink.ClockName, 0, -1)
		if err != nil {
			b.t.Fatal(err)
		}
		c, err := clockfile.Load(r)
		if err != nil || c.Bad > 0 || c.End == nil {
			b.t.Fatalf("session %d: %+v, %v", id, c, err)
		}
		if err := r.Close(); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *clockfile.Session) int { return int(a.Session - b.Session) })
	return all
}

// numbersIn are the numbers of the frames of a span of the stream that were
// captured, as their crystal counted.
func numbersIn(all []stretchOf, from, to audio.Pos) (out []int64) {
	for _, s := range all {
		for p := max(s.from, from); p < min(s.from+audio.Pos(s.frames), to); p++ {
			out = append(out, s.number+int64(p-s.from))
		}
	}
	return out
}

// storedNumbers are the numbers of the frames of a range of UTC, by what a store
// has, and a label of the machine.
func storedNumbers(t *testing.T, b *bench, label clock.Label, from, to int64) (out []int64) {
	t.Helper()
	chunks, all := b.sessions("disk", "mic"), b.dated("disk", "mic")
	boot := int64(0) // CLOCK_BOOTTIME of the label, which one of the sessions has
	for _, c := range all {
		for a := range c.Ledger.Labels().From(-1 << 62) {
			if a.UTC == label.UTC {
				boot = c.M0 + a.M
			}
		}
	}
	if boot == 0 {
		t.Fatalf("no session has the label %+v", label)
	}
	for i, c := range all {
		label.M = boot - c.M0
		u := c.Ledger.UTC(label)
		first, err := u.Lower(from)
		if err != nil {
			continue // it ended before
		}
		last, err := u.Lower(to)
		if err != nil {
			last = audio.Pos(c.End.P)
		}
		for _, p := range chunks[i].pieces {
			for n := max(p.from, int64(first)); p.cause == 0 && n < min(p.from+p.frames, int64(last)); n++ {
				out = append(out, int64(binary.LittleEndian.Uint32(p.sound[4*(n-p.from):])))
			}
		}
	}
	return out
}

// TestARangeOfUTCHasTheSameFramesForEver asks for ranges of UTC, one over the end
// of a session, asks again after a million further frames, a step of the clock,
// an unplugged microphone and many labels, and then the store alone.
func TestARangeOfUTCHasTheSameFramesForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := clocktest.NewFollowing()
		b := newBench(t)
		b.clock, b.config.Clock, b.config.Log, b.config.Rotate = m, m, zap.NewNop(), time.Minute
		f := audio.Format{Rate: 16000, Channels: 1, Encoding: audio.S32}
		c := newCrystal(m, f, 73)
		begun := m.Read()
		b.sensor("mic", f, 4*time.Minute, func(context.Context, source.Admit) (source.Source, error) {
			away := begun.Raw + int64(20*time.Second)
			mic := c.open(320, rand.New(rand.NewPCG(3, 4)))
			mic.breaks = func(context.Context) error {
				if now := m.Read().Raw; now > away && now < away+int64(time.Second) {
					return source.Faultf(source.Stall, "the test pulled the plug")
				}
				return nil
			}
			return mic, nil
		})
		b.reader("disk", mem.New(), 7*time.Second, byBytes)
		m.At(90*time.Second, func(m *clocktest.Clock) { m.Step(-20 * time.Second) })
		m.At(30*time.Second, func(m *clocktest.Clock) { m.Slew(200_000) })

		type span struct{ from, to audio.Pos }
		ranges := [][2]time.Duration{{10 * time.Second, 20 * time.Second}, {15 * time.Second, 30 * time.Second}, {50 * time.Second, 63*time.Second + 123456789}}
		var label clock.Label
		var keys clock.UTC
		var first []span
		ask := func(u clock.UTC) (all []span) {
			t.Helper()
			for _, r := range ranges {
				from, err := u.Lower(begun.Real + int64(r[0]))
				if err != nil {
					t.Fatal(err)
				}
				to, err := u.Lower(begun.Real + int64(r[1]))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, span{from, to})
			}
			return all
		}
		head := int64(0)
		d := b.watch(150*time.Second, 10*time.Second, func(d *Daemon, at time.Duration) {
			st := d.streams[0]
			switch at {
			case 75 * time.Second:
				label = st.label()
				keys = st.dates.ledger.UTC(label)
				first = ask(keys)
				head = st.captured()
			case 145 * time.Second:
				if more := st.captured() - head; more < 1_000_000 {
					t.Errorf("only %d frames came in between", more)
				}
				for what, u := range map[string]clock.UTC{"who asked before": keys, "who asks anew": st.dates.ledger.UTC(label)} {
					if again := ask(u); !slices.Equal(again, first) {
						t.Errorf("%s: %v, it was %v", what, again, first)
					}
				}
				if now := st.label(); now.M <= label.M || d.time.steps.Load() != 1 {
					t.Errorf("the label is still %+v", now)
				}
			}
		})
		if d.Status().Turns < 2 || len(first) != len(ranges) {
			t.Fatalf("%+v", d.Status())
		}
		stream := stretches(b.sessions("disk", "mic"))
		for i, r := range ranges {
			want := numbersIn(stream, first[i].from, first[i].to)
			got := storedNumbers(t, b, label, begun.Real+int64(r[0]), begun.Real+int64(r[1]))
			if !slices.Equal(got, want) || len(want) < 100_000 {
				t.Errorf("range %v: the store has %d frames, live there were %d", r, len(got), len(want))
			}
		}
	})
}

// What is stored of the times of a sensor is what its ledger said, to the last
// frame.
func TestStoredTimesAreTheLiveOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := clocktest.NewFollowing()
		b := newBench(t)
		b.clock, b.config.Clock, b.config.Log, b.config.Rotate = m, m, zap.NewNop(), time.Minute
		b.config.BootID = "b8c6dbd4-0d3f-4a6e-8f0c-6a1a0e5d2f11"
		c := newCrystal(m, mono, -120)
		b.sensor("mic", mono, keepAll, troubled(c, rand.New(rand.NewPCG(5, 6)))).Timing = Timing{Source: FromArrival, LatencyErr: time.Millisecond}
		b.reader("disk", mem.New(), 13*time.Second, byBytes)
		d, err := b.run(200 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		st := d.streams[0]
		var last *clockfile.Session
		for _, c := range b.dated("disk", "mic") {
			from := audio.Pos(c.Stream)
			mark := st.session(from)
			if mark.From != from || mark.Session != c.Session || c.Boot != b.config.BootID || c.M0 != d.time.zero.Boot+mark.M || c.Rate != mono.Rate || c.Frame != 4 || c.LatE != 1e6 || c.Src != FromArrival {
				t.Errorf("session %d: %+v, the mark is %+v", c.Session, c.Open, mark)
			}
			if last != nil && (c.Cont == nil || c.Cont.Session != last.Session || c.Cont.Frames != last.End.P || last.End.Next != c.Session || last.End.Why != "rotated") || last == nil && c.Cont != nil {
				t.Errorf("session %d goes on from %+v", c.Session, c.Cont)
			}
			last = c
			for p := audio.Pos(0); p <= audio.Pos(c.End.P); p += 101 {
				live, err := st.dates.ledger.Keys().Key(from + p)
				stored, err2 := c.Ledger.Keys().Key(p)
				if err != nil || err2 != nil || live-mark.M != stored {
					t.Fatalf("session %d, frame %d: stored %d, %v, live %d, %v", c.Session, p, stored, err2, live-mark.M, err)
				}
			}
		}
		if last == nil || last.End.Why != "stopped" || last.End.Next != 0 {
			t.Errorf("the last session is %+v", last)
		}
		var info bytes.Buffer
		r, err := b.stores["disk"].Bucket.Get(t.Context(), b.stores["disk"].Layout.Meta(last.Session, "mic")+"/"+sink.InfoName, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := info.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		for _, has := range []string{`"source": "arrival"`, `"estimator": "minline`, `"ppm"`, `"ppm_error"`, `"synchronised": "yes"`, `"error_ns"`, `"boot_id": "b8c6`, `"id_is_time": true`, `"continues"`} {
			if !bytes.Contains(info.Bytes(), []byte(has)) {
				t.Errorf("info.json lacks %s:\n%s", has, info.String())
			}
		}
	})
}

// TestALedgerDoesNotGrow: what is stored, and no longer in the ring, is forgotten,
// with a microphone that is there and with one that breaks all the time.
func TestALedgerDoesNotGrow(t *testing.T) {
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := clocktest.NewFollowing()
			b := newBench(t)
			b.clock, b.config.Clock, b.config.Log, b.config.Rotate = m, m, zap.NewNop(), time.Minute
			f := audio.Format{Rate: 100, Channels: 1, Encoding: audio.S32}
			c := newCrystal(m, f, 10)
			b.sensor("mic", f, 10*time.Second, func(context.Context, source.Admit) (source.Source, error) {
				mic := c.open(10, nil)
				mic.breaks = func(context.Context) error {
					if away && mic.opened {
						return source.Faultf(source.Stall, "the test pulled the plug")
					}
					return nil
				}
				return mic, nil
			})
			b.reader("disk", mem.New(), 7*time.Second, byBytes)
			d := b.watch(3*time.Hour, time.Minute, func(*Daemon, time.Duration) {})
			rows, labels := 0, 0
			for range d.streams[0].dates.ledger.Rows(0) {
				rows++
			}
			for range d.time.labels.From(-1 << 62) {
				labels++
			}
			if rows > 800 || labels > 800 || d.Status().Turns < 170 {
				t.Errorf("away %v: after three hours there are %d rows, %d labels, and were %d turns", away, rows, labels, d.Status().Turns)
			}
		})
	}
}

// A microphone whose times are its own is known to its latency; one that has none
// is dated by arrivals, and the store says so.
func TestADeviceThatDoesNotDateItsSoundIsKnownLessWell(t *testing.T) {
	for _, exact := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := clocktest.NewFollowing()
			b := newBench(t)
			b.clock, b.config.Clock, b.config.Log = m, m, zap.NewNop()
			c := newCrystal(m, mono, 10)
			b.sensor("mic", mono, 10*time.Second, func(context.Context, source.Admit) (source.Source, error) {
				mic := c.open(80, nil)
				mic.exact = exact
				return mic, nil
			}).Timing = Timing{Source: FromDevice, LatencyErr: time.Millisecond, Floor: time.Millisecond}
			b.reader("disk", mem.New(), 7*time.Second, byBytes)
			if _, err := b.run(30 * time.Second); err != nil {
				t.Fatal(err)
			}
			s := b.dated("disk", "mic")[0]
			want := map[bool]string{true: FromDevice, false: FromArrival}[exact]
			if s.Src != want || s.LatE != 1e6 {
				t.Errorf("exact %v: %+v", exact, s.Open)
			}
			for a := range s.Ledger.Rows(10 * audio.Pos(mono.Rate)) {
				if exact != (a.Err < 2e6) {
					t.Errorf("exact %v: %+v", exact, a)
				}
			}
		})
	}
}
