package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/clock"
)

// loadConfig reads the configuration file at path, conf.d/*.toml and
// ingestd.local.toml beside it, then the environment and the flags of a
// command, which are given as path of a key and value. An empty path means no
// files. Everything that is wrong comes back at once in an error whose
// ExitCode is 78.
func loadConfig(path string, env []string, flags map[string]string) (*config, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find working directory: %w", err)
	}
	l := layers{env: env, flags: flags, host: host{cwd: cwd, user: os.Geteuid(), memory: machineMemory(), now: clock.System{}.UTC(), paths: &pathView{os.Stat, filepath.Glob, mayWrite}}}
	if path != "" {
		if l.docs, err = readDocuments(path, l.host.user); err != nil {
			return nil, err
		}
	}
	return l.load()
}

// maxLayers is how many files conf.d may hold.
const maxLayers = 1000

// readDocuments reads the file at path and those beside it, the stronger last.
func readDocuments(path string, user int) ([]*document, error) {
	folder := filepath.Dir(path)
	names, err := filepath.Glob(filepath.Join(escapeGlob(folder), "conf.d", "*.toml"))
	if err != nil {
		return nil, &configError{faults: []fault{{place{}, fmt.Sprintf("list %s: %v", filepath.Join(folder, "conf.d"), err)}}}
	}
	if len(names) > maxLayers {
		return nil, &configError{faults: []fault{{place{}, fmt.Sprintf("%s: more than %d files.", filepath.Join(folder, "conf.d"), maxLayers)}}}
	}
	slices.Sort(names)
	names = append([]string{path}, names...)
	if local := filepath.Join(folder, "ingestd.local.toml"); local != path {
		if _, err := os.Lstat(local); !errors.Is(err, fs.ErrNotExist) {
			names = append(names, local)
		}
	}
	var docs []*document
	r := &report{}
	for _, name := range names {
		data, wrong := readConfigFile(name, user)
		if wrong != "" {
			r.faultf(place{from: name}, "%s", wrong)
			continue
		}
		docs = append(docs, &document{name: name, data: data})
	}
	return docs, r.err()
}

// escapeGlob makes a folder's name stand for itself in a pattern.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// readConfigFile reads a file that nobody but root and the user may write: it
// names devices, files and destinations.
func readConfigFile(name string, user int) (data []byte, wrong string) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "there is no such file. Make one: ingestd config init > " + name
	}
	if err != nil {
		return nil, systemCause(err) + "."
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, systemCause(err) + "."
	case !info.Mode().IsRegular():
		return nil, "is not a file."
	case user >= 0 && info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Sprintf("others may write this file (mode %04o), and so decide what is recorded and where it goes. chmod go-w %s", info.Mode().Perm(), name)
	}
	if owner, known := ownerOf(info); known && owner != 0 && owner != user {
		return nil, fmt.Sprintf("belongs to user %s, neither to root nor to the user of ingestd (%d). chown it.", strconv.Itoa(owner), user)
	}
	data, err = io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, systemCause(err) + "."
	}
	return data, ""
}

// systemCause is what the system said, without the name of the file.
func systemCause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// machineMemory is how much the machine has, in bytes; 0 if that is not known.
func machineMemory() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "MemTotal:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 53)
			return kib << 10
		}
	}
	return 0
}
