package portaudio

import (
	"context"
	"sync"
)

// Turn makes starts and listings take turns: PortAudio opens every device that
// it can see when it is initialised, and so breaks the start of another. It
// may be used from any goroutine.
type Turn struct {
	free  chan struct{} // holds a token while nobody has the turn
	mu    sync.Mutex
	stuck map[string]*process // by selector: those that outlived SIGKILL
}

// NewTurn returns a Turn that is free.
func NewTurn() *Turn {
	t := &Turn{free: make(chan struct{}, 1), stuck: map[string]*process{}}
	t.free <- struct{}{}
	return t
}

// take waits for the turn. Who has it gives it back by pass.
func (t *Turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-t.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Turn) pass() { t.free <- struct{}{} }

// leave notes that a process for that device did not end. It sits in the
// kernel and holds the device, so no other is started until it is gone.
func (t *Turn) leave(device string, p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stuck[device] = p
}

// left returns the process that still holds the device, or nil.
func (t *Turn) left(device string) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.stuck[device]
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		delete(t.stuck, device)
		return nil
	default:
		return p
	}
}
