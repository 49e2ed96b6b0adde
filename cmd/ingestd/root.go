package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/source/portaudio"
)

// Exit codes. They are a contract: scripts and the unit file rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3
	exitNone        = 6  // no such sensor
	exitConfig      = 78 // sysexits.h EX_CONFIG: systemd shows status=78/CONFIG
	exitInterrupted = 130
)

// An exitError is an error that ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// withCode gives err an exit code; nil stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// A program is what a command is run with: everything that comes from outside
// passes through it, so that a test can bring its own.
type program struct {
	env            []string
	stdin          *os.File
	stdout, stderr io.Writer
	clock          clock.Clock
	sysfs          string            // where /sys, /proc and /dev are found; "": /
	config         string            // --config
	flags          map[string]string // settings given as flags, by key path
}

// run is the program. It returns the exit code.
func run(args, env []string, stdin *os.File, stdout, stderr io.Writer) int {
	if portaudio.Child(args, os.Exit) {
		return exitDone
	}
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr, clock: clock.System{}, flags: map[string]string{}}
	root := p.command()
	root.SetArgs(args[1:])
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(plain{stderr}, strings.TrimRight(err.Error(), "\n"))
	var coded *exitError
	var mismatch *sink.MismatchError
	var known interface{ ExitCode() int }
	switch {
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &known):
		return known.ExitCode()
	case errors.As(err, &mismatch), errors.Is(err, sink.ErrVersion), errors.Is(err, sink.ErrManifest):
		return exitConfig // starting again does not help
	}
	return exitFailed
}

// command is the tree of commands.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "ingestd",
		Short: "Records microphones for years, into files that any tool can read, and says exactly what it missed",
		Long: "Records microphones for years, into files that any tool can read, and says exactly what it missed.\n\n" +
			"Exit codes: 0 done; 1 failed; 2 wrong usage; 3 partly; 6 no such sensor; 78 configuration;\n130 interrupted.",
		Example: "  ingestd demo                                     see it work: no sound card, no configuration\n" +
			"  ingestd devices                                  what can be recorded here\n" +
			"  ingestd run --config /etc/ingestd/ingestd.toml   the daemon\n" +
			"  ingestd replay x.wav --sensor mic0 --root DIR    a WAV file as if it were a microphone",
		Version:       versionLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.PersistentFlags().StringVar(&p.config, "config", cmp.Or(p.lookup(configVariable), defaultConfig), "the configuration `FILE`; "+configVariable+" sets another default")
	root.Flags().Bool("version", false, "print what was built")
	root.SetVersionTemplate("{{.Version}}\n")
	hideConfig(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var value *pflag.InvalidValueError
		var unknown *pflag.NotExistError
		switch {
		case errors.As(err, &value):
			err = invalidValue(value)
		case errors.As(err, &unknown):
			var names []string
			c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
			if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
				err = fmt.Errorf("%w. Did you mean --%s?", err, near)
			}
		}
		return withCode(exitUsage, fmt.Errorf("%w\nSee `%s --help`", err, c.CommandPath()))
	})
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run:"}, &cobra.Group{ID: "setup", Title: "Set up:"})
	run, record := p.runCommand(), p.recordCommand()
	for _, c := range []*cobra.Command{run, record} { // before they read secrets and hear rooms
		c.PreRun = func(*cobra.Command, []string) { conceal() }
	}
	for _, c := range []*cobra.Command{run, p.demoCommand(), record, p.replayCommand()} {
		c.GroupID = "run"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{p.devicesCommand(), p.configCommand(), p.versionCommand()} {
		c.GroupID = "setup"
		root.AddCommand(c)
	}
	return root
}

// hideConfig keeps --config out of the help of commands that read none.
func hideConfig(root *cobra.Command) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		reads := []string{"ingestd", "ingestd run", "ingestd record", "ingestd config", "ingestd config check", "ingestd config show"}
		root.PersistentFlags().Lookup("config").Hidden = !slices.Contains(reads, c.CommandPath())
		help(c, args)
	})
}

// The configuration that is read if --config does not say, and the environment
// variable that may say so.
const defaultConfig, configVariable = "/etc/ingestd/ingestd.toml", envPrefix + "CONFIG"

// usage makes a wrong number of arguments exit with the code of wrong usage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		err := check(c, args)
		if err == nil {
			return nil
		}
		text := fmt.Sprintf("%s given, which is not how it is used: %s", counted(len(args), "argument"), c.UseLine())
		if c.HasSubCommands() && len(args) > 0 {
			c.SuggestionsMinimumDistance = 2
			text = fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath())
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				text += "\n\nDid you mean this?\n\t" + strings.Join(near, "\n\t")
			} else {
				var names []string
				for _, sub := range c.Commands() {
					names = append(names, sub.Name())
				}
				text += ". Commands: " + strings.Join(names, ", ") + "."
			}
		}
		return withCode(exitUsage, fmt.Errorf("%s\nSee `%s --help`", text, c.CommandPath()))
	}
}

// invalidValue says in our words what a flag takes.
func invalidValue(e *pflag.InvalidValueError) error {
	takes := map[string]string{"float64": "a number such as 0.5 or 2", "duration": `a length of time such as "10m"`, "bool": "true or false"}
	f := e.GetFlag()
	if want, ok := takes[f.Value.Type()]; ok {
		return fmt.Errorf("--%s must be %s, not %s", f.Name, want, quoted(e.GetValue()))
	}
	return e
}

// together is how soon after the first a second signal is the same wish: a
// terminal, a shell and a wrapper may each pass on one Ctrl-C.
const together = time.Second

// signals returns a context that ends at the first SIGINT, SIGTERM or SIGHUP,
// and one that ends at the next that comes more than a second later. SIGINT and
// SIGHUP stay ignored if whoever started us had them ignored.
func signals(parent context.Context, c clock.Clock) (stop, kill context.Context, release func()) {
	stop, stopNow := context.WithCancel(parent)
	kill, killNow := context.WithCancel(parent)
	ch := make(chan os.Signal, 2)
	wanted := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup, or a shell that put us behind it, said so
			wanted = append(wanted, s)
		}
	}
	signal.Notify(ch, wanted...)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var over int64 // when what comes is no longer the same wish, on Monotonic; 0: nothing came
		for {
			select {
			case <-ch:
			case <-done:
				return
			}
			switch now := c.Monotonic(); {
			case over == 0:
				over = now + int64(together)
				stopNow()
			case now >= over:
				killNow()
				return
			}
		}
	}()
	return stop, kill, func() {
		signal.Stop(ch)
		close(done)
		<-ended
		stopNow()
		killNow()
	}
}
