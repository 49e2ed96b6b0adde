package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A pathView is how the paths of a configuration are looked at. None is
// opened, and none is changed.
type pathView struct {
	stat     func(name string) (fs.FileInfo, error)
	glob     func(pattern string) ([]string, error)
	mayWrite func(name string) error // nil if this user may, or if it cannot be known
}

// looker warns of paths at which nothing useful is now. That is no fault: it
// may come before it is needed.
type looker struct {
	checker
	pathView
}

func (l looker) look() {
	l.pipes()
	for _, s := range l.c.enabled() {
		switch {
		case s.Source == sourceWAV:
			for _, f := range s.Files {
				l.files(s, f)
			}
		case s.Source == sourcePipe && s.Path != standardInput:
			l.pipe(s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.c.Sinks)) {
		if s := l.c.Sinks[name]; s.Driver == driverFiles && l.c.written(name) {
			l.root(name, s)
		}
	}
}

// files looks at one of the files of a WAV sensor.
func (l looker) files(s *sensorConfig, f file) {
	at := l.c.at("sensor." + s.ID + ".files")
	info, err := l.stat(string(f))
	switch {
	case err == nil && info.IsDir():
		found, err := l.glob(filepath.Join(escapeGlob(string(f)), "*.[wW][aA][vV]"))
		hidden := func(name string) bool { return strings.HasPrefix(filepath.Base(name), ".") }
		if err == nil && !slices.ContainsFunc(found, func(name string) bool { return !hidden(name) }) {
			below := ""
			if found, err := l.glob(filepath.Join(escapeGlob(string(f)), "*", "*.[wW][aA][vV]")); err == nil && len(found) > 0 {
				below = fmt.Sprintf(" Folders in it are not looked into: name %q.", filepath.Dir(found[0]))
			}
			l.warnf(at, "files of %s: the folder %v has no file *.wav now.%s", s.ID, f, below)
		}
	case err == nil:
	case !strings.ContainsAny(string(f), "*?["):
		l.warnf(at, "files of %s: %v: %s.", s.ID, f, missingNow(err))
	default:
		found, err := l.glob(string(f))
		if errors.Is(err, filepath.ErrBadPattern) {
			l.warnf(at, "files of %s: this glob has a fault: %v. Close its brackets.", s.ID, f)
		} else if err == nil && len(found) == 0 {
			l.warnf(at, "files of %s: no file is called like %v now.", s.ID, f)
		}
	}
}

// pipe looks at the path of a pipe.
func (l looker) pipe(s *sensorConfig) {
	at := l.c.at("sensor." + s.ID + ".path")
	switch info, err := l.stat(string(s.Path)); {
	case errors.Is(err, fs.ErrNotExist):
		l.warnf(at, "path of %s: %v: there is no such file now. Make a FIFO: mkfifo %s", s.ID, s.Path, s.Path)
	case err != nil:
		l.warnf(at, "path of %s: %v: %s.", s.ID, s.Path, systemCause(err))
	case info.IsDir():
		l.warnf(at, "path of %s: %v is a folder. Name a FIFO.", s.ID, s.Path)
	case info.Mode().IsRegular() && l.c.onDemand(s):
		l.warnf(at, "path of %s: %v is a regular file, which is read as fast as it goes: it cannot be on demand, and `ingestd run` refuses it. Name a FIFO.", s.ID, s.Path)
	case info.Mode().IsRegular():
		l.warnf(at, "path of %s: %v is a regular file: its bytes are taken as raw samples, a WAV header too. For WAV files, write source = %q.", s.ID, s.Path, sourceWAV)
	}
}

// pipes finds sensors whose paths are one file under two names.
func (l looker) pipes() {
	var seen []*sensorConfig
	infos := map[*sensorConfig]fs.FileInfo{}
	for _, s := range l.c.enabled() {
		if s.Source != sourcePipe {
			continue
		}
		name := string(s.Path)
		if s.Path == standardInput {
			name = "/dev/stdin"
		}
		info, err := l.stat(name)
		if err != nil || info.Mode().IsRegular() { // of a file each gets the whole
			continue
		}
		for _, other := range seen {
			if os.SameFile(info, infos[other]) {
				l.wrong("sensor."+s.ID+".path", sharedPipe, s.ID, s.Path, fmt.Sprintf("%s (as %v)", other.ID, other.Path))
			}
		}
		seen, infos[s] = append(seen, s), info
	}
}

// root looks at the root of a sink. One that is not there will be made.
func (l looker) root(name string, s *sinkConfig) {
	at := l.c.at("sink." + name + ".root")
	info, err := l.stat(string(s.Root))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil && !info.IsDir() {
		l.warnf(at, "root of sink %s: %v is no folder: nothing can be stored there.", name, s.Root)
		return
	}
	if err == nil {
		err = l.mayWrite(string(s.Root))
	}
	if err != nil {
		l.warnf(at, "root of sink %s: %v cannot be written by the user who runs this: %s. Give it to the user of ingestd, or set another root.", name, s.Root, systemCause(err))
	}
}

// missingNow is why there is no file: it may still come.
func missingNow(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no such file or folder now"
	}
	return systemCause(err)
}
