package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/internal/daemon"
)

func TestRotationsReadWhatTheyWrite(t *testing.T) {
	for text, want := range map[string]string{
		"24h": `"24h"`, "1440m": `"24h"`, "86400s": `"24h"`, "12h": `"12h"`, "6h": `"6h"`, "1h": `"1h"`, "45m": `"45m"`, "15m": `"15m"`, "90s": `"1m30s"`, "1m": `"1m"`, "never": `"never"`,
	} {
		for _, k := range []kind{kindText, kindWord} {
			r := rotation{time.Second}
			if err := r.set(scalarNode(k, text)); err != nil || r.String() != want {
				t.Errorf("%s: %v, %v, want %s", text, r, err, want)
			}
			again := rotation{time.Second}
			if err := again.set(scalarNode(k, strings.Trim(r.String(), `"`))); err != nil || again != r {
				t.Errorf("%s is written as %v, which is read as %v, %v", text, r, again, err)
			}
		}
	}
}

// TestARotationThatIsRefusedSaysWhatToWrite, in one line, and what it says to
// write is taken.
func TestARotationThatIsRefusedSaysWhatToWrite(t *testing.T) {
	for _, c := range []struct {
		k          kind
		text, want string
	}{
		{kindText, "midnight", ` not "midnight". Write "24h".`},
		{kindWord, "Daily", ` not "Daily". Write "24h".`},
		{kindText, "1d", ` not "1d". Write "24h".`},
		{kindText, "hourly", ` not "hourly". Write "1h".`},
		{kindText, "off", ` not "off". Write "never".`},
		{kindText, "Never", ` not "Never". Write "never".`},
		{kindText, "0s", ` not "0s". Write "never".`},
		{kindBoolean, "false", ` not true or false. Write "never".`},
		{kindInteger, "24", ` not a number. Write "24h".`},
		{kindWord, "24", ` not "24". Write "24h".`},
		{kindText, " 24h", ` not " 24h". Write "24h".`},
		{kindText, "7h", ` not "7h". Write "6h" or "8h".`},
		{kindText, "5h", ` not "5h". Write "4h" or "6h".`},
		{kindText, "13h", ` not "13h". Write "12h" or "24h".`},
		{kindText, "7m", ` not "7m". Write "6m" or "10m".`},
		{kindText, "30s", ` not "30s". Write "1m".`},
		{kindText, "25h", ` not "25h". Write "24h" or "never".`},
		{kindText, "168h", ` not "168h". Write "24h" or "never".`},
		{kindText, "-6h", ` not "-6h".`},
		{kindText, "", ` not "".`},
		{kindText, "at noon", ` not "at noon".`},
		{kindList, "", ` not a list.`},
	} {
		r := rotation{time.Hour}
		err := r.set(scalarNode(c.k, c.text))
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || r.Every != time.Hour {
			t.Errorf("%s: %v, %v, want %s", c.text, err, r, c.want)
			continue
		}
		_, write, _ := strings.Cut(c.want, " Write ")
		for word := range strings.SplitSeq(strings.TrimSuffix(write, "."), " or ") {
			if _, err := daemon.ParseRotate(strings.Trim(word, `"`)); write != "" && err != nil {
				t.Errorf("%s: told to write %s: %v", c.text, word, err)
			}
		}
	}
}

func TestWhereARotationComesFrom(t *testing.T) {
	for _, c := range []struct {
		env           []string
		toml          string
		value, origin string
	}{
		{nil, "", `"24h"`, "built-in"},
		{nil, "[session]\nrotate = \"6h\"\n", `"6h"`, "A:2"},
		{[]string{"INGESTD_SESSION_ROTATE=never"}, "[session]\nrotate = \"6h\"\n", `"never"`, "INGESTD_SESSION_ROTATE"},
	} {
		cfg, err := layered(c.env, nil, c.toml)
		if err != nil {
			t.Fatal(err)
		}
		var got setting
		for _, s := range cfg.settings() {
			if s.path == "session.rotate" {
				got = s
			}
		}
		if got.value != c.value || got.origin != c.origin {
			t.Errorf("%v, %q: %s from %s", c.env, c.toml, got.value, got.origin)
		}
	}
	_, err := layered([]string{"INGESTD_SESSION_ROTATE=midnight"}, nil, "")
	if want := "INGESTD_SESSION_ROTATE: session.rotate must be \"never\", or a length into which a day divides, such as \"24h\" (at midnight UTC) or \"6h\", not \"midnight\". Write \"24h\".\n1 problem."; err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestTheDaemonIsToldOfTheRotation: that of the configuration; a replay, which
// is to be the same each time, has one session unless it is told otherwise.
func TestTheDaemonIsToldOfTheRotation(t *testing.T) {
	replayed := func(start, rotate string) *config {
		f := replayFlags{sensor: "mic0", root: t.TempDir(), start: start, chunk: "1s", key: keyBytes, sync: "chunk", rotate: rotate}
		cfg, err := f.config([]string{"../../testdata/wavs/s16-48000-1.wav"}, time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	configured := func(toml string) *config {
		cfg, err := layered(nil, nil, toml)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	usual := (&program{}).replayCommand().Flags().Lookup("rotate").DefValue
	enough := errors.New("enough")
	for what, c := range map[string]struct {
		cfg  *config
		want time.Duration
	}{
		"nothing said": {configured(""), 24 * time.Hour}, "configured": {configured("[session]\nrotate = \"15m\"\n"), 15 * time.Minute}, "never": {configured("[session]\nrotate = \"never\"\n"), 0},
		"replay of now": {replayed("now", usual), 0}, "replay of then": {replayed("@0", usual), 24 * time.Hour}, "replay --rotate": {replayed("now", "1h"), time.Hour},
		"replay of then --rotate": {replayed("@0", "never"), 0},
	} {
		p := &program{stdout: io.Discard, stderr: io.Discard, clock: clock.System{}, flags: map[string]string{}}
		var got daemon.Config
		err := p.runDaemon(t.Context(), t.Context(), c.cfg, zap.NewNop(), running{change: func(d *daemon.Config, _ *assembler) error {
			got = *d
			return enough
		}})
		if !errors.Is(err, enough) || got.Rotate != c.want {
			t.Errorf("%s: %v, %v, want %v", what, got.Rotate, err, c.want)
		}
	}
}
