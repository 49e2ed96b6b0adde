//go:build !unix

package pipe

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ingestd/ingestd/source"
)

var (
	errEmpty    = errors.New("nothing there now")
	errNoWriter = errors.New("nobody has it open for writing")
)

type input struct {
	info     fs.FileInfo
	regular  bool
	capacity int
}

func openInput(string, *os.File) (*input, error) {
	return nil, source.Faultf(source.Failed, "pipes cannot be read on this system: use a WAV file")
}

func (*input) enlarge(int64) {}

func (*input) read([]byte) (int, error) { return 0, errEmpty }

func (*input) close() error { return nil }
