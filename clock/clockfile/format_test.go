package clockfile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// The program in docs/format.md, which knows nothing of ours, reads a file as we
// do.
func TestTheProgramOfTheDocumentIsRight(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("left out: no python3 here")
	}
	doc, err := os.ReadFile("../../docs/format.md")
	must(t, err)
	found := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(doc)
	if found == nil {
		t.Fatal("there is no program")
	}
	text, err := os.ReadFile("testdata/clock.jsonl")
	must(t, err)
	s, err := Load(bytes.NewReader(text))
	must(t, err)
	label, _ := s.Ledger.Labels().Best(0, 3e9)
	u := s.Ledger.UTC(label)
	program := string(found[1])
	frames := []audio.Pos{0, 1, 47_999, 48_000, 97_001, 104_802, 104_803, 143_999}
	for _, p := range frames {
		program += fmt.Sprintf("print(*when(%d))\n", p)
	}
	cmd := exec.Command(python, "-c", program)
	cmd.Dir = "testdata"
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	out := bytes.NewReader(got)
	for _, p := range frames {
		var utc, e int64
		if _, err := fmt.Fscan(out, &utc, &e); err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		at, err := u.At(p)
		must(t, err)
		// It rounds down, and knows of no half frame and of no hole's length.
		least := at.Err - at.Parts[clock.PartRounding] - at.Parts[clock.PartBetween] - 2
		if utc != at.UTC || e < least || e > least+200_000 {
			t.Errorf("frame %d: %d ± %d, want %d ± %d", p, utc, e, at.UTC, least)
		}
	}
}
