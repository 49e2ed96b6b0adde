package sink_test

import (
	"errors"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

const manifestOf1 = `{"version": 1, "id": "00", "layout": "{session}/data/{sensor}/data/{block}.wav", "meta": "{session}/data/{sensor}", "codec": "wav"}`

// described is a bucket with that store.json.
func described(t testing.TB, body []byte) *mem.Bucket {
	t.Helper()
	b := mem.New()
	if _, err := b.Put(t.Context(), "store.json", body, sink.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// A store that a program does not understand is opened by neither way, and the
// error says which of the two faults it is.
func TestStoreThatIsNotUnderstoodIsNotOpened(t *testing.T) {
	padded := func(n int) string { return manifestOf1 + strings.Repeat(" ", n-len(manifestOf1)) }
	for name, c := range map[string]struct {
		body string
		want error
		text string // of the error
	}{
		"this version":        {manifestOf1, nil, ""},
		"just short enough":   {padded(1 << 20), nil, ""},
		"too long":            {padded(1<<20 + 1), sink.ErrManifest, "it is longer than 1048576 bytes"},
		"later version":       {strings.Replace(manifestOf1, "1", "2", 1), sink.ErrVersion, "unknown version of the store: 2, this program knows 1."},
		"later, other types":  {`{"version": 7, "layout": ["a", "b"]}`, sink.ErrVersion, ": 7, this program knows 1."},
		"version 0":           {strings.Replace(manifestOf1, "1", "0", 1), sink.ErrVersion, ": 0, "},
		"no version":          {`{}`, sink.ErrVersion, ": 0, "},
		"a negative version":  {`{"version": -1}`, sink.ErrVersion, ": -1, "},
		"version as text":     {`{"version": "1"}`, sink.ErrManifest, "(version is the wrong kind of value: string)"},
		"version and a half":  {`{"version": 1.5}`, sink.ErrManifest, "(version is the wrong kind of value: number 1.5)"},
		"layout as a list":    {`{"version": 1, "layout": []}`, sink.ErrManifest, "(layout is the wrong kind of value: array)"},
		"a list":              {`[]`, sink.ErrManifest, "(the whole is the wrong kind of value: array)"},
		"empty":               {"", sink.ErrManifest, "(unexpected end of JSON input)"},
		"zeros of a bad disk": {strings.Repeat("\x00", 200), sink.ErrManifest, "invalid character"},
		"cut":                 {manifestOf1[:40], sink.ErrManifest, "unexpected end of JSON input"},
		"two":                 {manifestOf1 + manifestOf1, sink.ErrManifest, "invalid character"},
	} {
		b := described(t, []byte(c.body))
		_, existing := sink.OpenExisting(t.Context(), b)
		_, asked := sink.OpenStore(t.Context(), b, layout(t, sink.DefaultLayout), sink.WAV{})
		for way, err := range map[string]error{"OpenExisting": existing, "OpenStore": asked} {
			if !errors.Is(err, c.want) || c.want != nil && (!strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), "store.json")) {
				t.Errorf("%s: %s says %v, want %v %q", name, way, err, c.want, c.text)
			}
		}
	}
}

// allocated is how many bytes were ever allocated on the heap.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// FuzzManifest opens a store by any store.json.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifestOf1))
	f.Add([]byte(`{"version": 1, "layout": "{session}/{block}", "meta": "{session}", "codec": "pcm", "sensor": "mic0"}`))
	f.Add([]byte(`{"version": 1, "layout": "{session}/{block}", "meta": "../..", "codec": "wav", "sensor": "../../etc"}`))
	f.Add([]byte(`{"version": 1e9, "version": 1, "layout": "/{session}/../{sensor}/{block}"}`))
	f.Add([]byte(`{"version": 2}`))
	f.Add([]byte(nil))
	f.Fuzz(checkManifest)
}

// TestFatManifestsCostLittle is apart from FuzzManifest because mutating them
// is slow.
func TestFatManifestsCostLittle(t *testing.T) {
	for _, body := range []string{
		strings.Repeat("[", 60<<10), strings.Repeat(`{"a":`, 12<<10), `{"version": 1, "layout": "` + strings.Repeat("{session}", 6<<10) + `"}`,
		`{"version": 1, "layout": "` + strings.Repeat("a/", 30<<10) + `{session}/{block}", "codec": "pcm", "sensor": "mic0"}`,
		`{"version": 1, "id": "` + strings.Repeat("a", 60<<10) + `"}`,
	} {
		checkManifest(t, []byte(body))
	}
}

// checkManifest opens a store by body. What is taken is a store with names;
// what is refused says so in a line; neither costs much.
func checkManifest(t *testing.T, body []byte) {
	const fuzzInput, fuzzMemory = 64 << 10, 8 << 20
	if len(body) > fuzzInput {
		return
	}
	b := described(t, body)
	before := allocated()
	s, err := sink.OpenExisting(t.Context(), b)
	if used := allocated() - before; used > fuzzMemory {
		t.Errorf("%d bytes allocated for one of %d", used, len(body))
	}
	if err != nil {
		if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("refused with %q", err)
		}
		return
	}
	k := audio.Key{Session: 1795287841150, Sensor: "mic0", Block: 960000}
	if name := s.Layout.Name(k); name != "" {
		if err := sink.CheckName(name); err != nil {
			t.Error(err)
		}
		if back, ok := s.Layout.Key(name); !ok || back != k {
			t.Errorf("%v is called %q, which is %v", k, name, back)
		}
	}
	again, err := sink.OpenStore(t.Context(), b, s.Layout, s.Codec)
	if err != nil || again.Layout.String() != s.Layout.String() {
		t.Errorf("what it says of itself is not what it is opened as: %v", err)
	}
}
