package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/ingestd/ingestd/sink"
)

// errReadOnly wraps what a read-only file system says.
var errReadOnly = fmt.Errorf("opened to read only: %w", fs.ErrPermission)

// check is what every method that reads does first, before it touches the
// disk.
func (b *Bucket) check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := sink.CheckName(name); err != nil {
		return err
	}
	if name == lockName {
		return fmt.Errorf("%w: %s is the lock of the store", sink.ErrName, name)
	}
	return nil
}

// checkWrite is what every method that changes something does first.
func (b *Bucket) checkWrite(ctx context.Context, name string) error {
	if b.readOnly {
		return errReadOnly
	}
	return b.check(ctx, name)
}

// wrap names the act and its object.
func wrap(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %.120s: %w", verb, name, bare(err))
}

// bare strips what the os package adds: the name is told once, and by us.
func bare(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	var s *os.SyscallError
	switch {
	case errors.As(err, &p) && p.Err != nil:
		return bare(p.Err)
	case errors.As(err, &l) && l.Err != nil:
		return bare(l.Err)
	case errors.As(err, &s) && s.Err != nil:
		return s.Err
	}
	return err
}

// missing turns the errors of a name that is not there into ErrNotFound. A
// name below another name is such a one.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: %w", sink.ErrNotFound, bare(err))
	}
	return err
}
