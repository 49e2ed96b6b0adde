package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// load reads the configuration in all its layers.
func (p *program) load() (*config, error) { return loadConfig(p.config, p.env, p.flags) }

// settingFlags are settings that may also be given as flags; they win.
func (p *program) settingFlags(fs *pflag.FlagSet) {
	for _, s := range []struct{ flag, path, help string }{
		{"listen", "http.listen", "`ADDRESS` of metrics and health; \"off\": none"},
		{"log-level", "log.level", "debug, info, warn or error"},
		{"log-format", "log.format", "auto, text or json"},
	} {
		fs.Func(s.flag, s.help, func(v string) error {
			p.flags[s.path] = v
			return nil
		})
	}
}

func (p *program) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Write, check and show the configuration",
		Example: "  ingestd config init > ingestd.toml\n  ingestd config check --config ./ingestd.toml",
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var origin, quiet, noDevices bool
	initialise := &cobra.Command{
		Use:     "init",
		Short:   "Print a configuration in which every key is explained",
		Long:    "Prints a configuration in which every key is explained, and most are commented out. Nobody\nbut root and the user of ingestd may be able to write the file: chmod go-w ingestd.toml",
		Example: "  ingestd config init > ingestd.toml",
		Args:    usage(cobra.NoArgs),
		RunE:    func(*cobra.Command, []string) error { return configInit(p.stdout) },
	}
	check := &cobra.Command{
		Use:     "check",
		Short:   "Say everything that is wrong with the configuration",
		Long:    "Says everything that is wrong with the configuration, at once. Then it looks whether the USB microphones\nthat the sensors name are plugged in. It opens none, so it disturbs no daemon that records.",
		Example: "  ingestd config check --config ./ingestd.toml\n  ingestd config check --quiet --no-devices --config ./ingestd.toml",
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.load()
			if err == nil && !noDevices {
				err = p.lookForDevices(cfg)
			}
			if err != nil || quiet {
				return err
			}
			return configCheck(p.stdout, cfg)
		},
	}
	check.Flags().BoolVar(&quiet, "quiet", false, "say nothing if all is well")
	check.Flags().BoolVar(&noDevices, "no-devices", false, "do not look for microphones")
	show := &cobra.Command{
		Use:     "show",
		Short:   "Print every value in force",
		Example: "  ingestd config show --origin",
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			return configShow(p.stdout, cfg, origin)
		},
	}
	show.Flags().BoolVar(&origin, "origin", false, "and where it comes from")
	p.settingFlags(show.Flags())
	c.AddCommand(initialise, check, show)
	return c
}
