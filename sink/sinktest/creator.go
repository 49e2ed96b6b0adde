package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ingestd/ingestd/sink"
)

// creator is a bucket in which chunks can grow.
type creator interface {
	sink.Bucket
	sink.Creator
}

func testCreator(t *testing.T, open func(t *testing.T) creator) {
	for _, c := range []struct {
		claim string
		test  func(t *testing.T, b creator)
	}{
		{"DraftHasNoNameBeforeCommit", draftGrows},
		{"DraftKeepsNoSlice", draftKeepsNothing},
		{"DraftChangesWrittenBytesOnly", draftWriteAt},
		{"DraftIsOverOnce", draftOver},
		{"CreateOfATakenNameIsRefused", createTaken},
		{"OneDraftOfANameCommits", oneDraftCommits},
		{"AbortedDraftHasNoName", draftAborted},
		{"SyncRunsBesideWrite", syncBesideWrite},
		{"AppendAddsLines", appendLines},
		{"AppendBeginsOnItsOwnLine", appendTorn},
		{"ManyAppendsLoseNoLine", appendMany},
		{"CancelledCreatorChangesNothing", creatorCancelled},
	} {
		t.Run(c.claim, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func create(t *testing.T, b creator, name string) sink.Draft {
	t.Helper()
	d, err := b.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, d sink.Draft, text string) {
	t.Helper()
	if n, err := d.Write([]byte(text)); err != nil || n != len(text) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func draftGrows(t *testing.T, b creator) {
	put(t, b, "s/a", "s/c")
	d := create(t, b, "s/b")
	for i, text := range []string{"HEAD", "", "one", strings.Repeat("two", 100_000)} {
		write(t, d, text)
		if i%2 == 0 {
			if err := d.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		_, err := b.Stat(t.Context(), "s/b")
		want(t, "stat of a draft", err, sink.ErrNotFound)
		if got := list(t, b, "", ""); !slices.Equal(got, []string{"s/a", "s/c"}) {
			t.Errorf("there are %q while a draft grows", got)
		}
	}
	if n, err := d.WriteAt([]byte("head"), 0); err != nil || n != 4 {
		t.Fatal(n, err)
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "s/b", 0, -1); got != "headone"+strings.Repeat("two", 100_000) {
		t.Errorf("the chunk has %d bytes", len(got))
	}
	if got := list(t, b, "s/", ""); !slices.Equal(got, []string{"s/a", "s/b", "s/c"}) {
		t.Errorf("there are %q", got)
	}
}

func draftKeepsNothing(t *testing.T, b creator) {
	d := create(t, b, "a")
	p := []byte("before")
	if _, err := d.Write(p); err != nil {
		t.Fatal(err)
	}
	copy(p, "behind")
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "a", 0, -1); got != "before" {
		t.Errorf("got %q", got)
	}
}

func draftWriteAt(t *testing.T, b creator) {
	d := create(t, b, "a")
	write(t, d, "0123456789")
	for _, off := range []int64{-1, 8, 10, 1 << 40} {
		if n, err := d.WriteAt([]byte("xyz"), off); err == nil || n != 0 {
			t.Errorf("write at %d of 10: %d, %v", off, n, err)
		}
	}
	if _, err := d.WriteAt([]byte("xyz"), 7); err != nil {
		t.Error(err)
	}
	write(t, d, "end") // appends where Write left off
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "a", 0, -1); got != "0123456xyzend" {
		t.Errorf("got %q", got)
	}
}

func draftOver(t *testing.T, b creator) {
	for i, end := range []func(sink.Draft) error{sink.Draft.Commit, func(d sink.Draft) error { return d.Abort(true) }} {
		d := create(t, b, fmt.Sprint(i))
		write(t, d, "x")
		if err := end(d); err != nil {
			t.Fatal(err)
		}
		if d.Commit() == nil || d.Abort(false) == nil || d.Sync() == nil {
			t.Error("a draft that is over was taken for one that is not")
		}
	}
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"0"}) {
		t.Errorf("there are %q", got)
	}
}

func createTaken(t *testing.T, b creator) {
	put(t, b, "a")
	_, err := b.Create(t.Context(), "a")
	want(t, "create", err, sink.ErrExists)
	d := create(t, b, "b")
	put(t, b, "b")
	write(t, d, "late")
	want(t, "commit", d.Commit(), sink.ErrExists)
	if got := get(t, b, "b", 0, -1); got != "b" {
		t.Errorf("the first b became %q", got)
	}
	if d.Commit() == nil {
		t.Error("the draft was not over")
	}
}

func oneDraftCommits(t *testing.T, b creator) {
	var drafts [racers]sink.Draft
	for i := range drafts {
		drafts[i] = create(t, b, "s/new/a")
		write(t, drafts[i], body(i))
	}
	won := race(t, func(i int) error { return drafts[i].Commit() })
	got := get(t, b, "s/new/a", 0, -1)
	if won != 1 || got == "" || got != body(int(got[0]-'a')) {
		t.Errorf("%d of %d drafts of one name committed, it has %d bytes", won, racers, len(got))
	}
}

func draftAborted(t *testing.T, b creator) {
	for _, keep := range []bool{true, false, true} {
		d := create(t, b, "s/a")
		write(t, d, "x")
		if err := d.Abort(keep); err != nil {
			t.Fatal(err)
		}
		if got := list(t, b, "", ""); len(got) > 0 {
			t.Errorf("there are %q", got)
		}
	}
	d := create(t, b, "s/a") // the name is free
	write(t, d, "y")
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "s/a", 0, -1); got != "y" {
		t.Errorf("got %q", got)
	}
}

