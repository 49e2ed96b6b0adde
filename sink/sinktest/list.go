package sinktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

// tree is names that sort otherwise in a walk through folders than by their
// bytes, and sessions of which one is the beginning of another.
var tree = []string{
	"s10/data/mic0/00000000000002.wav", "s10/data/mic0/00000000000010.wav",
	"s1/data/mic0/00000000000001.wav", "s1/data.wav", "s1/data-x/a", "s1/data/a", "s1/data0/a",
	"s1.wav", "s1-", "s2/b", "s2/a", "s", "t/ÿ", "t/z", "t/日", "store.json",
}

func listOrder(t *testing.T, b sink.Bucket) {
	put(t, b, tree...)
	sorted := slices.Clone(tree)
	slices.Sort(sorted)
	if got := list(t, b, "", ""); !slices.Equal(got, sorted) {
		t.Errorf("got  %q\nwant %q", got, sorted)
	}
}

func listChosen(t *testing.T, b sink.Bucket) {
	put(t, b, tree...)
	sorted := slices.Clone(tree)
	slices.Sort(sorted)
	prefixes := []string{"", "s", "s1", "s1/", "s1/d", "s1/data/", "s10", "s10/", "t/z", "t/zz", "store.json", "u", "s1/data/mic0/0", "../", "/", "s//", "s1/../", "a\x00/", "S1/"}
	afters := append([]string{"", "s1/", "s1/\U0010FFFF", "s10/data/mic0/", "s1/data", "t", "u", "s1/data/mic0/00000000000001.wav\x00", "../x"}, sorted...)
	for _, prefix := range prefixes {
		for _, after := range afters {
			var expect []string
			for _, name := range sorted {
				if strings.HasPrefix(name, prefix) && name > after {
					expect = append(expect, name)
				}
			}
			if got := list(t, b, prefix, after); !slices.Equal(got, expect) {
				t.Errorf("list(%q, %q): got %q, want %q", prefix, after, got, expect)
			}
		}
	}
}

func listStops(t *testing.T, b sink.Bucket) {
	put(t, b, tree...)
	for n := 1; n < len(tree); n++ {
		seen := 0
		for _, err := range b.List(t.Context(), "", "") {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == n {
				break
			}
		}
	}
}

// groups checks one level against what List tells.
func groups(t *testing.T, b sink.Bucket) {
	put(t, b, tree...)
	for _, prefix := range []string{"", "s", "s1", "s1/", "s1/data", "s1/data/", "none/", "t/z"} {
		var expect, got []string
		for _, name := range list(t, b, prefix, "") {
			if i := strings.IndexByte(name[len(prefix):], '/'); i >= 0 {
				name = name[:len(prefix)+i+1]
			}
			if len(expect) == 0 || expect[len(expect)-1] != name {
				expect = append(expect, name)
			}
		}
		for name, err := range b.(sink.Grouper).Groups(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name)
		}
		if !slices.Equal(got, expect) {
			t.Errorf("groups(%q): got %q, want %q", prefix, got, expect)
		}
	}
}
