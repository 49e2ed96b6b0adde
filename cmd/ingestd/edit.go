package main

import (
	"fmt"
	"slices"
	"strings"
)

// nearest returns the one of names that is at most two edits from word, and
// less than half of it away. Empty if there is none.
func nearest(word string, names []string) string {
	if len(word) > 64 {
		return ""
	}
	best, found := 3, ""
	for _, name := range names {
		if d := edits(strings.ToLower(word), strings.ToLower(name)); d < best && 2*d < max(len(name), 3) {
			best, found = d, name
		}
	}
	return found
}

// edits is how many insertions, removals, replacements and swaps of neighbours
// turn a into b.
func edits(a, b string) int {
	var before []int
	last, next := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			next[j+1] = min(last[j+1]+1, next[j]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, last, next = last, next, make([]int, len(b)+1)
	}
	return last[len(b)]
}

// meant is the sentence that offers the nearest of names, else the one that
// lists them.
func meant(word, what string, names []string) string {
	if name := nearest(word, names); name != "" && word != "" {
		return fmt.Sprintf("Did you mean %q?", name)
	}
	if len(names) == 0 {
		return ""
	}
	return what + ": " + listed(names) + "."
}

// listed writes names with commas, the first dozen of them.
func listed(names []string) string {
	const most = 24
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return strings.Join(names, ", ")
}
