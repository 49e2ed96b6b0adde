//go:build !linux

package files

import (
	"errors"
	"os"
)

type diskFile struct {
	*os.File
	data bool
}

func renameNew(*os.File, string, string) error { return errors.ErrUnsupported }

func tellsErrors(*os.File, string) bool { return false }

func syncWhole(*os.File) error { return errors.ErrUnsupported }
