package files_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/files"
)

var s16 = audio.Format{Rate: 8000, Channels: 1, Encoding: audio.S16}

func ramp(from, to int64) []byte {
	p := make([]byte, 0, 2*(to-from))
	for i := from; i < to; i++ {
		p = append(p, byte(i), byte(i>>8))
	}
	return p
}

// record stores frames [0, total) with a hole in [250, 300), and does what a
// caller must after an error: Restart, and give the stream again from there.
// It returns the errors it met.
func record(t *testing.T, s *sink.Store, total int64) (r *sink.Recorder, met []error) {
	t.Helper()
	for r == nil {
		var err error
		r, err = s.Record(t.Context(), sink.RecordConfig{Session: 1, Sensor: "mic0", Format: s16, ChunkFrames: 100})
		if err != nil {
			met = append(met, err)
		}
		if len(met) > 5 {
			t.Fatalf("it never began: %v", met)
		}
	}
	durable := int64(0)
	for pos := int64(0); ; {
		var err error
		next := min(pos+30-pos%30, total)
		switch {
		case pos == total:
			if err = r.Close(t.Context(), 0); err == nil {
				return r, met
			}
		case pos >= 250 && pos < 300:
			next = 300
			err = r.Hole(t.Context(), next-pos, audio.XRun)
		default:
			if pos < 250 {
				next = min(next, 250)
			}
			err = r.Write(t.Context(), ramp(pos, next))
		}
		if err == nil && pos%60 == 0 {
			err = r.Sync(t.Context())
		}
		pos = next
		if err != nil {
			met = append(met, err)
			pos = r.Restart(t.Context())
		}
		if d := r.Durable(); d < durable || d > r.Written() {
			t.Fatalf("durable went from %d to %d, written is %d", durable, d, r.Written())
		} else {
			durable = d
		}
		if len(met) > 10 {
			t.Fatalf("it never ends: %v", met)
		}
	}
}

// TestOneFaultLosesNothing fails each operation once, with the errors that
// disks give in turn, and stores a stream across it. What fails late was done
// all the same, as over a network whose answer is lost.
func TestOneFaultLosesNothing(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, batch := range []bool{false, true} {
			t.Run(fmt.Sprintf("late=%v,batch=%v", late, batch), func(t *testing.T) { oneFaultLosesNothing(t, late, batch) })
		}
	}
}

func oneFaultLosesNothing(t *testing.T, late, batch bool) {
	errnos := []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS, syscall.EMFILE}
	ops := storeWithFault(t, &faulty{}, batch)
	for i, op := range ops {
		changes := !slices.ContainsFunc([]string{"stat ", "open ", "sync", "close "}, func(verb string) bool { return strings.HasPrefix(op, verb) })
		if late && !changes {
			continue // that it was done makes no difference
		}
		f := &faulty{at: i + 1, with: errnos[i%len(errnos)], late: late}
		t.Run(fmt.Sprintf("%v/%d", f.with, i), func(t *testing.T) { storeWithFault(t, f, batch) })
	}
	if len(ops) < 100 {
		t.Errorf("there are only %d operations", len(ops))
	}
}

