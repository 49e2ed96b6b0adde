package portaudio

import (
	"context"
	"encoding/json"
	"errors"
	"syscall"
	"time"

	"github.com/ingestd/ingestd/source"
)

// Open starts the capture of a microphone, and waits until it runs. Its errors
// are Faults, whose text is for the user, and those of ctx. Nothing is left of
// an Open that fails.
func Open(ctx context.Context, c Config) (*Source, error) {
	if !built {
		return nil, notBuilt()
	}
	return open(ctx, c)
}

// notBuilt is the Fault of a program without PortAudio.
func notBuilt() error {
	return source.Faultf(source.Failed, "this ingestd was built without microphone support. Install the .deb, or portaudio19-dev and build again.")
}

func open(ctx context.Context, c Config) (*Source, error) {
	sel, err := c.defaults()
	if err != nil {
		return nil, err
	}
	s := &Source{cfg: c, system: newSystem(c.Sysfs), whole: true}
	s.losses.rate = int64(c.Format.Rate)
	s.window = window{rate: int64(c.Format.Rate), over: int64(c.limits.fast)}
	if s.to, err = s.system.find(sel); err != nil {
		return nil, err
	}
	if p := c.Turn.left(sel.text); p != nil {
		return nil, source.Faultf(source.Hang, "%s is held by capture process %d, which does not end although it was killed. Unplug the device, or restart the machine.",
			s.to.name, p.cmd.Process.Pid)
	}
	if err := c.Turn.take(ctx); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		_ = s.Close() // always nil, and the first error is the one to tell
		return nil, err
	}
	return s, nil
}

// start begins with the turn and passes it as soon as the device is open:
// from then on nobody is disturbed.
func (s *Source) start(ctx context.Context) (err error) {
	turn := true
	defer func() {
		if turn {
			s.end()
			s.cfg.Turn.pass()
		}
	}()
	o := order{
		Version: protocol, Device: s.to.selector.where,
		Rate: s.cfg.Format.Rate, Channels: s.cfg.Format.Channels, Encoding: s.cfg.Format.Encoding.String(),
		LatencyNS: int64(s.cfg.Latency),
	}
	if c := s.to.card; c != nil {
		o.Device = privateName
		if s.private, err = writePrivate(s.cfg.Dir, c.number, s.to.input); err != nil {
			return source.Faultf(source.Failed, "%w", err)
		}
	}
	line, err := json.Marshal(o)
	if err != nil {
		return source.Faultf(source.Failed, "write the order to the capture process: %w", err)
	}
	env := append(environment(s.cfg.Env, s.private), s.cfg.extra...)
	s.proc, err = spawn(captureChild, "capture "+s.cfg.Sensor, env, s.cfg)
	if err != nil {
		return source.Faultf(source.Failed, "%w", err)
	}
	s.wire = newWire(s.proc.data, s.cfg.Format.FrameBytes())
	s.heard = s.cfg.Clock.Monotonic()
	s.watch(ctx)
	// The line is shorter than a pipe: this does not wait. Nobody reads it if the
	// process has ended already, and the next step tells how that came.
	if _, err := s.proc.control.Write(append(line, '\n')); err != nil && !errors.Is(err, syscall.EPIPE) {
		return source.Faultf(source.Exit, "%s: write the order to the capture process: %w", s.to.name, err)
	}
	for s.stage != started {
		if err := s.step(ctx); err != nil {
			return err
		}
		if s.stage == opened && turn {
			turn = false
			s.cfg.Turn.pass()
		}
	}
	return nil
}

// accept takes in one record.
func (s *Source) accept(r record, payload []byte) error {
	switch r.kind {
	case sound:
		if s.stage != started {
			return source.Faultf(source.Failed, "%s: %w; it was ended.", s.to.name, errOutOfStep)
		}
		s.last = r.mono
		if per := s.window.tooFast(r); per > 0 {
			return source.Faultf(source.Rate, "%s delivers %d frames/s instead of %d: not a sound card. Its capture process was ended.",
				s.to.name, per, s.cfg.Format.Rate)
		}
		s.losses.push(r, payload)
		return nil
	case beat:
		return s.beat(r)
	}
	var n notice
	if err := json.Unmarshal(payload, &n); err != nil {
		return source.Faultf(source.Failed, "%s: %w: %v; it was ended.", s.to.name, errOutOfStep, err)
	}
	switch r.kind {
	case hello:
		if ours := thisBuild(); n.Version != protocol || n.Build != ours {
			return source.Faultf(source.Failed, "%s: its capture process is of another build of ingestd, %s, than this one, %s; it was ended. Restart ingestd: its program was replaced while it ran.",
				s.to.name, brief(n.Build), ours)
		}
		s.greeted = true
		s.info.PID, s.info.PortAudio = n.PID, brief(n.PortAudio)
	case failure:
		return s.system.explain(s.to, s.cfg.Format, n)
	case state:
		return s.reach(r, n)
	}
	return nil
}

// reach takes in how far the start has come.
func (s *Source) reach(r record, n notice) error {
	after := map[string]string{initialized: "", opened: initialized, started: opened}
	if before, ok := after[n.Stage]; !ok || before != s.stage || !s.greeted {
		return source.Faultf(source.Failed, "%s: %w; it was ended.", s.to.name, errOutOfStep)
	}
	s.stage = n.Stage
	switch n.Stage {
	case opened:
		s.info.HostAPI, s.info.Latency = brief(n.HostAPI), time.Duration(n.LatencyNS)
		s.info.Selectors = []string{s.to.selector.text}
		s.info.Name = s.to.name
		if c := s.to.card; c != nil {
			id, path := c.selectors()
			for _, text := range []string{id, path} {
				if text != "" && text != s.to.selector.text {
					s.info.Selectors = append(s.info.Selectors, text)
				}
			}
		} else if n.Device != "" {
			s.info.Name = brief(n.Device)
		}
	case started:
		s.begun = r.mono
	}
	return nil
}

// beat checks by the child's own times that frames still come.
func (s *Source) beat(r record) error {
	since, limit := s.last, s.cfg.limits.stall
	if since == 0 {
		since, limit = s.begun, s.cfg.limits.first
	}
	if silent := time.Duration(r.mono - since); silent >= limit {
		return source.Faultf(source.Stall, "%s has delivered nothing for %.1f s; its capture process was ended.", s.to.name, silent.Seconds())
	}
	return nil
}

// late is the Fault of a child that did not do what was due.
func (s *Source) late() error {
	what := map[string]string{"": "PortAudio started", initialized: "it was opened", opened: "it was started"}[s.stage]
	if what == "" {
		return source.Faultf(source.Hang, "%s: its capture process has not answered for %v and was ended.", s.to.name, s.patience())
	}
	return source.Faultf(source.Timeout, "%s: its driver did not answer for %v while %s; the capture process was ended.", s.to.name, s.patience(), what)
}

// gone is the Fault of a child that ended by itself.
func (s *Source) gone() error {
	ended := s.proc.ended(s.cfg.limits.polite)
	if s.proc.talk.flooded.Load() {
		return source.Faultf(source.Flood, "%s: its driver wrote messages without end (unplugged?); the capture process was ended.%s", s.to.name, s.proc.talk.words())
	}
	if !ended {
		return source.Faultf(source.Hang, "%s: its capture process closed its pipe and did not end; it was killed.%s", s.to.name, s.proc.talk.words())
	}
	reason := source.Exit
	if crashed(s.proc.err) {
		reason = source.Abort
	}
	err := s.proc.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	return source.Faultf(reason, "%s: its capture process ended: %w.%s", s.to.name, err, s.proc.talk.words())
}
