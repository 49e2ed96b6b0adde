package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// layered loads the files in order, named A, B, …
func layered(env []string, flags map[string]string, files ...string) (*config, error) {
	l := layers{env: env, flags: flags, host: host{cwd: "/w", user: 1}}
	for i, toml := range files {
		l.docs = append(l.docs, &document{name: string(rune('A' + i)), data: []byte(toml)})
	}
	return l.load()
}

const twoSensors = `
station = "base"
[[sensor]]
id = "mic0"
source = "tone"
rate = 8000
labels = { side = "inlet", floor = "1" }
[[sensor]]
id = "mic1"
source = "tone"
[[reader]]
name = "archive"
sensors = ["mic0", "mic1"]
sink = "disk"
[sink.disk]
driver = "files"
root = "/a"
`

func TestLaterLayersWinKeyByKey(t *testing.T) {
	c, err := layered(
		[]string{"INGESTD_STATION=env", "INGESTD_HTTP_LISTEN=127.0.0.1:9", "INGESTD_SINK_DISK_SYNC=none", "INGESTD_DEFAULTS_SENSOR_CHANNELS=2", "PATH=/bin"},
		map[string]string{"http.listen": "off", "sink.disk.root": "x"},
		twoSensors, `
[[sensor]]
id = "mic1"
rate = 96000
[[sensor]]
id = "mic2"
source = "tone"
[sink.disk]
sync = "chunk"
root = "/b"
`, `
station = "local"
[[sensor]]
id = "mic0"
labels = { side = "outlet" }
[[reader]]
name = "archive"
sensors = ["mic0"]
[defaults.sensor]
rate = 16000
channels = 3
`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]setting{}
	for _, s := range c.settings() {
		got[s.path] = s
	}
	for _, want := range []struct{ path, value, origin string }{
		{"station", `"env"`, "INGESTD_STATION"},
		{"http.listen", `"off"`, "command line"},
		{"log.level", `"info"`, "built-in"},
		{"defaults.sensor.rate", "16000", "C:10"},
		{"sensor.mic0.rate", "8000", "A:6"},
		{"sensor.mic0.channels", "2", "INGESTD_DEFAULTS_SENSOR_CHANNELS"},
		{"sensor.mic0.labels", `{ floor = "1", side = "outlet" }`, "A:7"},
		{"sensor.mic1.rate", "96000", "B:4"},
		{"sensor.mic2.rate", "16000", "C:10"},
		{"sensor.mic2.ring", `"20s"`, "built-in"},
		{"reader.archive.sensors", `["mic0"]`, "C:8"},
		{"sink.disk.root", `"/w/x"`, "command line"},
		{"sink.disk.sync", `"none"`, "INGESTD_SINK_DISK_SYNC"},
		{"sink.disk.driver", `"files"`, "A:16"},
	} {
		if g := got[want.path]; g.value != want.value || g.origin != want.origin {
			t.Errorf("%s: got %s, %s, want %v", want.path, g.value, g.origin, want)
		}
	}
	if len(c.Sensors) != 3 || len(c.Readers) != 1 || len(c.Sinks) != 1 {
		t.Errorf("%d sensors, %d readers, %d sinks", len(c.Sensors), len(c.Readers), len(c.Sinks))
	}
}

func TestFaultsOfLayersNameBothPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		env   []string
		flags map[string]string
		files []string
		want  []string
	}{
		"scalar against table": {files: []string{"http = 5\n", "[http]\nlisten = \"off\"\n"},
			want: []string{`B:1:2: "http" is a table here, but a number at A:1:8. Keep one of them.`}},
		"table against scalar": {files: []string{"[log]\nlevel = \"info\"\n", "log = true\n"},
			want: []string{`B:1:1: "log" is true or false here, but a table at A:1:2. Keep one of them.`}},
		"twice in one layer": {files: []string{twoSensors, "[[sensor]]\nid = \"mic0\"\n[[sensor]]\nid = \"mic0\"\n"},
			want: []string{`B:4:6: id "mic0" of [[sensor]] is used before, at B:2:6. Each needs its own.`}},
		"environment": {env: []string{"INGESTD_LOG_LEVEL=lout", "INGESTD_DEFAULTS_SENSOR_RATE=48k", "INGESTD_DEFAULTS_SENSOR_RING=20"}, files: []string{twoSensors},
			want: []string{
				`INGESTD_DEFAULTS_SENSOR_RATE: defaults.sensor.rate must be a whole number of Hz, not "48k". Write 48000.`,
				`INGESTD_DEFAULTS_SENSOR_RING: defaults.sensor.ring must be a length of time`,
				`INGESTD_LOG_LEVEL: log.level must be one of "debug", "info", "warn", "error", not "lout".`}},
		"flags": {flags: map[string]string{"http.listen": "0.0.0.0:80", "http.lisen": "off"}, files: []string{twoSensors},
			want: []string{`command line: unknown key "lisen" in [http]. Did you mean "listen"?`, `command line: http: listen = "0.0.0.0:80" would let the network hear`}},
		"flags that contradict": {flags: map[string]string{"log": "x", "log.level": "info"}, files: []string{"log = 1"}, want: []string{`"log" is a table here, but a number`}},
		"every file is read": {files: []string{"a = ", "statoin = \"x\"\n", "b = "},
			want: []string{"A:1:4: ", `B:1:1: unknown key "statoin"`, "C:1:4: ", "3 problems."}},
		"a later fault knows an earlier layer": {files: []string{twoSensors, "[[reader]]\nname = \"archive\"\nkey = \"ms\"\nchunk = \"7f\"\n"},
			want: []string{`B:4:9: chunk of reader archive: mic0: "7f" lasts 875µs`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := layered(c.env, c.flags, c.files...)
			if err == nil {
				t.Fatal("no fault")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error()+"\n", want) {
					t.Errorf("got\n%v\nwant\n%s", err, want)
				}
			}
			var code interface{ ExitCode() int }
			if !errors.As(err, &code) || code.ExitCode() != 78 {
				t.Errorf("%T has no exit code 78", err)
			}
		})
	}
}

