package portaudio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// A child finds what it is to do in this variable of its environment, and in
// its own name.
const (
	childVariable = "INGESTD_CHILD"
	captureChild  = "capture"
	devicesChild  = "devices"
	titlePrefix   = "ingestd: "
)

// process is a running child. Its goroutines end when it does.
type process struct {
	cmd     *exec.Cmd
	control *os.File // closed: the child exits
	data    *os.File
	talk    *talk
	limits  limits
	done    chan struct{} // closed when it has been waited for
	err     error         // of the wait; valid after done
	killed  atomic.Bool   // by us
	end     sync.Once
	talking sync.WaitGroup
}

// ends are the pipes between parent and child: three for the parent, and the
// three other ends.
type ends struct{ control, data, messages, childControl, childData, childMessages *os.File }

func openEnds() (e ends, err error) {
	var errs [3]error
	e.childControl, e.control, errs[0] = os.Pipe()
	e.data, e.childData, errs[1] = os.Pipe()
	e.messages, e.childMessages, errs[2] = os.Pipe()
	if err := errors.Join(errs[:]...); err != nil {
		e.closeChild()
		for _, f := range []*os.File{e.control, e.data, e.messages} {
			_ = f.Close() // a nil file says so, and the pipe's error is what counts
		}
		return e, fmt.Errorf("make pipes for the capture process: %w", err)
	}
	return e, nil
}

func (e ends) closeChild() {
	for _, f := range []*os.File{e.childControl, e.childData, e.childMessages} {
		_ = f.Close() // the child has its own
	}
}

// spawn starts this executable again as a child of that kind. Standard input
// is the control pipe, output and error go to the messages, descriptor 3 is
// the data pipe; it inherits nothing else. Of c it takes what its defaults have
// filled in: limits, clock and log.
func spawn(kind, title string, env []string, c Config) (*process, error) {
	path, err := executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	e, err := openEnds()
	if err != nil {
		return nil, err
	}
	widen(e.data)
	p := &process{control: e.control, data: e.data, limits: c.limits, done: make(chan struct{})}
	p.cmd = &exec.Cmd{
		Path: path, Args: []string{titlePrefix + title}, Dir: "/",
		Env:   append(env, childVariable+"="+kind),
		Stdin: e.childControl, Stdout: e.childMessages, Stderr: e.childMessages,
		ExtraFiles:  []*os.File{e.childData},
		SysProcAttr: ownGroup(),
	}
	keep()
	err = p.cmd.Start()
	e.closeChild()
	if err != nil {
		for _, f := range []*os.File{e.control, e.data, e.messages} {
			_ = f.Close() // nothing was written
		}
		return nil, fmt.Errorf("start the capture process: %w", err)
	}
	p.talk = &talk{pipe: e.messages, clock: c.Clock, log: c.Log, lines: c.limits.lines, flood: p.kill}
	p.talking.Go(p.talk.run)
	go p.wait()
	return p, nil
}

// wait ends when the process does. It alone may outlive stop: a process that
// survives SIGKILL sits in the kernel, and nothing can end it.
func (p *process) wait() {
	p.err = p.cmd.Wait()
	// What it wrote is in the pipe. A process that it started may have
	// inherited the other end, so there may be no end of it.
	_ = p.talk.pipe.SetReadDeadline(deadline(100 * time.Millisecond)) // a closed pipe ends the reading as well
	p.talking.Wait()
	_ = p.talk.pipe.Close()
	close(p.done)
}

// kill ends the process at once, with what it started.
func (p *process) kill() {
	p.killed.Store(true)
	killGroup(p.cmd.Process)
}

// stop ends the process: it closes the control pipe, on which a healthy child
// exits by itself, and kills what is left. It says whether the process is gone.
func (p *process) stop() bool {
	p.end.Do(func() {
		_ = p.control.Close() // that the other side sees the end is all that counts
		if !p.ended(p.limits.polite) {
			p.kill()
		}
	})
	gone := p.ended(p.limits.last)
	_ = p.data.Close() // it is only read
	return gone
}

// ended waits that long for the end.
func (p *process) ended(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