func syncBesideWrite(t *testing.T, b creator) {
	d := create(t, b, "a")
	var wait sync.WaitGroup
	wait.Go(func() {
		for range 5 {
			if err := d.Sync(); err != nil {
				t.Error(err)
			}
		}
	})
	for range 200 {
		write(t, d, "0123456789")
	}
	wait.Wait()
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "a", 0, -1); got != strings.Repeat("0123456789", 200) {
		t.Errorf("got %d bytes", len(got))
	}
}

func appendLines(t *testing.T, b creator) {
	var all string
	for i := range 20 {
		line := fmt.Sprintf("line %d\n", i)
		if err := b.Append(t.Context(), "s/log.jsonl", []byte(line)); err != nil {
			t.Fatal(err)
		}
		all += line
		if got := get(t, b, "s/log.jsonl", 0, -1); got != all {
			t.Fatalf("the log is %q", got)
		}
	}
	for _, bad := range []string{"", "no newline", "\n", "two\n\nlines\n", "\nx\n", "a\nb"} {
		if b.Append(t.Context(), "s/log.jsonl", []byte(bad)) == nil {
			t.Errorf("%q was taken for lines", bad)
		}
	}
	const two = "two\nlines\n"
	if err := b.Append(t.Context(), "s/log.jsonl", []byte(two)); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "s/log.jsonl", 0, -1); got != all+two {
		t.Fatalf("the log is %q", got)
	}
	if got := list(t, b, "", ""); !slices.Equal(got, []string{"s/log.jsonl"}) {
		t.Errorf("there are %q", got)
	}
}

func appendTorn(t *testing.T, b creator) {
	if _, err := b.Put(t.Context(), "log", []byte("whole\nto"), sink.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), "log", []byte("next\n")); err != nil {
		t.Fatal(err)
	}
	if got := get(t, b, "log", 0, -1); got != "whole\nto\nnext\n" {
		t.Errorf("the log is %q", got)
	}
}

func appendMany(t *testing.T, b creator) {
	var wait sync.WaitGroup
	for i := range racers {
		wait.Go(func() {
			for n := range 10 {
				if err := b.Append(t.Context(), "new/log", fmt.Appendf(nil, "%02d %d\n", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	lines := strings.SplitAfter(get(t, b, "new/log", 0, -1), "\n")
	slices.Sort(lines)
	if lines = slices.Compact(lines); len(lines) != racers*10+1 {
		t.Errorf("the log has %d lines, want %d", len(lines)-1, racers*10)
	}
}

func creatorCancelled(t *testing.T, b creator) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Create(ctx, "a")
	want(t, "create", err, context.Canceled)
	if err := b.Append(ctx, "log", []byte("x\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if got := list(t, b, "", ""); len(got) > 0 {
		t.Errorf("there are %q", got)
	}
}
