package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/internal/daemon"
)

func (p *program) runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "run",
		Short:   "Record: the daemon, as systemd calls it",
		Long:    "Records every sensor of the configuration until it is told to stop by SIGTERM, SIGHUP or Ctrl-C.\nThen the last short chunk of each is stored. A second signal, more than a second later, leaves what is open as it is.",
		Example: "  ingestd run --config ./ingestd.toml",
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			stop, kill, release := signals(c.Context(), p.clock)
			defer release()
			return p.daemon(stop, kill)
		},
	}
	p.settingFlags(c.Flags())
	return c
}

// gcPercent is how much garbage may pile up, in percent of what is in use:
// there is little of either, and the memory is better spent on the rings.
const gcPercent = 25

// daemon runs what the configuration says until stop ends.
func (p *program) daemon(stop, kill context.Context) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	log, stopLog, err := newLogger(p.stderr, cfg.Log)
	if err != nil {
		return err
	}
	defer stopLog()
	for _, w := range cfg.warnings {
		log.Warn(w)
	}
	listener, err := listen(cfg.HTTP)
	if err != nil {
		return withCode(exitConfig, err)
	}
	if listener != nil {
		defer listener.Close()
		log.Info("http: everybody on this machine can read metrics and health here", zap.Stringer("listen", listener.Addr()))
	}
	debug.SetGCPercent(gcPercent)
	notify, watchdog, err := daemon.ServiceManager()
	if err != nil {
		log.Warn("watchdog", zap.Error(err))
	}
	err = p.runDaemon(stop, kill, cfg, log, running{live: true, change: func(d *daemon.Config, _ *assembler) error {
		d.HTTP, d.Notify, d.Watchdog = listener, notify, watchdog
		return nil
	}})
	if errors.Is(err, errEarly) {
		return nil // it was told to stop, and has
	}
	return err
}

// running is what a command adds to what the configuration says.
type running struct {
	change func(*daemon.Config, *assembler) error // before the daemon is made
	made   func(*daemon.Daemon)                   // before it runs; may be nil
	strict bool                                   // a damaged WAV is refused
	live   bool                                   // a source that cannot be opened stops nothing
}

var errEarly = errors.New("interrupted before anything was recorded")

// runDaemon assembles what cfg says and runs it.
func (p *program) runDaemon(stop, kill context.Context, cfg *config, log *zap.Logger, r running) (err error) {
	a := newAssembler(p, cfg, log)
	a.strict, a.lenient = r.strict, r.live
	defer func() {
		if !errors.Is(err, daemon.ErrHung) { // what hangs holds on to its bucket
			err = errors.Join(err, a.Close())
		}
	}()
	c, err := a.assemble(stop)
	if err == nil {
		err = stop.Err()
	}
	if errors.Is(err, context.Canceled) && stop.Err() != nil {
		return withCode(exitInterrupted, errEarly)
	}
	if err != nil {
		return err
	}
	c.Log, c.Clock, c.Registry, c.Version, c.BootID = log, a.clock, prometheus.NewRegistry(), built(), clock.BootID()
	c.Sessions, c.Rotate = a.registry(), cfg.Session.Rotate.Every
	if err := r.change(&c, a); err != nil {
		return err
	}
	d, err := daemon.New(stop, c)
	if err != nil {
		return err
	}
	if r.made != nil {
		r.made(d)
	}
	err = errors.Join(d.Register(),
		c.Registry.Register(collectors.NewGoCollector()),
		c.Registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})))
	if err != nil {
		return err
	}
	return d.Run(stop, kill)
}

// listen opens the address of the API. Nobody but this machine may reach it.
func listen(c httpConfig) (net.Listener, error) {
	if c.Listen == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, unheard(c.Listen, err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("http: listen = %q would let the network hear the microphones, and ingestd has no TLS and no tokens yet. Listen on 127.0.0.1.", c.Listen)
	}
	return l, nil
}

// unheard says why nothing can listen on address.
func unheard(address string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // the address is told once, and by us
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("http: cannot listen on %s: %w. Set [http] listen to another address of this machine, or to \"off\".", address, err)
	}
	who := "another program"
	if _, port, err := net.SplitHostPort(address); err == nil {
		if n, err := strconv.Atoi(port); err == nil {
			who = cmp.Or(listenerOf(n), who)
		}
	}
	return fmt.Errorf("http: cannot listen on %s: in use by %s. Is another ingestd running? Stop it, or set [http] listen.", address, who)
}