// storeWithFault stores a stream across the fault of f, judges what is there
// then, and returns the operations that it took.
func storeWithFault(t *testing.T, f *faulty, batch bool) []string {
	const total = 555
	root := t.TempDir()
	at := f.at
	f.at = 0
	b := open(t, files.Config{Root: root, Sync: true, Batch: batch, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
	l, err := sink.ParseLayout(sink.DefaultLayout)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sink.OpenStore(t.Context(), b, l, sink.WAV{})
	if err != nil {
		t.Fatal(err)
	}
	f.log, f.seen, f.at = nil, 0, at
	r, met := record(t, s, total)
	for _, err := range met {
		if !errors.Is(err, f.with) {
			t.Errorf("operation %s: error %v lost its errno", fault(f.log), err)
		}
	}
	for i, stored := range judge(t, root, "mic0", total) {
		if stored != (i < 250 || i >= 300) {
			t.Errorf("frame %d is stored: %v", i, stored)
			break
		}
	}
	unsure := slices.ContainsFunc(met, func(err error) bool {
		// The last name may be unsure at the end: nothing in its folder comes behind it.
		return errors.Is(err, sink.ErrNamed) && strings.Contains(err.Error(), "00000000001000.wav")
	})
	if r.Durable() != total && !unsure {
		t.Errorf("operation %s: durable is %d at the end", fault(f.log), r.Durable())
	}
	if lost := f.mayBeLost(); r.Durable() == total && len(lost) > 0 {
		t.Errorf("all is durable, but %q", lost)
	}
	if at > 0 && f.seen < at {
		t.Errorf("there was no fault in %d operations", f.seen)
	}
	if t.Failed() {
		t.Log(fault(f.log), met)
	}
	return f.log
}

// fault is the operation that failed.
func fault(log []string) string {
	for i, op := range log {
		if op == "FAILS" {
			return log[i-1]
		}
	}
	return "none"
}

// TestSyncBeforeRenameBeforeFolderSync reads the order of what a chunk costs
// off the log of the disk.
func TestSyncBeforeRenameBeforeFolderSync(t *testing.T) {
	f := &faulty{}
	b := open(t, files.Config{Sync: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
	for _, name := range []string{"1/data/mic0/a.wav", "1/data/mic0/b.wav"} {
		d, err := b.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Write([]byte("HEADsound"))
		_, err2 := d.WriteAt([]byte("head"), 0)
		if err := errors.Join(err, err2, d.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, op := range f.log {
		if !strings.HasPrefix(op, "open ") && !strings.HasPrefix(op, "stat ") && !strings.HasPrefix(op, "close ") {
			got = append(got, op)
		}
	}
	want := []string{
		"mkdir 1", "mkdir 1/data", "mkdir 1/data/mic0",
		"create 1/data/mic0/a.wav.part", "write 1/data/mic0/a.wav.part", "write 1/data/mic0/a.wav.part",
		"chmod 1/data/mic0/a.wav.part", "sync 1/data/mic0/a.wav.part", "sync .", "sync 1", "sync 1/data",
		"rename 1/data/mic0/a.wav", "sync 1/data/mic0",
		"create 1/data/mic0/b.wav.part", "write 1/data/mic0/b.wav.part", "write 1/data/mic0/b.wav.part",
		"chmod 1/data/mic0/b.wav.part", "sync 1/data/mic0/b.wav.part",
		"rename 1/data/mic0/b.wav", "sync 1/data/mic0",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFailedSyncIsFinal: the same file would sync again without an error.
func TestFailedSyncIsFinal(t *testing.T) {
	f := &faulty{with: syscall.EIO, only: "sync a.part", at: 1}
	b := open(t, files.Config{Sync: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
	d, err := b.Create(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := d.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("sync: %v", err)
	}
	if err := d.Commit(); !errors.Is(err, syscall.EIO) {
		t.Errorf("commit behind a sync that failed: %v", err)
	}
	if _, err := b.Stat(t.Context(), "a"); !errors.Is(err, sink.ErrNotFound) {
		t.Errorf("it has a name: %v", err)
	}
	if f.seen != 1 {
		t.Errorf("the file was synced %d times", f.seen)
	}
}

// TestNothingOfAWriteThatFailedIsInTheChunk: a part of it may be in the file.
func TestNothingOfAWriteThatFailedIsInTheChunk(t *testing.T) {
	for _, late := range []bool{false, true} {
		f := &faulty{with: syscall.ENOSPC, late: late, only: "write a.part"}
		b := open(t, files.Config{Sync: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
		d, err := b.Create(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write([]byte("good")); err != nil {
			t.Fatal(err)
		}
		f.at = f.seen + 1
		if n, err := d.Write([]byte("this has no room")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(n, err)
		}
		_, err = d.Write([]byte(" end"))
		if err := errors.Join(err, d.Commit()); err != nil {
			t.Fatal(err)
		}
		r, err := b.Get(t.Context(), "a", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if body, err := io.ReadAll(r); err != nil || string(body) != "good end" {
			t.Errorf("the chunk holds %q, %v", body, err)
		}
	}
}

// TestWhatIsMadeAnewIsSyncedAnew: folders and logs may be removed while they
// are recorded to.
func TestWhatIsMadeAnewIsSyncedAnew(t *testing.T) {
	f := &faulty{}
	root := t.TempDir()
	b := open(t, files.Config{Root: root, Sync: true, Wrap: func(disk files.FS) files.FS { f.FS = disk; return f }})
	for round, remove := range []string{"1", "1/data/mic0", "1/data/mic0/blocks.jsonl", "none"} {
		d, err := b.Create(t.Context(), fmt.Sprintf("1/data/mic0/data/%d.wav", round))
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Write([]byte("sound"))
		if err := errors.Join(err, d.Commit(), b.Append(t.Context(), "1/data/mic0/blocks.jsonl", []byte("line\n"))); err != nil {
			t.Fatal(err)
		}
		if lost := f.mayBeLost(); len(lost) > 0 {
			t.Errorf("round %d: a power cut may take %q", round, lost)
		}
		if err := os.RemoveAll(filepath.Join(root, remove)); err != nil {
			t.Fatal(err)
		}
	}
}
