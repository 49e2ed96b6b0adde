package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
)

// shaky is a bucket whose folders cannot be synced while it is told so: what is
// committed then may lose its name.
type shaky struct {
	sink.Bucket
	sink.Creator
	shaken bool
}

type shakyDraft struct {
	sink.Draft
	b *shaky
}

func (b *shaky) Create(ctx context.Context, name string) (sink.Draft, error) {
	d, err := b.Creator.Create(ctx, name)
	return shakyDraft{d, b}, err
}

func (d shakyDraft) Commit() error {
	err := d.Draft.Commit()
	if err == nil && d.b.shaken {
		err = fmt.Errorf("commit: %w: %w", sink.ErrNamed, syscall.EIO)
	}
	return err
}

// shakyBatched is one whose drafts wait for a pass.
type shakyBatched struct {
	shaky
	sink.Batcher
}

func newShakyBatched() *shakyBatched {
	b := newBatched()
	return &shakyBatched{shaky{Bucket: b, Creator: b}, b}
}

// checkStoredOnce looks for the frames up to total, each once, and for a line
// for each chunk.
func checkStoredOnce(t *testing.T, b sink.Bucket, total int64) {
	t.Helper()
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	lines, _ := logged(t, s, 1, "mic0")
	all := keys(t, s, sink.Filter{})
	for i, k := range all {
		c, err := s.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(lines) || lines[i].Block != k.Block {
			t.Errorf("%v has no line in its place: %+v", k, lines)
		}
		got = append(got, c.Data...)
	}
	if len(lines) != len(all) || string(got) != string(ramp(0, total, s16)) {
		t.Errorf("%d lines for %d chunks with %d of %d frames", len(lines), len(all), len(got)/2, total)
	}
}

// TestANameThatMayBeLostHoldsDurableBack, with the chunk that has it, until a
// later one in its folder is sure. The chunk has its line and is counted.
func TestANameThatMayBeLostHoldsDurableBack(t *testing.T) {
	m := mem.New()
	b := &shaky{Bucket: m, Creator: m}
	r := record(t, b)
	give := func(from, to int64) error { return r.Write(t.Context(), ramp(from, to-from, s16)) }
	if err := give(0, 150); err != nil || r.Durable() != 100 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	b.shaken = true
	for from := int64(100); from < 300; from += 100 {
		if err := give(max(from, 150), from+100); !errors.Is(err, sink.ErrNamed) || r.Durable() != 100 || r.Chunks() != from/100+1 {
			t.Errorf("%v, durable %d, %d chunks", err, r.Durable(), r.Chunks())
		}
		if at := r.Restart(t.Context()); at != from+100 {
			t.Fatalf("to be given again from %d, want %d", at, from+100)
		}
	}
	b.shaken = false
	if err := give(300, 350); err != nil || r.Durable() != 100 {
		t.Errorf("before the next chunk: %v, durable %d", err, r.Durable())
	}
	if err := errors.Join(give(350, 400), r.Close(t.Context(), 0)); err != nil || r.Durable() != 400 {
		t.Errorf("behind it: %v, durable %d", err, r.Durable())
	}
	checkStoredOnce(t, b, 400)
}

// TestANameThatMayBeLostDoesNotFailAPass: all that was whole gets its name and
// its line, nothing is given again, and the next pass makes the names sure.
func TestANameThatMayBeLostDoesNotFailAPass(t *testing.T) {
	b := newShakyBatched()
	r := record(t, b)
	give := func(from, to int64) error { return r.Write(t.Context(), ramp(from, to-from, s16)) }
	if err := errors.Join(give(0, 150), sink.Pass(t.Context(), r), give(150, 350)); err != nil || r.Durable() != 150 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	b.shaken = true
	if err := sink.Pass(t.Context(), r); !errors.Is(err, sink.ErrNamed) || r.Chunks() != 3 {
		t.Errorf("%v, %d chunks", err, r.Chunks())
	}
	lines, _ := logged(t, &sink.Store{Bucket: b, Layout: layout(t, sink.DefaultLayout), Codec: sink.WAV{}}, 1, "mic0")
	if len(lines) != 3 || r.Bytes() != lines[0].Bytes+lines[1].Bytes+lines[2].Bytes {
		t.Errorf("%d bytes counted, the lines are %+v", r.Bytes(), lines)
	}
	if err := give(350, 400); err != nil {
		t.Errorf("a write behind it: %v", err)
	}
	if err := sink.Pass(t.Context(), r); !errors.Is(err, sink.ErrNamed) || r.Durable() != 400 {
		t.Errorf("the next pass: %v, durable %d: it made the names sure, and names another chunk", err, r.Durable())
	}
	b.shaken = false
	if err := errors.Join(give(400, 450), r.Close(t.Context(), 0)); err != nil || r.Durable() != 450 {
		t.Errorf("%v, durable %d", err, r.Durable())
	}
	checkStoredOnce(t, b, 450)
}

