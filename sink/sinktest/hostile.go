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
	for _, up := range []string{"..", "../..", "a/../..", "../../../../../../../..", "./..", "a/./..", "日/.."} {
		for _, down := range []string{"/x", "/etc/passwd", "//x", "/./x", "/x/", "/\x00", "/x/..", "", "/x.part", "/.", `/\x`} {
			names = append(names, up+down, "s/"+up+down, "/"+up+down)
		}
	}
	for _, root := range []string{"/etc", "//host/share", `C:\Windows`, `\\?\C:`, "/proc/self/root", "/dev", "file:///etc"} {
		for _, down := range []string{"/passwd", "/", `\x`, "/../x"} {
			names = append(names, root+down)
		}
	}
	for _, kind := range []string{".part", ".2.part", ".sums", ".part/x", ".sums/x"} {
		for _, before := range []string{"store.json", "1795287841150/data/mic0/data/00000000086016.wav", "日本", "%2e%2e%2f", " "} {
			names = append(names, before+kind)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// OddNames are names that somebody could take for a way out, or for another
// name: encoded dots and slashes, slashes of other scripts, devices of other
// systems. A bucket takes them as they stand, or not at all.
func OddNames() []string {
	var names []string
	for _, dots := range []string{"..", "%2e%2e", "%2E%2E", "%252e%252e", "%c0%ae%c0%ae", "%u002e%u002e", "․․", "‥", "．．", "。。", "&#46;&#46;", "...", "....", ". .", ".. ", " .."} {
		for _, slash := range []string{"%2f", "%2F", "%5c", "%252f", "%c0%af", "%u2215", "∕", "⁄", "／", "⧸", "╱", "＼", "&#47;", ":", "|", ";"} {
			names = append(names, dots+slash+"etc"+slash+"passwd")
		}
	}
	for _, device := range []string{"CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "CONIN$", "CLOCK$"} {
		names = append(names, device, device+".wav", device+":", "a/"+device)
	}
	return append(names,
		"a.", "a..", "a ", " a", "a. .", "a::$DATA", "a:b", "~", "~root", "~/x", "$HOME", "${HOME}", "$(id)", "`id`", "-rf", "--", "*", "?", "[a]", "{a,b}", "{session}",
		"a\u200bb", "\u202egnp.a", "\ufeffa", "a\u2028b", "a\u00a0", "\u0301", "a'b", `a"b`, "a;b", "a&b", "a|b", "a<b>", "%00", "%0a", "a%00.wav", "?x=1", "#x", "é", "e\u0301", "ﬁ", "İ", "ß",
		".git", ".ssh/authorized_keys", ".htaccess", "store.lock.", "STORE.JSON", "store.json ", "Store.Lock", "a.PART", "a.part ", "a.Sums", "info.json\u200b",
	)
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

// odd takes each odd name as it stands, and nothing else.
func odd(t *testing.T, b sink.Bucket) {
	put(t, b, "kept")
	for _, name := range OddNames() {
		_, err := b.Put(t.Context(), name, []byte(name), sink.PutOptions{})
		if errors.Is(err, sink.ErrName) {
			continue
		}
		if err != nil {
			t.Errorf("put %q: %v", name, err)
			continue
		}
		if got := get(t, b, name, 0, -1); got != name {
			t.Errorf("%q holds %q", name, got)
		}
		if got, want := list(t, b, "", ""), []string{min(name, "kept"), max(name, "kept")}; !slices.Equal(got, want) {
			t.Errorf("behind %q there are %q", name, got)
		}
		if err := b.Delete(t.Context(), name); err != nil {
			t.Errorf("delete %q: %v", name, err)
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
