// Package sinktest is what every bucket must pass: the contract of sink.Bucket
// and, for those that are one, of sink.Creator, sink.Grouper and sink.Batcher,
// sentence by sentence. A driver and a wrapper run it with one line:
//
//	func TestBucket(t *testing.T) { sinktest.Test(t, func(t *testing.T) sink.Bucket { return mem.New() }) }
package sinktest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

// Test runs the suite. open returns an empty bucket each time it is called.
func Test(t *testing.T, open func(t *testing.T) sink.Bucket) {
	for _, c := range []struct {
		claim string
		test  func(t *testing.T, b sink.Bucket)
	}{
		{"PutIsRead", putIsRead},
		{"PutKeepsNoBody", putKeepsNoBody},
		{"PutCreatesOnly", putCreatesOnly},
		{"PutReplacesWhenTold", putReplaces},
		{"OnePutWinsARace", onePutWins},
		{"GetCutsRangesAtTheEnd", getRanges},
		{"WhatIsNotThereIsNotFound", notFound},
		{"DeleteRemovesOneName", deleteOne},
		{"ListAscendsByTheBytesOfTheName", listOrder},
		{"ListKeepsToPrefixAndAfter", listChosen},
		{"ListStopsWhenToldTo", listStops},
		{"HostileNamesAreRefused", hostile},
		{"OddNamesAreTakenAsTheyStand", odd},
		{"CancelledCallsChangeNothing", cancelled},
		{"ErrorsNameTheObject", errorsName},
		{"ManyGoroutinesAtOnce", many},
	} {
		t.Run(c.claim, func(t *testing.T) { c.test(t, open(t)) })
	}
	if _, ok := open(t).(creator); ok {
		testCreator(t, func(t *testing.T) creator { return open(t).(creator) })
	}
	if _, ok := open(t).(sink.Grouper); ok {
		t.Run("GroupsAreOneLevel", func(t *testing.T) { groups(t, open(t)) })
	}
	if batch, ok := open(t).(sink.Batcher); ok && batch.Batched() {
		testBatcher(t, open)
	}
}

func put(t *testing.T, b sink.Bucket, names ...string) {
	t.Helper()
	for _, name := range names {
		if info, err := b.Put(t.Context(), name, []byte(name), sink.PutOptions{}); err != nil || info != (sink.Info{Name: name, Size: int64(len(name))}) {
			t.Fatalf("put: %+v, %v", info, err)
		}
	}
}

func get(t *testing.T, b sink.Bucket, name string, off, n int64) string {
	t.Helper()
	r, err := b.Get(t.Context(), name, off, n)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func list(t *testing.T, b sink.Bucket, prefix, after string) []string {
	t.Helper()
	var names []string
	for info, err := range b.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatal(err)
		}
		if got := len(get(t, b, info.Name, 0, -1)); info.Size != int64(got) {
			t.Errorf("list says that %s has %d bytes, it has %d", info.Name, info.Size, got)
		}
		names = append(names, info.Name)
	}
	return names
}

func want(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: got error %v, want %v", what, err, target)
	}
}

func putIsRead(t *testing.T, b sink.Bucket) {
	for _, body := range []string{"", "x", string(make([]byte, 1<<20)), "\x00\xff\r\n"} {
		name := "s/" + string(rune('a'+len(body)%7)) + "/name"
		if _, err := b.Put(t.Context(), name, []byte(body), sink.PutOptions{Replace: true}); err != nil {
			t.Fatal(err)
		}
		if got := get(t, b, name, 0, -1); got != body {
			t.Errorf("put %d bytes, got %d others", len(body), len(got))
		}
		if info, err := b.Stat(t.Context(), name); err != nil || info != (sink.Info{Name: name, Size: int64(len(body))}) {
			t.Errorf("stat: %+v, %v", info, err)
		}
	}
	put(t, b, "Grün/ÿ 日本.wav") // any text is a name
	if got := get(t, b, "Grün/ÿ 日本.wav", 0, -1); got != "Grün/ÿ 日本.wav" {
		t.Errorf("got %q", got)
	}
}

