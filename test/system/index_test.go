package system

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/source/tone"
)

// An entry is a line of blocks.jsonl: of a chunk, or the end of a session.
type entry struct {
	Block, From, Frames, Bytes int64
	PCM, SHA256                string
	Holes                      []sink.Hole
	End                        *int64
	Clean                      bool
}

// A legacy is what one session of one sensor left in a store with the usual
// layout and the key bytes.
type legacy struct {
	chunks  []chunk // that have their name, by block
	parts   []chunk // that have none
	entries []entry
}

// sessions are the sessions below root, ascending.
func sessions(t *testing.T, root string) (all []string) {
	t.Helper()
	dirs, err := os.ReadDir(root)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if _, err := strconv.ParseInt(d.Name(), 10, 64); err == nil && d.IsDir() {
			all = append(all, d.Name())
		}
	}
	return all
}

// left reads what a session of a sensor left. A file that cannot be read as
// WAV fails the test, but for a .part that is still empty.
func left(t *testing.T, root, session, sensor string) (l legacy) {
	t.Helper()
	dir := filepath.Join(root, session, "data", sensor)
	files, err := os.ReadDir(filepath.Join(dir, "data"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, file := range files {
		c := chunk{name: file.Name(), path: filepath.Join(dir, "data", file.Name())}
		block, _, _ := strings.Cut(c.name, ".")
		if c.block, err = strconv.ParseInt(block, 10, 64); err != nil {
			t.Errorf("%s is no name of a chunk", c.path)
			continue
		}
		part := strings.HasSuffix(c.name, ".part")
		if info, err := file.Info(); err != nil || part && info.Size() == 0 {
			continue
		}
		c.f, c.pcm = readWAV(t, c.path)
		if part {
			l.parts = append(l.parts, c)
		} else {
			l.chunks = append(l.chunks, c)
		}
	}
	l.entries = entries(t, filepath.Join(dir, sink.BlocksName))
	return l
}

// entries reads a blocks.jsonl. Each line that ends must check.
func entries(t *testing.T, path string) (all []entry) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(body)) {
		if !strings.HasSuffix(row, "\n") {
			continue
		}
		var e entry
		if err := line.Decode([]byte(row), &e); err != nil {
			t.Errorf("%s: %v: %s", path, err, row)
		}
		all = append(all, e)
	}
	return all
}

// check fails unless every file is the ramp that its name says and every line
// tells of a chunk that is as it says.
func (l legacy) check(t *testing.T, what string) {
	t.Helper()
	lines := map[int64]entry{}
	for _, e := range l.entries {
		if e.End == nil {
			lines[e.Block] = e
		}
	}
	for _, c := range slices.Concat(l.chunks, l.parts) {
		if err := tone.CheckRamp(c.f, audio.Pos(c.from()), c.pcm); err != nil {
			t.Errorf("%s: %s: %v", what, c.name, err)
		}
	}
	for i, c := range l.chunks {
		e, told := lines[c.block]
		delete(lines, c.block)
		if !told {
			if i < len(l.chunks)-1 {
				t.Errorf("%s: no line tells of %s, which is not the last", what, c.name)
			}
			continue
		}
		body, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		pcm := fmt.Sprintf("%08x", crc32.Checksum(c.pcm, crc32.MakeTable(crc32.Castagnoli)))
		sum := fmt.Sprintf("%x", sha256.Sum256(body))
		if e.From != c.from() || e.Frames != c.frames() || e.Bytes != int64(len(body)) || e.PCM != pcm || e.SHA256 != sum || e.Frames == 0 {
			t.Errorf("%s: %s of %d frames from %d, %d bytes, %s %s, has the line %+v", what, c.name, c.frames(), c.from(), len(body), pcm, sum, e)
		}
	}
	for block := range lines {
		t.Errorf("%s: a line tells of block %d, which is not there", what, block)
	}
}

func (c chunk) from() int64   { return c.block / int64(c.f.FrameBytes()) }
func (c chunk) frames() int64 { return int64(len(c.pcm) / c.f.FrameBytes()) }

// reaches is how far the sound goes without a gap, .part files included, in
// frames of the session.
func (l legacy) reaches() (to int64) {
	all := slices.Concat(l.chunks, l.parts)
	slices.SortFunc(all, func(a, b chunk) int { return int(a.block - b.block) })
	for _, c := range all {
		if c.from() <= to {
			to = max(to, c.from()+c.frames())
		}
	}
	return to
}

// sum is how many frames have a name, the holes, and where the session ended
// in order; -1 if it did not.
func (l legacy) sum() (frames int64, holes []sink.Hole, end int64) {
	end = -1
	for _, c := range l.chunks {
		frames += c.frames()
	}
	for _, e := range l.entries {
		holes = append(holes, e.Holes...)
		if e.End != nil {
			end = *e.End
		}
	}
	return frames, holes, end
}

// whole fails unless the session ended in order and every frame of it is
// stored, or lies in a hole that a line tells of.
func (l legacy) whole(t *testing.T, what string) (frames int64, holes []sink.Hole, end int64) {
	t.Helper()
	l.check(t, what)
	frames, holes, end = l.sum()
	missing := int64(0)
	for _, h := range holes {
		missing += h.Frames
	}
	if frames+missing != end {
		t.Errorf("%s: %d frames stored and %d in holes %+v, %d captured", what, frames, missing, holes, end)
	}
	return frames, holes, end
}
