package portaudio

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuildsAreToldApart(t *testing.T) {
	make := func(change func(b *debug.BuildInfo)) string {
		b := &debug.BuildInfo{
			GoVersion: "go1.26.8", Main: debug.Module{Path: "github.com/ingestd/ingestd", Version: "v1.2.3"},
			Deps:     []*debug.Module{{Path: "github.com/gordonklaus/portaudio", Version: "v0.0.1", Sum: "h1:a="}},
			Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "1"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}},
		}
		change(b)
		return buildOf(b)
	}
	seen := map[string]string{}
	for name, change := range map[string]func(b *debug.BuildInfo){
		"the build":          func(*debug.BuildInfo) {},
		"another Go":         func(b *debug.BuildInfo) { b.GoVersion = "go1.26.9" },
		"another version":    func(b *debug.BuildInfo) { b.Main.Version = "v1.2.4" },
		"another revision":   func(b *debug.BuildInfo) { b.Settings[1].Value = "abd" },
		"a modified tree":    func(b *debug.BuildInfo) { b.Settings[2].Value = "true" },
		"another dependency": func(b *debug.BuildInfo) { b.Deps[0].Sum = "h1:b=" },
		"without cgo":        func(b *debug.BuildInfo) { b.Settings[0].Value = "0" },
	} {
		got := make(change)
		if other, twice := seen[got]; twice {
			t.Errorf("%s and %s are both %s", name, other, got)
		}
		seen[got] = name
		if again := make(change); again != got || brief(got) != got || !strings.HasPrefix(got, "v1.2.") {
			t.Errorf("%s: %q, then %q", name, got, again)
		}
	}
	if a, b := thisBuild(), thisBuild(); a == "" || a != b {
		t.Errorf("this build is %q, then %q", a, b)
	}
}
