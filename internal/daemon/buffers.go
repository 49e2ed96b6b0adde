package daemon

import "sync"

// buffers are lent to the drains for the time of a step. All of them have a
// piece to store at the same tick, but few are at work at the same instant.
type buffers struct{ pool sync.Pool }

// take lends a buffer of size bytes.
func (b *buffers) take(size int) *[]byte {
	p, _ := b.pool.Get().(*[]byte)
	if p == nil || cap(*p) < size {
		fresh := make([]byte, size)
		p = &fresh
	}
	*p = (*p)[:size]
	return p
}

func (b *buffers) give(p *[]byte) { b.pool.Put(p) }
