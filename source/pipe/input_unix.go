//go:build unix

package pipe

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ingestd/ingestd/source"
)

var (
	errEmpty    = errors.New("nothing there now")
	errNoWriter = errors.New("nobody has it open for writing")
)

// input is an open descriptor whose reads never wait.
type input struct {
	file     *os.File // standard input, so that it is not collected; else nil
	fd       int
	info     fs.FileInfo
	regular  bool
	fifo     bool           // of a path: its end is not the end of the stream
	capacity int            // bytes that the kernel holds for us
	poll     [1]unix.PollFd // asked before each read of a descriptor that may wait
}

// assumed is the capacity of what cannot be asked for it.
const assumed = 16 << 10

func openInput(path string, stdin *os.File) (*input, error) {
	if path == "-" {
		return openStdin(stdin)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, source.Faultf(source.Failed, "%s is not there: make it with \"mkfifo %s\"", path, path)
	case err != nil:
		return nil, source.Faultf(source.Failed, "open pipe: %w", err)
	case info.IsDir():
		return nil, source.Faultf(source.Failed, "%s is a directory: name a FIFO in it, made with mkfifo", path)
	case !readable(info):
		return nil, source.Faultf(source.Failed, "%s is no FIFO, character device or file: make a FIFO with mkfifo", path)
	}
	// Only to read: then opening waits for no writer, a read of 0 bytes says
	// that there is none, and the right to write is not needed.
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	})
	if errors.Is(err, fs.ErrPermission) {
		return nil, source.Faultf(source.Failed, "%s may not be read by this user: chown or chmod it", path)
	}
	if err != nil {
		return nil, source.Faultf(source.Failed, "open %s: %w", path, err)
	}
	mode := info.Mode()
	in := &input{fd: fd, info: info, regular: mode.IsRegular(), fifo: mode&fs.ModeNamedPipe != 0}
	in.capacity = capacityOf(fd)
	return in, nil
}

func readable(info fs.FileInfo) bool {
	m := info.Mode()
	return m.IsRegular() || m&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0
}

func openStdin(f *os.File) (*input, error) {
	if f == nil {
		return nil, source.Faultf(source.Failed, "there is no standard input here: name a FIFO")
	}
	info, err := f.Stat()
	if err != nil {
		return nil, source.Faultf(source.Failed, "standard input cannot be read: %w", err)
	}
	if !readable(info) && info.Mode()&fs.ModeSocket == 0 {
		return nil, source.Faultf(source.Failed, "standard input is no pipe, device or file: feed it with \"... | ingestd\"")
	}
	in := &input{file: f, fd: int(f.Fd()), info: info, regular: info.Mode().IsRegular()}
	in.capacity = capacityOf(in.fd)
	in.poll[0] = unix.PollFd{Fd: int32(in.fd), Events: unix.POLLIN}
	return in, nil
}

// read reads what is there: more than 0 bytes, or errEmpty, errNoWriter,
// io.EOF or what went wrong. Standard input is shared with others, whom
// O_NONBLOCK would surprise, so it is asked first whether a read would wait.
func (in *input) read(p []byte) (int, error) {
	if in.file != nil && !in.regular {
		n, err := ignoringEINTR(func() (int, error) { return unix.Poll(in.poll[:], 0) })
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, errEmpty
		}
	}
	n, err := ignoringEINTR(func() (int, error) { return unix.Read(in.fd, p) })
	switch {
	case err == unix.EAGAIN:
		return 0, errEmpty
	case err != nil:
		return 0, err
	case n > 0:
		return n, nil
	case in.fifo:
		return 0, errNoWriter
	}
	return 0, io.EOF
}

func (in *input) close() error {
	if in.file != nil {
		return nil
	}
	return unix.Close(in.fd)
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); err != unix.EINTR {
			return n, err
		}
	}
}
