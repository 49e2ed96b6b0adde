package daemon

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clocktest"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
)

// A pieceOf is a run of frames of a session, of sound or of a hole.
type pieceOf struct {
	from, frames int64 // in the session
	sound        []byte
	cause        audio.Cause // of a hole
}

// A storedSession is what a store has of a session and a sensor, in order.
type storedSession struct {
	id     audio.Session
	pieces []pieceOf
	end    sink.End
	ended  bool
}

// sessions are what a store has of a sensor. That they are whole is checked:
// sound and holes tile each from 0 to its end.
func (b *bench) sessions(store, sensor string) (all []storedSession) {
	t := b.t
	t.Helper()
	s := b.stores[store]
	chunks := map[audio.Session]map[int64][]byte{}
	for k, err := range s.Keys(b.t.Context(), sink.Filter{Sensor: sensor}) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Get(b.t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		if chunks[k.Session] == nil {
			chunks[k.Session] = map[int64][]byte{}
		}
		chunks[k.Session][k.Block] = c.Data
	}
	for id, index := range b.indexes(store, sensor) {
		all = append(all, tile(t, id, index, chunks[id]))
	}
	slices.SortFunc(all, func(a, b storedSession) int { return int(a.id - b.id) })
	return all
}

// indexes are the lines of blocks.jsonl of each session of a sensor.
func (b *bench) indexes(store, sensor string) map[audio.Session][]string {
	b.t.Helper()
	all := map[audio.Session][]string{}
	bucket := b.stores[store].Bucket
	for info, err := range bucket.List(b.t.Context(), "", "") {
		if err != nil {
			b.t.Fatal(err)
		}
		folder, ok := strings.CutSuffix(info.Name, "/"+sensor+"/"+sink.BlocksName)
		if !ok {
			continue
		}
		id, err := strconv.ParseInt(strings.SplitN(folder, "/", 2)[0], 10, 64)
		if err != nil {
			b.t.Fatal(err)
		}
		r, err := bucket.Get(b.t.Context(), info.Name, 0, -1)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			b.t.Fatal(err)
		}
		all[audio.Session(id)] = slices.Collect(strings.Lines(string(text)))
	}
	return all
}

// tile is a session by its blocks.jsonl and its chunks.
func tile(t *testing.T, id audio.Session, index []string, chunks map[int64][]byte) storedSession {
	t.Helper()
	s, at := storedSession{id: id}, int64(0)
	holes := func(all []sink.Hole) {
		for _, h := range all {
			s.pieces = append(s.pieces, pieceOf{from: at, frames: h.Frames, cause: h.Cause})
			at += h.Frames
		}
	}
	for _, text := range index {
		var row struct {
			sink.Block
			End *int64 `json:"end"`
		}
		if err := line.Decode([]byte(text), &row); err != nil {
			t.Fatal(err)
		}
		holes(row.Holes)
		if row.End != nil {
			if err := line.Decode([]byte(text), &s.end); err != nil || s.ended {
				t.Fatalf("session %d: %v, ended: %v", id, err, s.ended)
			}
			s.ended = true
			continue
		}
		sound, ok := chunks[row.Block.Block]
		if !ok || s.ended || row.From != at || int64(len(sound)) != 4*row.Frames {
			t.Fatalf("session %d: line %s, there are %d bytes, %d frames before it, ended %v", id, text, len(sound), at, s.ended)
		}
		delete(chunks, row.Block.Block)
		s.pieces = append(s.pieces, pieceOf{from: at, frames: row.Frames, sound: sound})
		at += row.Frames
	}
	if !s.ended || s.end.End != at || len(chunks) > 0 {
		t.Fatalf("session %d: %d frames, ended %v at %d, %d chunks have no line", id, at, s.ended, s.end.End, len(chunks))
	}
	return s
}

// checkTurns checks that the sessions of a sensor are the stream, cut where the
// ledger's marks are.
func checkTurns(t *testing.T, d *Daemon, st *stream, all []storedSession) {
	t.Helper()
	from := audio.Pos(0)
	var next audio.Session
	for i, s := range all {
		m, ok := st.dates.ledger.MarkAt(from)
		switch {
		case !ok || m.From != from || m.Session != s.id:
			t.Fatalf("%s: session %d begins at %d, there the mark is %+v", st.ID, s.id, from, m)
		case i > 0 && s.id != next:
			t.Fatalf("%s: session %d follows, the one before said %d", st.ID, s.id, next)
		}
		from += audio.Pos(s.end.End)
		next = s.end.Next
	}
	if next != 0 || int64(from) != st.captured() || len(all) != d.Status().Turns+1 {
		t.Fatalf("%s: %d sessions of %d frames in all, the last goes on in %d; want %d of %d", st.ID, len(all), from, next, d.Status().Turns+1, st.captured())
	}
}

