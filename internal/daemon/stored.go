package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/clock/clockfile"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink"
)

// stored is the session that a drain stores. One session follows another: the
// recorder of the first is closed, with all that is in it, before that of the
// second is opened.
type stored struct {
	mark  clock.Mark
	named Named
	cont  *clockfile.Continued // the session that this one goes on from; nil: none
	keys  reader.KeyTrans
	times *clockfile.Writer
	needs atomic.Int64 // the position before which the ledger may forget, as far as this drain goes

	progress atomic.Pointer[progress]
}

// progress is what is stored, for those who look.
type progress struct {
	rec           *sink.Recorder // nil until there is something to store
	from          audio.Pos      // where its session begins
	chunks, bytes int64          // of the sessions before, all together
}

// rec is the recorder of the session; nil: there is none yet.
func (s *stored) rec() *sink.Recorder { return s.progress.Load().rec }

// across cuts what lies between two positions where sessions begin, and gives
// each piece to store.
func (d *drain) across(ctx context.Context, s audio.Span, store func(audio.Span) error) error {
	// Who has seen the head sees every mark below it.
	for m := range d.from.dates.ledger.Marks(max(d.mark.From+1, s.From)) {
		if m.From >= s.To {
			break
		}
		if m.From > s.From {
			if err := store(audio.Span{From: s.From, To: m.From}); err != nil {
				return err
			}
		}
		if err := d.turn(ctx, m); err != nil {
			return err
		}
		s.From = m.From
	}
	return store(s)
}

// turn ends the session that is stored and begins the one of a mark.
func (d *drain) turn(ctx context.Context, m clock.Mark) error {
	if err := d.close(ctx, m.Session); err != nil {
		return err
	}
	var cont *clockfile.Continued
	at := d.progress.Load()
	next := progress{from: m.From, chunks: at.chunks, bytes: at.bytes}
	if at.rec != nil {
		cont = &clockfile.Continued{Session: d.mark.Session, Frames: int64(m.From - d.mark.From)}
		next.chunks += at.rec.Chunks()
		next.bytes += at.rec.Bytes()
	}
	d.progress.Store(&next)
	d.begin(m, cont)
	return nil
}

// begin prepares to store the session of a mark.
func (d *drain) begin(m clock.Mark, cont *clockfile.Continued) {
	d.mark, d.cont = m, cont
	d.named = d.daemon.namedAs(m.Session)
	d.keys = d.reader.Keys(d.from.Format, m.From)
}

// open makes the recorder when the first frame is there to be recorded.
func (d *drain) open(ctx context.Context) (*sink.Recorder, error) {
	at := *d.progress.Load()
	if at.rec != nil {
		return at.rec, nil
	}
	d.times = clockfile.NewWriter(d.from.dates.ledger, d.mark, d.header())
	rec, err := d.sink.timed().Record(ctx, sink.RecordConfig{
		Session:     d.mark.Session,
		Sensor:      d.from.ID,
		Format:      d.from.Format,
		ChunkFrames: d.reader.Chunk(d.from.Format),
		Block:       func(frame int64) (int64, error) { return d.keys.Key(d.mark.From + audio.Pos(frame)) },
		Time:        d.time,
		Clock:       d.clockLines,
		Tags:        d.from.Tags,
		Info:        d.info(),
		Beside:      d.beside,
	})
	if err != nil {
		return nil, err
	}
	at.rec = rec
	d.progress.Store(&at)
	return rec, nil
}

// time is when a frame of the session was captured, and how wrong that may be. Of
// times that are given that is not known.
func (d *drain) time(frame int64) (at time.Time, within time.Duration) {
	at, within = d.from.utc(d.mark.From + audio.Pos(frame))
	if d.from.Timing.Source == Given {
		within = -1
	}
	return at, within
}

// clockLines is what the session's clock.jsonl goes on with.
func (d *drain) clockLines(frame int64, over bool, next audio.Session) ([]byte, error) {
	at := d.mark.From + audio.Pos(frame)
	defer func() { d.needs.Store(int64(d.times.Told())) }()
	switch {
	case !over:
		return d.times.Next(at)
	case next != 0:
		return d.times.End(at, "rotated", next)
	}
	return d.times.End(at, "stopped", 0)
}

// header is what clock.jsonl says first.
func (d *drain) header() clockfile.Open {
	f := d.from
	o := clockfile.Open{
		Session: d.mark.Session, Sensor: f.ID, Rate: f.Format.Rate, Frame: f.Format.FrameBytes(), Stream: int64(d.mark.From),
		Src: f.dates.by(), LatE: int64(f.Timing.LatencyErr), Cont: d.cont,
	}
	if f.Timing.Source != Given {
		o.Est = estimatorName
	}
	if !f.own {
		o.Boot, o.M0 = d.daemon.c.BootID, d.daemon.time.zero.Boot+d.mark.M
	}
	return o
}

// estimatorName says how times are estimated: a line under the earliest arrivals
// of each second, of 60.
const estimatorName = "minline 1s x 60"

// info is what info.json says of the sensor.
func (d *drain) info() map[string]any {
	f := d.from.Format
	start, within := d.from.utc(d.mark.From)
	label := d.from.label()
	times := map[string]any{"source": d.from.dates.by(), "synchronised": label.Sync}
	if d.from.Timing.Source != Given {
		times["error_ns"] = within.Nanoseconds()
		times["estimator"] = estimatorName
		times["ppm"], times["ppm_error"] = d.from.dates.drift()
	}
	if !d.from.own && d.daemon.c.BootID != "" {
		times["boot_id"] = d.daemon.c.BootID
	}
	info := map[string]any{
		"session": d.mark.Session, "sensor": d.from.ID, "rate": f.Rate, "channels": f.Channels, "encoding": f.Encoding,
		"frame_bytes": f.FrameBytes(), "chunk_frames": d.reader.Chunk(f), "start": start, "reader": d.reader.Name, "key": d.reader.Key,
		"id_is_time": d.named.IsTime, "clock": times,
	}
	if d.cont != nil {
		info["continues"] = d.cont
	}
	for k, v := range d.from.Info {
		info[k] = v
	}
	return info
}

// close stores the last short chunk of the session, and says which one follows:
// 0: none.
func (d *drain) close(ctx context.Context, next audio.Session) error {
	rec := d.rec()
	if rec == nil {
		return nil
	}
	return rec.Close(ctx, next)
}

// rewind goes back to the first frame that has no name yet.
func (d *drain) rewind(ctx context.Context) {
	from := int64(0)
	if rec := d.rec(); rec != nil {
		from = rec.Restart(ctx)
	}
	at := d.mark.From + audio.Pos(from)
	d.overrun.back(at)
	d.r.Seek(at)
}

// written is how far the sink has taken the stream.
func (s *stored) written() int64 { return s.reached((*sink.Recorder).Written) }

// durable is a position of the stream before which a power cut takes nothing.
func (s *stored) durable() int64 { return s.reached((*sink.Recorder).Durable) }

// reached is a count of frames of the session, as a position of the stream.
func (s *stored) reached(count func(*sink.Recorder) int64) int64 {
	at := s.progress.Load()
	if at.rec == nil {
		return int64(at.from)
	}
	return int64(at.from) + count(at.rec)
}
