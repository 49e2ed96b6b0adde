//go:build !linux && !darwin && !freebsd

package files

import (
	"errors"
	"fmt"
)

// Free is not known on this system.
func (b *Bucket) Free() (free, size int64, err error) {
	return 0, 0, fmt.Errorf("free space of %s: %w", b.path, errors.ErrUnsupported)
}
