package reader

import "errors"

// ErrNotYet says that a KeyTrans may answer later, when it knows more.
var ErrNotYet = errors.New("not known yet")
