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
			v := built()
			_, err := fmt.Fprintf(p.stdout, "ingestd %s (revision %s, %s, %s/%s)\n", v.Version, v.Revision, v.Go, runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
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
