package wavfile

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// Source is a replay. See source.Source.
type Source struct {
	c      Config
	pace   *source.Pace
	names  []string
	format audio.Format
	start  time.Time
	frames int64 // of all files, as they were at Open; 0 with Loop: no end
	cur    *file // nil: none is open
	next   int   // the file behind cur
	pos    int64
	line   timeline // where the files stand, with Start.File
	lost   int64    // frames missing before the next one, not told yet
	err    error    // the end, or the fault: every later Read returns it
}

var _ source.Dated = (*Source)(nil)

// Open checks the headers of all files, one after another, and stands at the
// first frame of the first. What cannot be replayed is refused as a whole,
// with a Fault that names the file, what is wrong and what to do.
func Open(ctx context.Context, c Config) (*Source, error) {
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	names, err := expand(ctx, c.Paths)
	if err != nil {
		return nil, err
	}
	s := &Source{c: c, names: names}
	parts := make([]part, len(names))
	for i := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if parts[i], err = s.survey(i); err != nil {
			return nil, err
		}
	}
	if err := s.date(parts); err != nil {
		return nil, err
	}
	if c.Loop {
		if s.frames == 0 {
			return nil, source.Faultf(source.Failed, "%s: there is no sound to loop: name a file that has some", shown(names[0]))
		}
		s.frames = 0
	}
	s.pace, err = source.NewPace(source.PaceConfig{Clock: c.Clock, Rate: s.format.Rate, Speed: c.Speed, Batch: c.Batch, Admit: c.Admit})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// survey checks one file.
func (s *Source) survey(i int) (p part, err error) {
	f, err := openFile(s.names[i])
	if err != nil {
		return p, err
	}
	defer f.f.Close()
	if i == 0 {
		s.format = f.Format()
		err = f.configured(s.c.Format)
	} else {
		err = f.sameFormat(s.names[0], s.format)
	}
	if err != nil {
		return p, err
	}
	if s.c.Strict && !f.Exact() {
		return p, source.Faultf(source.Failed, "%s: %s Strict refuses it: repair the file, or replay without strict", f.name, join(f.Notes()))
	}
	for _, note := range f.Notes() {
		s.c.Warn(f.name + ": " + note)
	}
	if s.frames > math.MaxInt64-f.Frames() {
		return p, source.Faultf(source.Failed, "%s: too much sound: replay the files in parts", f.name)
	}
	s.frames += f.Frames()
	return f.part(), nil
}

// date sets the start. If the files tell it, each of them must be able to
// follow those before it.
func (s *Source) date(parts []part) error {
	switch {
	case s.c.Start.File && s.c.Loop:
		return source.Faultf(source.Failed, "%s: a loop is later each time than the file says: %s, or do not loop", s.names[0], cure)
	case s.c.Start.File:
	case !s.c.Latest.IsZero() && s.c.Start.Time.After(s.c.Latest):
		return source.Faultf(source.Failed, "the start %s is in the future: %s", s.c.Start.Time.UTC().Format(time.RFC3339Nano), cure)
	default:
		s.start = s.c.Start.Time
		return nil
	}
	s.line = timeline{format: s.format, latest: s.c.Latest}
	for _, p := range parts {
		s.line.tagged = s.line.tagged || p.begin.tagged && p.begin.fraction
	}
	trial := s.line
	for _, p := range parts {
		if _, err := trial.next(p); err != nil {
			return err
		}
	}
	s.start = trial.begin
	if trial.last.name == "" {
		s.start = parts[0].begin.at // there is no sound
	}
	return nil
}

func join(notes []string) (line string) {
	for _, n := range notes {
		line += strings.TrimSuffix(n, ".") + ". "
	}
	return line[:max(len(line)-1, 0)]
}

// Format is that of all files. Sound of 8 bits is delivered as s16.
func (s *Source) Format() audio.Format { return s.format }

// Start is the time of the first frame, as Config.Start says.
func (s *Source) Start() (time.Time, bool) { return s.start, !s.start.IsZero() }

// Read reads the next frames of the files straight into p. Packet.At is the
// nominal time at which they were heard: the opening and frames/rate, at every
// speed. What is missing between two files is lost at once, and not waited for.
func (s *Source) Read(ctx context.Context, p []byte) (source.Packet, error) {
	frame := s.format.FrameBytes()
	want := len(p) / frame
	if want == 0 {
		return source.Packet{}, nil
	}
	if s.err == nil {
		s.err = s.seek()
	}
	if s.err != nil {
		return source.Packet{}, s.err
	}
	n, err := s.pace.Take(ctx, s.pos, s.frames, int(min(int64(want), s.cur.left)))
	if err != nil {
		return source.Packet{}, err
	}
	n, err = s.cur.Read(p[:n*frame])
	if n /= frame; n == 0 {
		s.err = source.Faultf(source.Failed, "read %s: %w", s.cur.name, err)
		return source.Packet{}, s.err
	}
	pk := source.Packet{Frames: n, Lost: s.lost, Exact: true, First: s.pos == 0}
	if s.lost > 0 {
		pk.Cause, s.lost = audio.Stopped, 0
	}
	s.pos += int64(n)
	s.cur.left -= int64(n)
	pk.At = s.pace.At(s.pos)
	return pk, nil
}

// seek makes cur a file that has frames left, or returns io.EOF.
func (s *Source) seek() error {
	for tries := 0; s.cur == nil || s.cur.left == 0; tries++ {
		if tries > len(s.names)+1 {
			return source.Faultf(source.Failed, "%s: the sound to loop is gone: has it been replaced?", shown(s.names[0]))
		}
		if s.cur != nil && s.c.Loop && len(s.names) == 1 {
			if err := s.cur.Rewind(); err != nil {
				return source.Faultf(source.Failed, "rewind %s: %w", s.cur.name, err)
			}
			s.cur.left = s.cur.Frames()
			continue
		}
		if s.next == len(s.names) {
			if !s.c.Loop {
				return io.EOF
			}
			s.next = 0
		}
		if err := s.Close(); err != nil {
			return err
		}
		f, err := openFile(s.names[s.next])
		if err != nil {
			return err
		}
		s.cur = f
		s.next++
		if err := f.sameFormat(s.names[0], s.format); err != nil {
			return err
		}
		if s.c.Start.File {
			if s.lost, err = s.line.next(f.part()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close closes the open file.
func (s *Source) Close() error {
	if s.cur == nil {
		return nil
	}
	f := s.cur
	s.cur = nil
	return f.f.Close()
}