// checkNumbers checks that the sound of a crystal is there in its order, each
// frame once, and that holes are where frames are missing.
func checkNumbers(t *testing.T, st *stream, all []storedSession) {
	t.Helper()
	last, hole := int64(-1), true
	for _, s := range all {
		for _, p := range s.pieces {
			if p.cause != 0 {
				hole = true
				continue
			}
			for at := 0; at < len(p.sound); at += 4 {
				n := int64(binary.LittleEndian.Uint32(p.sound[at:]))
				if n <= last || n > last+1 && !hole {
					t.Fatalf("%s: session %d, frame %d: number %d behind %d, hole: %v", st.ID, s.id, p.from+int64(at/4), n, last, hole)
				}
				last, hole = n, false
			}
		}
	}
}

// checkMarks checks that each session begins within a frame of its instant, give
// or take what times may be wrong by, in ns. Where the clock was set over the
// instant, it begins as early as sound that was captured before allows: that
// takes a look at the clock and a buffer.
func checkMarks(t *testing.T, d *Daemon, st *stream, wrong int64, stepped bool) {
	t.Helper()
	frame := int64(time.Second)/int64(st.Format.Rate) + 1
	most := frame
	if stepped {
		most = int64(2 * time.Second)
	}
	keys := st.dates.ledger.Keys()
	for _, turn := range d.turns.all()[:d.Status().Turns] {
		var mark clock.Mark
		for m := range st.dates.ledger.Marks(0) {
			if m.Session == turn.Named.ID {
				mark = m
			}
		}
		at, err := keys.Key(mark.From)
		if err != nil || mark.M != turn.M {
			t.Fatalf("%s: mark %+v of turn %+v: %v", st.ID, mark, turn, err)
		}
		if late := at - turn.M; late <= -frame-wrong || late >= most+wrong {
			t.Errorf("%s: session %d begins %d ns behind its instant, a frame has %d, stepped: %v", st.ID, mark.Session, late, frame, stepped)
		}
	}
}

// Whatever the rates, chunks, holes, breaks and troubles of the clock are, the
// sessions of each sensor are its stream: every frame in exactly one of them.
func TestSessionsTileTheStream(t *testing.T) {
	runs := uint64(60)
	if testing.Short() {
		runs = 20
	}
	for seed := range runs {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			m := clocktest.NewFollowing()
			b := newBench(t)
			core, errs := observer.New(zap.ErrorLevel)
			b.clock, b.config.Clock, b.config.Log = m, m, zap.New(core)
			b.config.Rotate = time.Duration(1+rng.IntN(2)) * time.Minute
			for i := range 1 + rng.IntN(3) {
				f := audio.Format{Rate: 100 + rng.IntN(2000), Channels: 1, Encoding: audio.S32}
				c := newCrystal(m, f, 400*rng.Float64()-200)
				b.sensor(string(rune('a'+i)), f, keepAll, troubled(c, rand.New(rand.NewPCG(seed, uint64(i)))))
			}
			b.reader("disk", mem.New(), 50*time.Millisecond+time.Duration(rng.Int64N(int64(70*time.Second))), byBytes)
			length := time.Duration(100+rng.IntN(300)) * time.Second
			var trouble clocktest.Trouble
			if rng.IntN(3) > 0 {
				trouble = clocktest.Troubles()[rng.IntN(len(clocktest.Troubles()))]
				m.At(time.Duration(rng.Int64N(int64(length))), trouble.Do)
			}
			d, err := b.run(length)
			if err != nil {
				t.Fatal(err)
			}
			wrong := 5 * time.Millisecond
			if trouble.Slewed || trouble.Suspend > 0 { // of hours, or by a twelfth
				wrong = 50 * time.Millisecond
			}
			for _, st := range d.streams {
				all := b.sessions("disk", st.ID)
				checkTurns(t, d, st, all)
				checkNumbers(t, st, all)
				checkMarks(t, d, st, int64(wrong), trouble.Step != 0)
			}
			for _, e := range errs.All() {
				t.Errorf("it was logged: %s", e.Message)
			}
			if t.Failed() {
				t.Fatalf("with seed %d, trouble %s", seed, trouble.Name)
			}
		})
	}
}

// troubled opens microphones of a crystal that break now and then, and cannot be
// opened for a while then.
func troubled(c *crystal, rng *rand.Rand) func(context.Context, source.Admit) (source.Source, error) {
	away := c.clock.Read().Raw + rng.Int64N(10)*rng.Int64N(int64(time.Second))
	return func(context.Context, source.Admit) (source.Source, error) {
		if c.clock.Read().Raw < away {
			return nil, source.Faultf(source.Failed, "not plugged in")
		}
		until := c.clock.Read().Raw + rng.Int64N(int64(time.Minute))
		m := c.open(1+rng.IntN(c.f.Rate/5), rand.New(rand.NewPCG(rng.Uint64(), 0)))
		m.breaks = func(context.Context) error {
			if c.clock.Read().Raw < until {
				return nil
			}
			away = until + rng.Int64N(3)*rng.Int64N(int64(time.Minute))
			return errors.New("the test pulled the plug")
		}
		return m, nil
	}
}
