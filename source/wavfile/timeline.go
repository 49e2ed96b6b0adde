package wavfile

import (
	"path/filepath"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// How wrong a time may be that tells when a file begins: one in whole seconds,
// and one with fractions.
const coarse, fine = time.Second, 20 * time.Millisecond

// drift is the part of the sound by which a recorder's frames may last longer
// than its clock says: 100 ppm. A file that begins too early by no more than
// that is no contradiction.
const drift = 10_000

// longestHole is the longest time between two files of one replay. A recorder
// whose clock was not set yet says 1970.
const longestHole = 366 * 24 * time.Hour

// A stamp is when a file says that it begins.
type stamp struct {
	at       time.Time // zero: it does not say
	tagged   bool      // in GUANO or bext; else in its name
	fraction bool      // to less than a second
}

func (s stamp) String() string {
	from := "its name"
	if s.tagged {
		from = "its GUANO or bext"
	}
	return s.at.UTC().Format(time.RFC3339Nano) + ", " + from
}

// A part is what the timeline knows of a file.
type part struct {
	name   string
	frames int64
	begin  stamp
}

func (f *file) part() part {
	p := part{name: f.name, frames: f.Frames()}
	if at, ok := f.Start(); ok {
		p.begin = stamp{at, true, at.Nanosecond() != 0}
	} else if at, fraction, ok := startOfName(filepath.Base(f.name)); ok {
		p.begin = stamp{at, false, fraction}
	}
	return p
}

// A timeline places files one behind another by the times that they state. It
// counts in frames since the first one began, so that nothing adds up, however
// many files there are.
type timeline struct {
	format audio.Format
	latest time.Time // a file that begins later is refused; zero: none is
	tagged bool      // the times in GUANO and bext have fractions of a second, even where one is zero

	begin time.Time // of the first frame
	end   int64     // frames from there to the end of the sound so far
	heard int64     // of these, the sound since a stamp last set the time
	set   stamp     // that stamp
	last  part      // the file whose sound was the last; without a name: there was none
}

// cure is what helps when the files do not tell their times.
const cure = "give the start as now or as a time"

// next places a file behind the sound so far, and returns how many frames are
// missing between the two. A file without sound has no place.
func (l *timeline) next(p part) (lost int64, err error) {
	switch {
	case p.frames == 0:
		return 0, nil
	case p.begin.at.IsZero() && l.last.name == "":
		return 0, source.Faultf(source.Failed, "%s does not say when it begins (no GUANO, no bext, no name like mic0_20260131_060000.wav): %s", p.name, cure)
	case p.begin.at.IsZero():
		return 0, source.Faultf(source.Failed, "%s does not say when it begins, and %s before it does, from %v: leave one of them out, or %s", p.name, l.last.name, l.last.begin, cure)
	case !l.latest.IsZero() && p.begin.at.After(l.latest):
		return 0, source.Faultf(source.Failed, "%s begins in the future (%v): was the clock of the recorder set? Mend the time, or %s", p.name, p.begin, cure)
	case l.last.name == "":
		l.begin, l.set = p.begin.at, p.begin
	default:
		if lost, err = l.missing(p); err != nil {
			return 0, err
		}
		if lost > 0 {
			l.set, l.heard = p.begin, 0
		}
	}
	l.end += lost + p.frames
	l.heard += p.frames
	l.last = p
	return lost, nil
}

// missing is how many frames are missing before a file.
func (l *timeline) missing(p part) (frames int64, err error) {
	slack := l.format.Frames(coarse)
	if l.exact(p.begin) && l.exact(l.set) {
		slack = l.format.Frames(fine)
	}
	late := l.frames(p.begin.at) - l.end
	switch {
	case late < -slack-l.heard/drift:
		return 0, source.Faultf(source.Failed, "%s begins at %v, but the sound of %s before it lasts until %v: name each file once, in the order of their times, or %s", p.name, p.begin, l.last.name, l.ends(), cure)
	case late > l.format.Frames(longestHole):
		return 0, source.Faultf(source.Failed, "%s begins at %v, more than a year after the sound of %s before it (%v): was the clock of the recorder set? Replay them one by one, or %s", p.name, p.begin, l.last.name, l.ends(), cure)
	case late > slack:
		return late, nil
	}
	return 0, nil
}

func (l *timeline) exact(s stamp) bool { return s.fraction || s.tagged && l.tagged }

// frames is how many frames pass between the first one and t, rounded down.
func (l *timeline) frames(t time.Time) int64 {
	seconds, ns := t.Unix()-l.begin.Unix(), int64(t.Nanosecond()-l.begin.Nanosecond())
	if ns < 0 {
		seconds, ns = seconds-1, ns+int64(time.Second)
	}
	return seconds*int64(l.format.Rate) + ns*int64(l.format.Rate)/int64(time.Second)
}

// ends is when the sound so far ends.
func (l *timeline) ends() string {
	rate := int64(l.format.Rate)
	at := time.Unix(l.begin.Unix()+l.end/rate, int64(l.begin.Nanosecond())+l.end%rate*int64(time.Second)/rate)
	return at.UTC().Format(time.RFC3339Nano)
}
