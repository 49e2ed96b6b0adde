package clock

import "errors"

// ErrNotYet says that an answer may come later, when more is known.
var ErrNotYet = errors.New("not known yet")
