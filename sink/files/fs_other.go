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

// canSyncWhole says whether syncWhole works here.
const canSyncWhole = false

func syncWhole(*os.File) error { return errors.ErrUnsupported }
