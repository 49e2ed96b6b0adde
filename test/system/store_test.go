package system

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/wav"
	"github.com/ingestd/ingestd/sink"
)

// A chunk is a file that a run left.
type chunk struct {
	name  string // below the root
	path  string
	block int64
	f     audio.Format
	pcm   []byte
}

// blockName is a name whose last number is a block of 14 digits.
var blockName = regexp.MustCompile(`(?:^|/)(\d{14,})(?:\.wav)?$`)

// chunks reads the chunks of one sensor below root, in the order of names; ""
// is every sensor. A file that is neither a chunk nor known beside chunks
// fails the test.
func chunks(t *testing.T, root, sensor string) []chunk {
	t.Helper()
	var all []chunk
	for _, name := range tree(t, root) {
		if strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".jsonl") || name == "store.lock" {
			continue
		}
		m := blockName.FindStringSubmatch(name)
		if m == nil {
			t.Errorf("%s is no name of a chunk", name)
			continue
		}
		if sensor != "" && !strings.Contains(name, "/"+sensor+"/") {
			continue
		}
		block, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c := chunk{name: name, path: filepath.Join(root, name), block: block}
		c.f, c.pcm = readWAV(t, c.path)
		all = append(all, c)
	}
	return all
}

// tree is every file below root, ascending.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// readWAV reads the sound of a WAV file.
func readWAV(t *testing.T, path string) (audio.Format, []byte) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := wav.Open(file, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	pcm, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r.Format(), pcm
}

// join is the sound of the chunks, one after the other.
func join(all []chunk) []byte {
	var pcm []byte
	for _, c := range all {
		pcm = append(pcm, c.pcm...)
	}
	return pcm
}

// writeWAV writes a WAV file, as ingestd does.
func writeWAV(t *testing.T, path string, f audio.Format, pcm []byte) {
	t.Helper()
	e, err := sink.WAV{}.Encode(sink.Head{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	body, err := e.Header(int64(len(pcm) / f.FrameBytes()))
	if err != nil {
		t.Fatal(err)
	}
	sound, err := e.Encode(pcm)
	if err != nil {
		t.Fatal(err)
	}
	body = append(body, sound...)
	tail, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(body, tail...), 0o640); err != nil {
		t.Fatal(err)
	}
}