func putKeepsNoBody(t *testing.T, b sink.Bucket) {
	body := []byte("before")
	if _, err := b.Put(t.Context(), "a", body, sink.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	copy(body, "behind")
	if got := get(t, b, "a", 0, -1); got != "before" {
		t.Errorf("the body is %q after its slice changed", got)
	}
}

func putCreatesOnly(t *testing.T, b sink.Bucket) {
	put(t, b, "a/b")
	_, err := b.Put(t.Context(), "a/b", []byte("other"), sink.PutOptions{})
	want(t, "put over a name", err, sink.ErrExists)
	if got := get(t, b, "a/b", 0, -1); got != "a/b" {
		t.Errorf("the name holds %q now", got)
	}
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("there are %q", got)
	}
}

func putReplaces(t *testing.T, b sink.Bucket) {
	put(t, b, "a")
	for _, body := range []string{"something longer than that", "", "short"} {
		if _, err := b.Put(t.Context(), "a", []byte(body), sink.PutOptions{Replace: true}); err != nil {
			t.Fatal(err)
		}
		if got := get(t, b, "a", 0, -1); got != body {
			t.Errorf("got %q, want %q", got, body)
		}
	}
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"a"}) {
		t.Errorf("there are %q", got)
	}
}

func getRanges(t *testing.T, b sink.Bucket) {
	body := "0123456789"
	if _, err := b.Put(t.Context(), "a", []byte(body), sink.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	const most = 1<<63 - 1
	for off := range int64(13) {
		for _, n := range []int64{-1, 0, 1, 5, 10, 11, most} {
			from := min(off, 10)
			to := int64(10)
			if n >= 0 && n < to-from {
				to = from + n
			}
			if got := get(t, b, "a", off, n); got != body[from:to] {
				t.Errorf("get(%d, %d) is %q, want %q", off, n, got, body[from:to])
			}
		}
	}
	if got := get(t, b, "a", most, most); got != "" {
		t.Errorf("far behind the end there is %q", got)
	}
	if r, err := b.Get(t.Context(), "a", -1, 1); err == nil {
		r.Close()
		t.Error("a negative offset was taken")
	}
}

func notFound(t *testing.T, b sink.Bucket) {
	put(t, b, "folder/name")
	for _, name := range []string{"none", "folder", "folder/none", "none/none", "folder/name/below", "folder/nam", "FOLDER/NAME"} {
		_, err := b.Stat(t.Context(), name)
		want(t, "stat "+name, err, sink.ErrNotFound)
		_, err = b.Get(t.Context(), name, 0, -1)
		want(t, "get "+name, err, sink.ErrNotFound)
		want(t, "delete "+name, b.Delete(t.Context(), name), sink.ErrNotFound)
	}
	if got := list(t, b, "none/", ""); len(got) > 0 {
		t.Errorf("there are %q", got)
	}
}

func deleteOne(t *testing.T, b sink.Bucket) {
	put(t, b, "s/a", "s/b", "s/c")
	if err := b.Delete(t.Context(), "s/b"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"s/a", "s/c"}) {
		t.Errorf("left are %q", got)
	}
	want(t, "second delete", b.Delete(t.Context(), "s/b"), sink.ErrNotFound)
	put(t, b, "s/b") // the name is free again
}

func errorsName(t *testing.T, b sink.Bucket) {
	const name = "some/session/name"
	_, err := b.Stat(t.Context(), name)
	_, err2 := b.Get(t.Context(), name, 0, -1)
	put(t, b, name)
	_, err3 := b.Put(t.Context(), name, nil, sink.PutOptions{})
	if err4 := b.Delete(t.Context(), name); err4 != nil {
		t.Fatal(err4)
	}
	for _, err := range []error{err, err2, err3, b.Delete(t.Context(), name)} {
		if err == nil || bytes.Count([]byte(err.Error()), []byte(name)) != 1 {
			t.Errorf("%v: does not name %s once", err, name)
		}
	}
}

func cancelled(t *testing.T, b sink.Bucket) {
	put(t, b, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Put(ctx, "b", nil, sink.PutOptions{})
	want(t, "put", err, context.Canceled)
	_, err = b.Get(ctx, "a", 0, -1)
	want(t, "get", err, context.Canceled)
	_, err = b.Stat(ctx, "a")
	want(t, "stat", err, context.Canceled)
	want(t, "delete", b.Delete(ctx, "a"), context.Canceled)
	var last error
	for info, err := range b.List(ctx, "", "") {
		if err == nil {
			t.Errorf("listed %v", info)
		}
		last = err
	}
	want(t, "list", last, context.Canceled)
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"a"}) {
		t.Errorf("there are %q", got)
	}
}
