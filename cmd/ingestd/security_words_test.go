//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"go.uber.org/zap"
)

// hostileWords are texts that would begin a line, colour a terminal, turn text
// round or hide some.
var hostileWords = []string{"a\nb", "a\r\nb", "a\x1b[31mb", "a\x1b]0;x\x07b", "a\x00b", "a\u202eb", "a\u2066b", "a\u0085b", "a\u009b31mb", "a\x7fb", "a\u2028b", "a\u200bb", "a\xffb"}

// harmless returns an error if text does more than to be read, or has another
// number of lines.
func harmless(text string, lines int) error {
	for _, r := range text {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return fmt.Errorf("%U in %q", r, text)
		}
	}
	if n := strings.Count(text, "\n"); n != lines {
		return fmt.Errorf("%d lines, want %d: %q", n, lines, text)
	}
	return nil
}

// TestSecurity_S4: what others named does not write on the terminal, nor lines
// of a log.
func TestSecurity_S4(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		for _, word := range hostileWords {
			var out bytes.Buffer
			log, stop, err := newLogger(&out, logConfig{Level: "info", Format: format})
			if err != nil {
				t.Fatal(err)
			}
			log.Warn("mic0: no input", zap.String("device", word), zap.Error(fmt.Errorf("open %s", word)))
			stop()
			if err := harmless(out.String(), 1); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	}
	whole := oldWAV(noise(2000))
	for _, word := range hostileWords {
		if strings.Contains(word, "\x00") {
			continue // no name
		}
		dir := t.TempDir()
		cut := filepath.Join(dir, word+".wav")
		if err := os.WriteFile(cut, whole[:500], 0o600); err != nil {
			t.Skipf("left out: no file %q here: %v", word, err)
		}
		root := filepath.Join(dir, "R")
		loop := filepath.Join(dir, word+".loop")
		if err := os.Symlink(loop, loop); err != nil {
			t.Fatal(err)
		}
		if code, said := command("replay", dir, "--root", root, "--speed", "0"); code != 0 || harmless(said, 2) != nil {
			t.Errorf("exit %d, %v", code, harmless(said, 2))
		}
		for _, args := range [][]string{
			{"replay", dir, "--root", root, "--speed", "0", "--strict"}, {"replay", filepath.Join(dir, word), "--root", root}, {"replay", cut + "[", "--root", root}, {"replay", filepath.Join(dir, word+"*x"), "--root", root}, {"replay", loop, "--root", root},
		} {
			if code, said := command(args...); code != exitFailed || harmless(said, 1) != nil {
				t.Errorf("%q: exit %d, %v", args, code, harmless(said, 1))
			}
		}
		if strings.Contains(word, "\n") {
			continue // a root is the user's own, and told as it is
		}
		if code, said := command("replay", "../../testdata/wavs/s16-48000-1.wav", "--root", cut); code != exitFailed || harmless(said, 1) != nil {
			t.Errorf("--root %q: exit %d, %v", cut, code, harmless(said, 1))
		}
	}
}
