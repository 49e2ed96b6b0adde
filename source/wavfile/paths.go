package wavfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/source"
)

// expand returns the files that paths name. What exists under a name is that,
// even if the name would be a glob.
func expand(ctx context.Context, paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, source.Faultf(source.Failed, "no WAV file is named: name files, folders or globs")
	}
	var files []string
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, err := expandOne(path)
		if err != nil {
			return nil, err
		}
		if files = append(files, found...); len(files) > MaxFiles {
			return nil, source.Faultf(source.Failed, "%s: more than %d files: replay them in parts", shown(path), MaxFiles)
		}
	}
	return files, nil
}

func expandOne(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return folder(path)
	case err == nil:
		return []string{path}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, source.Faultf(source.Failed, "%s: %w", shown(path), bare(err))
	case !strings.ContainsAny(path, `*?[`):
		return nil, source.Faultf(source.Failed, "%s: there is no such file or folder: check the name", shown(path))
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return nil, source.Faultf(source.Failed, "%s: this glob has a fault: close its brackets", shown(path))
	}
	// A folder that a glob meets is not a file; *.wav does not mean its content.
	found = slices.DeleteFunc(found, func(name string) bool {
		info, err := os.Stat(name)
		return err == nil && info.IsDir()
	})
	if len(found) == 0 {
		return nil, source.Faultf(source.Failed, "%s: no file has such a name: check the glob", shown(path))
	}
	return found, nil
}

// folder returns the WAV files directly in it, sorted.
func folder(path string) ([]string, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, source.Faultf(source.Failed, "read folder %s: %w", shown(path), bare(err))
	}
	defer d.Close()
	var files []string
	for {
		entries, err := d.ReadDir(1000)
		for _, e := range entries {
			if isWAV(e) {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, source.Faultf(source.Failed, "read folder %s: %w", shown(path), bare(err))
		}
		if len(files) > MaxFiles {
			return nil, source.Faultf(source.Failed, "%s: more than %d files: replay them in parts", shown(path), MaxFiles)
		}
	}
	if len(files) > 0 {
		slices.Sort(files)
		return files, nil
	}
	if file := below(path); file != "" {
		dir := filepath.Dir(file)
		return nil, source.Faultf(source.Failed, "%s: the folder has no file *.wav itself, and folders in it are not looked into: name %s, or a glob such as '%s'",
			shown(path), shown(dir), shown(filepath.Join(filepath.Dir(dir), "*", "*"+filepath.Ext(file))))
	}
	return nil, source.Faultf(source.Failed, "%s: the folder has no file *.wav: name another", shown(path))
}

func isWAV(e fs.DirEntry) bool {
	return strings.EqualFold(filepath.Ext(e.Name()), ".wav") && !e.IsDir() && !strings.HasPrefix(e.Name(), ".")
}

// maxLook is how many names are looked at for a hint.
const maxLook = 10_000

// below is the first WAV file in a folder below path, or "".
func below(path string) (found string) {
	looked := 0
	_ = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if looked++; looked > maxLook {
			return fs.SkipAll
		}
		if err == nil && isWAV(e) {
			found = name
			return fs.SkipAll
		}
		return nil // what cannot be read gives no hint
	})
	return found
}
