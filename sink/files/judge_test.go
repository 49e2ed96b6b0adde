package files_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

// judge reads a sensor of session 1 with no fault in the way. Whatever has a name
// is whole and has a line that tells of it; chunks and holes follow each other
// up to the end, which is at total. It says which frames are stored.
func judge(t *testing.T, root, sensor string, total int64) (stored []bool) {
	t.Helper()
	b := open(t, files.Config{Root: root, ReadOnly: true})
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(root, s.Layout.Meta(1, sensor))
	if body, err := os.ReadFile(filepath.Join(meta, sink.InfoName)); err != nil || !json.Valid(body) {
		t.Errorf("info.json holds %q, %v", body, err)
	}
	lines, end := linesOf(t, path.Join(meta, sink.BlocksName))
	stored = make([]bool, total)
	pos := int64(0)
	for k, err := range s.Keys(t.Context(), sink.Filter{Sensor: sensor}) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Get(t.Context(), k)
		if err != nil {
			t.Fatalf("%v has a name and is not whole: %v", k, err)
		}
		l, ok := lines[k.Block]
		if !ok || l.Frames < 1 || !bytes.Equal(c.Data, ramp(l.From, l.From+l.Frames)) {
			t.Fatalf("%v with %d bytes has the line %+v", k, len(c.Data), l)
		}
		file, err := os.ReadFile(filepath.Join(root, s.Layout.Name(k)))
		if sum := fmt.Sprintf("%x", sha256.Sum256(file)); err != nil || sum != l.SHA256 && l.SHA256 != "" {
			t.Errorf("%v has the sum %s, %v, and its line says %q", k, sum, err, l.SHA256)
		}
		for _, h := range l.Holes {
			pos += h.Frames
		}
		if l.From != pos {
			t.Errorf("%v begins at %d, the one before it and its holes end at %d", k, l.From, pos)
		}
		for range l.Frames {
			stored[pos] = true
			pos++
		}
	}
	for _, h := range end.Holes {
		pos += h.Frames
	}
	if pos != total || end.End != total {
		t.Errorf("%s: chunks and holes end at %d, the end is told as %+v, want %d", sensor, pos, end, total)
	}
	return stored
}

// linesOf reads a blocks.jsonl: the last good line of each block, and of the
// session.
func linesOf(t *testing.T, name string) (lines map[int64]sink.Block, end sink.End) {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines = map[int64]sink.Block{}
	for row := range bytes.Lines(body) {
		var l sink.Block
		var e sink.End
		switch {
		case bytes.HasPrefix(row, []byte(`{"end":`)) && line.Decode(row, &e) == nil:
			end = e
		case line.Decode(row, &l) == nil:
			lines[l.Block] = l
		}
	}
	return lines, end
}
