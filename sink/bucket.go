// Package sink persists (session, block, chunk) triples. A Store is a mapping
// from keys to chunks built of three parts that can each be replaced alone:
//
//	Bucket   names to bytes; the drivers are the folders below this one
//	Layout   keys to names and back
//	Codec    frames to bytes and back
//
// A Recorder cuts the stream of one sensor into the chunks of a Store.
package sink

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Errors that callers branch on. Drivers wrap them, so use errors.Is.
var (
	ErrNotFound    = errors.New("no such name")
	ErrExists      = errors.New("name is taken")
	ErrUnsupported = errors.New("not supported by this kind of bucket")

	// ErrNamed comes from Put and Draft.Commit: it is there under its name, but
	// may lose that in a power cut, because its folder could not be synced. The
	// next Commit of a name in that folder that has no error makes it durable
	// too, and so does a SyncAll.
	ErrNamed = errors.New("it has its name, but that may not be durable")
)

// A Bucket maps names to bytes. A name is what CheckName takes; a driver
// refuses any other, with ErrName, before it touches anything. A driver may
// refuse a name that lies below another (a/b beside a).
//
// Drivers are dumb: no retry, no clock, no logging, no cache. All methods may
// be called from any goroutine at once. Errors name the object: "put NAME: …".
type Bucket interface {
	// Put stores body under name, whole or not at all. By default it creates
	// only: if the name is taken it changes nothing and returns ErrExists.
	// It does not keep body.
	Put(ctx context.Context, name string, body []byte, o PutOptions) (Info, error)

	// Get reads n bytes from offset off, or to the end if n < 0. A range
	// beyond the end is cut at the end. The caller closes the reader.
	// ErrNotFound if there is no such name.
	Get(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)

	// Stat describes what is stored under name, or returns ErrNotFound.
	Stat(ctx context.Context, name string) (Info, error)

	// Delete removes name. ErrNotFound if it is not there.
	Delete(ctx context.Context, name string) error

	// List yields what has a name that begins with prefix and is greater than
	// after, ascending by the bytes of the name. It yields an error once, as
	// its last element. Unfinished drafts have no name and are not listed.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]
}

// PutOptions change what Put does. The zero value creates only.
type PutOptions struct {
	Replace bool // what has the name is replaced, whole
}

// Info describes what is stored under a name.
type Info struct {
	Name string
	Size int64 // bytes
}

// A Creator is a Bucket whose chunks can grow in place before they get their
// name, and that keeps logs of lines. Not every bucket is one: ask by
// assertion.
type Creator interface {
	// Create begins a draft that will be called name. ErrExists if the name is
	// taken already. Several drafts of one name may exist; one commits.
	Create(ctx context.Context, name string) (Draft, error)

	// Append adds lines, each of which ends in a newline, to the log called name,
	// and makes the log if there is none. After an error or a crash the first of
	// them may be there, and a part of the next; the next Append begins on a line
	// of its own.
	Append(ctx context.Context, name string, lines []byte) error
}

// A Draft is a chunk that grows. It belongs to one goroutine, but Sync may be
// called from another while Write runs.
type Draft interface {
	io.Writer   // appends; a Write that fails leaves the draft as it was, and may be tried again
	io.WriterAt // changes bytes that were written before, the header's

	// Sync makes everything written before the call durable. After it has
	// failed once, nothing of this draft can be trusted: Abort and write anew.
	Sync() error

	// Commit gives the draft its name, whole and for good: synced before, with
	// its folder after, unless the bucket was told not to sync. ErrExists if
	// somebody else took the name. The draft is over, whatever is returned; it
	// has its name only if that is nil or wraps ErrNamed. A Sync that runs at
	// the same time as Commit or Abort is waited for.
	Commit() error

	// Abort ends the draft without a name. What was written stays where the
	// driver keeps drafts if keep is true, for recovery; else it is removed.
	Abort(keep bool) error
}
