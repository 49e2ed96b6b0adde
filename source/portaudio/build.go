package portaudio

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"runtime/debug"
)

// thisBuild names the build of this program. A child must have the same name:
// an upgrade may replace the program while it runs, and where a child is not
// started from the inode that runs, it is then another program than its
// parent. Builds of one modified tree have one name.
func thisBuild() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return runtime.Version()
	}
	return buildOf(b)
}

// buildOf is version and Go version, for people, and a sum of all that is known
// of a build: revision, flags, dependencies.
func buildOf(b *debug.BuildInfo) string {
	all := sha256.Sum256([]byte(b.String()))
	version := b.Main.Version
	if version == "" {
		version = "devel"
	}
	return fmt.Sprintf("%s %s %x", version, b.GoVersion, all[:6])
}
