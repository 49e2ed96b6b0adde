package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/internal/daemon"
)

// version is set by the linker: -X main.version=1.2.3.
var version string

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print what was built",
		Example: "  ingestd version",
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, versionLine())
			return err
		},
	}
}

// versionLine is what `version` and --version print.
func versionLine() string {
	v := built()
	return fmt.Sprintf("ingestd %s (revision %s, %s, %s/%s)", v.Version, v.Revision, v.Go, runtime.GOOS, runtime.GOARCH)
}

// built says what this program is.
func built() daemon.Version {
	v := daemon.Version{Version: version, Revision: "unknown", Go: runtime.Version()}
	if v.Version == "" {
		v.Version = "devel"
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	return v
}
