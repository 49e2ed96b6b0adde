package wavfile

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/source"
)

// file is an open WAV file whose header was checked.
type file struct {
	*wav.Reader
	f    *os.File
	name string // as it may stand in a message
	left int64  // frames not read yet
}

func openFile(name string) (*file, error) {
	// Without O_NONBLOCK the open of a FIFO would wait for a writer.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, source.Faultf(source.Failed, "%s: there is no such file: check the name", shown(name))
	case errors.Is(err, fs.ErrPermission):
		return nil, source.Faultf(source.Failed, "%s: it may not be read by this user: chown or chmod it", shown(name))
	case err != nil:
		return nil, source.Faultf(source.Failed, "%s: %w", shown(name), bare(err))
	}
	w, err := check(f)
	if err != nil {
		f.Close()
		return nil, source.Faultf(source.Failed, "%s: %w", shown(name), named(err, shown(name)))
	}
	return &file{w, f, shown(name), w.Frames()}, nil
}

// shown is a path as it may stand in a message: whoever names a file does not
// write on the terminal of whoever replays it.
func shown(path string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, path)
}

// bare leaves out of an error what the os package adds: the name is told by us.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// named puts the name of the file into the command that would convert it:
// audio/wav, which says it, does not know the name.
func named(err error, name string) error {
	text := strings.Replace(err.Error(), " -i IN ", " -i "+shellWord(name)+" ", 1)
	if text == err.Error() {
		return err
	}
	return errors.New(strings.Replace(text, " OUT.wav", " out.wav", 1))
}

// shellWord is name as a shell takes it for one word.
func shellWord(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./+:@%,=-", r)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

var errNoFile = errors.New("it is not a regular file: name a WAV file, or use the source pipe")

func check(f *os.File) (*wav.Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	return wav.Open(f, info.Size())
}

// sameFormat refuses a file whose format is not that of the first one.
func (f *file) sameFormat(first string, want audio.Format) error {
	if got := f.Format(); got != want {
		return source.Faultf(source.Failed, "%s is %v, but %s is %v: all files of one sensor have one format", f.name, got, shown(first), want)
	}
	return nil
}

// configured refuses a file that is not what the configuration says.
func (f *file) configured(want audio.Format) error {
	got := f.Format()
	switch {
	case want.Rate != 0 && want.Rate != got.Rate:
		return source.Faultf(source.Failed, "%s is %d Hz, but the sensor is %d: set its rate to %d, or resample the file before", f.name, got.Rate, want.Rate, got.Rate)
	case want.Channels != 0 && want.Channels != got.Channels:
		return source.Faultf(source.Failed, "%s has channels: %d, but the sensor has %d: set its channels to %d", f.name, got.Channels, want.Channels, got.Channels)
	case want.Encoding != 0 && want.Encoding != got.Encoding:
		return source.Faultf(source.Failed, "%s is %v, but the sensor is %v: set its encoding to %v", f.name, got.Encoding, want.Encoding, got.Encoding)
	}
	return nil
}
