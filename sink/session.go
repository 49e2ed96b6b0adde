package sink

import (
	"context"
	"iter"
	"strings"

	"github.com/ingestd/ingestd/audio"
)

// A Grouper is a Bucket that lists one level of its names without the names
// below it. Without it, List is asked name by name.
type Grouper interface {
	// Groups yields, ascending, each text that begins with prefix and is a
	// name, or a name up to and with the next slash behind prefix. An error
	// comes once, last.
	Groups(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// groups is Grouper.Groups on any bucket.
func groups(ctx context.Context, b Bucket, prefix string) iter.Seq2[string, error] {
	if g, ok := b.(Grouper); ok {
		return g.Groups(ctx, prefix)
	}
	return func(yield func(string, error) bool) {
		for after := ""; ; {
			found := ""
			for info, err := range b.List(ctx, prefix, after) {
				if err != nil {
					yield("", err)
					return
				}
				found = info.Name
				break
			}
			if found == "" {
				return
			}
			after = found
			if i := strings.IndexByte(found[len(prefix):], '/'); i >= 0 {
				found = found[:len(prefix)+i+1]
				after = found + "\U0010FFFF" // behind all that lies below
			}
			if !yield(found, nil) {
				return
			}
		}
	}
}

// LastSession is the greatest session that has a name in the store, of a chunk
// or of what is known about one; false if there is none. It looks at folders
// down to the one that tells the session, not at chunks, where the layout has
// such a folder.
func (s *Store) LastSession(ctx context.Context) (audio.Session, bool, error) {
	last := audio.Session(-1)
	for _, parts := range [][]part{s.Layout.parts, s.Layout.metaParts()} {
		if err := s.deepest(ctx, "", levels(parts), &last); err != nil {
			return 0, false, err
		}
	}
	return max(last, 0), last >= 0, nil
}

// deepest goes down the levels of a template, below the folder dir, to the one
// with the session.
func (s *Store) deepest(ctx context.Context, dir string, levels [][]part, last *audio.Session) error {
	level := levels[0]
	for group, err := range groups(ctx, s.Bucket, dir) {
		if err != nil {
			return err
		}
		text := strings.TrimSuffix(group[len(dir):], "/")
		k, ok := match(level, text)
		switch {
		case !ok:
		case holds(level, sessionField):
			*last = max(*last, k.Session)
		case strings.HasSuffix(group, "/"):
			if err := s.deepest(ctx, group, levels[1:], last); err != nil {
				return err
			}
		}
	}
	return nil
}
