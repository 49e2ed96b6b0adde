package sinktest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

// HostileNames are names that no bucket takes: they point elsewhere, or could
// be read in two ways by somebody.
func HostileNames() []string {
	names := []string{
		"", ".", "..", "/", "//", "a/", "/a", "/etc/passwd", "a//b", "a/./b", "./a", "a/.", "../a", "a/../b", "a/..", "a/../../b",
		"../../../../../../etc/passwd", `..\a`, `a\..\b`, `C:\a`, `\\host\share`, "a/b\\", "\\",
		"a\xffb", "\xc0\xae\xc0\xae/a", "a/\xed\xa0\x80", strings.Repeat("a", 256), "a/" + strings.Repeat("b", 256) + "/c",
		strings.Repeat("a/", 512) + "a", strings.Repeat("日", 86),
		"a.part", "a/b.part", "a.part/b", "a.2.part", "a.sums", "a/b.wav.sums", ".part", ".sums",
	}
	for c := rune(0); c < 0xa0; c++ { // all control characters
		if c < 0x20 || c >= 0x7f {
			names = append(names, string(c), "a"+string(c)+"b", "a/"+string(c), string(c)+"/a")
		}
	}
	for _, up := range []string{"..", "../..", "a/../..", "../../../../../../../.."} {
		for _, down := range []string{"/x", "/etc/passwd", "//x", "/./x", "/x/", "/\x00", "/x/..", ""} {
			names = append(names, up+down, "s/"+up+down, "/"+up+down)
		}
	}
	return slices.Compact(names)
}

func hostile(t *testing.T, b sink.Bucket) {
	put(t, b, "kept")
	creator, _ := b.(sink.Creator)
	for _, name := range HostileNames() {
		_, err := b.Put(t.Context(), name, []byte("x"), sink.PutOptions{})
		refused(t, "put", name, err)
		_, err = b.Put(t.Context(), name, []byte("x"), sink.PutOptions{Replace: true})
		refused(t, "replace", name, err)
		_, err = b.Get(t.Context(), name, 0, -1)
		refused(t, "get", name, err)
		_, err = b.Stat(t.Context(), name)
		refused(t, "stat", name, err)
		refused(t, "delete", name, b.Delete(t.Context(), name))
		if creator != nil {
			_, err := creator.Create(t.Context(), name)
			refused(t, "create", name, err)
			refused(t, "append", name, creator.Append(t.Context(), name, []byte("x\n")))
		}
		for info, err := range b.List(t.Context(), name, "") {
			if name != "" && (err != nil || !strings.HasPrefix(info.Name, name)) {
				t.Errorf("list %q: %v, %v", name, info, err)
			}
		}
	}
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("there are %q", got)
	}
}

func refused(t *testing.T, verb, name string, err error) {
	t.Helper()
	if !errors.Is(err, sink.ErrName) {
		t.Errorf("%s %q: got error %v, want that it is no name", verb, name, err)
	}
}