// TestAPassThatBeganBeforeANameDoesNotMakeItSure.
func TestAPassThatBeganBeforeANameDoesNotMakeItSure(t *testing.T) {
	b := newShakyBatched()
	disk := b.Batcher.(*batched)
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 150, s16)); err != nil {
		t.Fatal(err)
	}
	b.shaken = true
	begun, leave, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	disk.during = func() {
		if err := r.Write(t.Context(), ramp(150, 10, s16)); err != nil {
			t.Error(err)
		}
		disk.during = func() { close(begun); <-leave }
		go func() { over <- sink.Pass(context.WithoutCancel(t.Context()), r) }()
		<-begun
	}
	if err := sink.Pass(t.Context(), r); !errors.Is(err, sink.ErrNamed) || r.Chunks() != 1 || r.Durable() != 150 {
		t.Errorf("the first: %v, %d chunks, durable %d", err, r.Chunks(), r.Durable())
	}
	close(leave)
	if err := <-over; err != nil || r.Durable() != 150 {
		t.Errorf("the one that began meanwhile: %v, durable %d", err, r.Durable())
	}
	if err := sink.Pass(t.Context(), r); err != nil || r.Durable() != 160 {
		t.Errorf("one that began behind both: %v, durable %d", err, r.Durable())
	}
}

// TestANameThatIsTakenInAPassCostsOneError: what has it stays, and the sound
// goes to the next block at once.
func TestANameThatIsTakenInAPassCostsOneError(t *testing.T) {
	b := newBatched()
	r := record(t, b)
	if err := errors.Join(r.Write(t.Context(), ramp(0, 100, s16)), sink.Pass(t.Context(), r), r.Write(t.Context(), ramp(100, 100, s16))); err != nil {
		t.Fatal(err)
	}
	const name = "1/data/mic0/data/00000000000200.wav"
	if _, err := b.Put(t.Context(), name, []byte("others"), sink.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := sink.Pass(t.Context(), r); !errors.Is(err, sink.ErrExists) {
		t.Fatal(err)
	}
	if from := r.Restart(t.Context()); from != 100 {
		t.Fatalf("to be given again from %d, want 100", from)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(100, 100, s16)), r.Close(t.Context(), 0)); err != nil {
		t.Errorf("a second error: %v", err)
	}
	if got, want := blocksOf(t, b), []int64{0, 200, 201}; !slices.Equal(got, want) || string(fileBody(t, b, name)) != "others" {
		t.Errorf("blocks %v, want %v", got, want)
	}
}

// TestNoEndIsToldBehindAPassOfOthersThatFailed: Close makes a pass of its own,
// and one that fails meanwhile has put the sound in doubt all the same.
func TestNoEndIsToldBehindAPassOfOthersThatFailed(t *testing.T) {
	b := newBatched()
	r := record(t, b)
	if err := r.Write(t.Context(), ramp(0, 150, s16)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk on fire")
	b.during = func() {
		b.fail = broken
		if err := sink.Pass(t.Context(), r); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	if err := r.Close(t.Context(), 0); !errors.Is(err, broken) {
		t.Fatalf("closed with %v", err)
	}
	if from := r.Restart(t.Context()); from != 0 {
		t.Fatalf("to be given again from %d", from)
	}
	if err := errors.Join(r.Write(t.Context(), ramp(0, 150, s16)), r.Close(t.Context(), 0)); err != nil || r.Durable() != 150 {
		t.Fatalf("%v, durable %d", err, r.Durable())
	}
	checkStoredOnce(t, b, 150)
	s, err := sink.OpenExisting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if _, end := logged(t, s, 1, "mic0"); end == nil || end.Clean {
		t.Errorf("the end is told as %+v; drafts were left", end)
	}
}

// unread is a bucket that does not read what was stored, a number of times.
type unread struct {
	*mem.Bucket
	times int
}

func (b *unread) Get(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if b.times > 0 {
		b.times--
		return nil, syscall.EMFILE
	}
	return b.Bucket.Get(ctx, name, off, n)
}

// TestAShortChunkIsSummedWhenItCanBeRead: that it cannot be for a moment is no
// reason to tell a line without its sum, and that it never can be is none to
// tell no more lines at all.
func TestAShortChunkIsSummedWhenItCanBeRead(t *testing.T) {
	for times, sums := range map[int]int{0: 1, 1: 1, 2: 0} {
		b := &unread{Bucket: mem.New()}
		r := record(t, b)
		if err := r.Write(t.Context(), ramp(0, 50, s16)); err != nil {
			t.Fatal(err)
		}
		b.times = times
		err := r.Close(t.Context(), 0)
		if (err != nil) != (times > 0) {
			t.Errorf("%d times: closed with %v", times, err)
		}
		if err != nil {
			if from := r.Restart(t.Context()); from != 50 || r.Chunks() != 1 {
				t.Errorf("%d times: to be given again from %d, %d chunks", times, from, r.Chunks())
			}
			if err := r.Close(t.Context(), 0); err != nil {
				t.Errorf("%d times: closed again with %v", times, err)
			}
		}
		s, err := sink.OpenExisting(t.Context(), b.Bucket)
		if err != nil {
			t.Fatal(err)
		}
		lines, end := logged(t, s, 1, "mic0")
		if len(lines) != 1 || len(lines[0].SHA256) != 64*sums || end == nil {
			t.Errorf("%d times: the lines are %+v, %+v", times, lines, end)
		}
	}
}