func TestVariablesThatSetNothingAreWarnedOf(t *testing.T) {
	c, err := layered([]string{"INGESTD_HTTP_LISTEM=off", "INGESTD_SENSOR_MIC0_RATE=5", "INGESTD_CONFIG=/x", "INGESTD_CHILD=3", "HTTP_LISTEN=x"}, nil, twoSensors)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(c.warnings, "\n")
	for _, want := range []string{`INGESTD_HTTP_LISTEM: sets nothing: there is no such key. Did you mean "INGESTD_HTTP_LISTEN"?`, "INGESTD_SENSOR_MIC0_RATE: sets nothing"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if len(c.warnings) != 2 {
		t.Errorf("%d warnings:\n%s", len(c.warnings), got)
	}
}

func TestVariablesReachSinksWithADashInTheirName(t *testing.T) {
	c, err := layered([]string{"INGESTD_SINK_DISK_2_ROOT=/b"}, nil, "[sink.disk-2]\ndriver = \"files\"\nroot = \"/a\"\n")
	if err != nil || c.Sinks["disk-2"].Root != "/b" {
		t.Error(c, err)
	}
}

func TestChunkIsHalfTheRingAtMostOrWarnedOf(t *testing.T) {
	for chunk, warned := range map[string]bool{"10s": false, "480000f": false, "480001f": true, "15s": true} {
		c, err := layered(nil, map[string]string{"defaults.sensor.ring": "20s"}, strings.Replace(twoSensors, `name = "archive"`, "name = \"archive\"\nchunk = \""+chunk+`"`, 1), "[[sensor]]\nid = \"mic0\"\nrate = 48000\n")
		if err != nil || warned != (len(c.warnings) > 0) {
			t.Errorf("%s: %v, %v", chunk, c.warnings, err)
		}
	}
}

func TestByteOrderMarkMovesNoColumn(t *testing.T) {
	if _, err := parsed("\uFEFFstation = \"x\"\n"); err != nil {
		t.Error(err)
	}
	if _, err := parsed("\uFEFFx = 1\n"); err == nil || !strings.HasPrefix(err.Error(), "FILE:1:1: ") {
		t.Error(err)
	}
}

func TestWindowsLineEndsAreRead(t *testing.T) {
	_, err := parsed(strings.ReplaceAll("\n[log]\nlevel = \"loud\"\n", "\n", "\r\n"))
	if err == nil || !strings.Contains(err.Error(), "FILE:3:9: ") || strings.Contains(err.Error(), "?") {
		t.Error(err)
	}
}

// TestTwentyFaultsAreTwentyMessages: each at the line and column of the thing
// that is wrong.
func TestTwentyFaultsAreTwentyMessages(t *testing.T) {
	data, err := os.ReadFile("testdata/config/twenty.bad.toml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed(string(data))
	var e *configError
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range e.faults {
		got = append(got, strings.TrimPrefix(f.at.String(), "FILE:"))
	}
	want := "1:1 4:9 7:10 8:1 11:8 12:8 18:1 24:10 30:9 31:1 34:6 39:10 42:6 47:9 48:8 52:12 53:7 60:10 64:8 65:9"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// folder writes files into a new folder and returns the name of the first.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(files[i+1]), 0o644), os.Chmod(name, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

func TestFilesBesideTheConfigurationAreLayers(t *testing.T) {
	path := folder(t, "my.toml", twoSensors,
		"conf.d/20.toml", "station = \"20\"\n[http]\nlisten = \"127.0.0.1:20\"\n", "conf.d/10.toml", "station = \"10\"\n[log]\nlevel = \"warn\"\n",
		"conf.d/30.toml.off", "station = \"30\"\n", "ingestd.local.toml", "[http]\nlisten = \"127.0.0.1:99\"\n")
	c, err := loadConfig(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Station != "20" || c.HTTP.Listen != "127.0.0.1:99" || c.Log.Level != "warn" {
		t.Errorf("station %q, listen %q, level %q", c.Station, c.HTTP.Listen, c.Log.Level)
	}
	if got, want := c.at("http.listen").String(), filepath.Join(filepath.Dir(path), "ingestd.local.toml")+":2:10"; got != want {
		t.Errorf("at %s, want %s", got, want)
	}
}

// TestSecurity_C3: what others may write is not read, for it names devices, files
// and where the sound goes.
func TestSecurity_C3(t *testing.T) {
	for mode, bad := range map[os.FileMode]bool{0o600: false, 0o644: false, 0o664: true, 0o646: true, 0o444: false} {
		path := folder(t, "ingestd.toml", "", "conf.d/x.toml", "")
		if err := os.Chmod(filepath.Join(filepath.Dir(path), "conf.d/x.toml"), mode); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(path, nil, nil)
		if bad != (err != nil) || bad && !strings.Contains(err.Error(), fmt.Sprintf("conf.d/x.toml: others may write this file (mode %04o)", mode)) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestConfigurationOfAnotherUserIsRefused(t *testing.T) {
	path := folder(t, "ingestd.toml", "")
	user := os.Geteuid()
	if user == 0 {
		if err := os.Chown(path, 12345, 12345); err != nil {
			t.Skip("left out: a file cannot be given away here: ", err)
		}
	} else {
		user++
	}
	if _, err := readDocuments(path, user); err == nil || !strings.Contains(err.Error(), "neither to root nor to the user of ingestd") {
		t.Error(err)
	}
}

func TestConfigurationThatIsNoFileIsAFault(t *testing.T) {
	path := folder(t, "ingestd.toml", "")
	for name, want := range map[string]string{
		filepath.Join(filepath.Dir(path), "none.toml"): "none.toml: there is no such file. Make one: ingestd config init > ",
		filepath.Dir(path):                  ": is not a file.",
		filepath.Join(path, "ingestd.toml"): "not a directory.",
	} {
		_, err := loadConfig(name, nil, nil)
		var code interface{ ExitCode() int }
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, make([]byte, maxConfig+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadConfig(path, nil, nil); err == nil || !strings.Contains(err.Error(), "is longer than 1 MiB") {
		t.Error(err)
	}
}

// TestHugeConfigurationsAreJudgedInBoundedWork: of thousands of faults a
// hundred are told, and their number.
func TestHugeConfigurationsAreJudgedInBoundedWork(t *testing.T) {
	for name, unit := range map[string]string{
		"sensors": "[[sensor]]\nid=\"a%d\"\nsource=\"tone\"\n", "twins": "[[sensor]]\nid=\"a\"#%d\n", "readers": "[[reader]]\nname=\"a%d\"\nsensors=[\"x\"]\n",
		"keys": "chanels%d=1\n", "sinks": "[sink.a%d]\ndriver=\"mem\"\n", "keys of a sensor": "[[sensor]]\nx%d=1\nid=\"a\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for i := 0; i < maxKeys/strings.Count(unit, "\n"); i++ {
				fmt.Fprintf(&b, unit, i)
			}
			_, err := parsed(b.String())
			if err == nil || len(err.Error()) > 1<<18 || !strings.HasSuffix(err.Error(), "problems.") && !strings.HasSuffix(err.Error(), "problem.") {
				t.Errorf("%.500v", err)
			}
		})
	}
	if _, err := parsed(strings.Repeat("k = 1\n", maxKeys+1)); err == nil || !strings.Contains(err.Error(), "FILE:10001:1: this file has more than 10000 keys.") {
		t.Error(err)
	}
	for _, deep := range []string{strings.Repeat("k = 1\n", maxConfig/7), "a = {" + strings.Repeat("k=1,", maxConfig/5) + "}", strings.Repeat("a.", maxConfig/3) + "a = 1", "a = " + strings.Repeat("[", maxConfig/3), "a = " + strings.Repeat("{a=", maxConfig/4),
		"[" + strings.Repeat("a.", maxConfig/3) + "a]", "a = " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)} {
		if _, err := parsed(deep); err == nil {
			t.Errorf("%.20s… is accepted", deep)
		}
	}
}
