package daemon

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/audio/line"
)

var (
	built1 = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	now1   = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	at1970 = time.Unix(12, 0)
	at2099 = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

func TestAnIDIsTheMillisecondOrTheNextNumber(t *testing.T) {
	build, now := audio.SessionAt(built1), audio.SessionAt(now1)
	ceiling := built1.Add(plausible)
	for _, c := range []struct {
		name string
		last audio.Session
		now  time.Time
		want Named
	}{
		{"the first", -1, now1, Named{now, true, ""}},
		{"a fraction is cut off", -1, now1.Add(999_999), Named{now, true, ""}},
		{"two in a millisecond", now, now1, Named{now + 1, true, ""}},
		{"the clock went back a second", now + 999, now1, Named{now + 1000, true, ""}},
		{"and more", now + 3_600_000*3, now1, Named{now + 3_600_000*3 + 1, false, "session ids run 3 h ahead of the clock; times in clock.jsonl are right"}},
		{"at its build", -1, built1, Named{build, true, ""}},
		{"before its build", -1, built1.Add(-time.Millisecond), Named{build, false, "the clock shows 2026-10-31T23:59:59Z, before this ingestd was built: session ids are numbers, not times"}},
		{"1970", -1, at1970, Named{build, false, "the clock shows 1970-01-01T00:00:12Z, before this ingestd was built: session ids are numbers, not times"}},
		{"1970 again", build, at1970, Named{build + 1, false, "the clock shows 1970-01-01T00:00:12Z, before this ingestd was built: session ids are numbers, not times"}},
		{"30 years on", -1, ceiling, Named{audio.SessionAt(ceiling), true, ""}},
		{"and a millisecond", -1, ceiling.Add(time.Millisecond), Named{build, false, "the clock shows 2056-10-24T00:00:00Z, decades after this ingestd was built: session ids are numbers, not times"}},
		{"2099", now, at2099, Named{now + 1, false, "the clock shows 2099-01-01T00:00:00Z, decades after this ingestd was built: session ids are numbers, not times"}},
		{"a store of old", 7, now1, Named{now, true, ""}},
		{"a store of nobody's time", 1 << 62, now1, Named{1<<62 + 1, false, "session ids run 2562047 h ahead of the clock; times in clock.jsonl are right"}},
	} {
		if got := nameSession(c.last, build, c.now); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestWhatIsStatedIsBelieved: of a replay. Nothing of it is odd.
func TestWhatIsStatedIsBelieved(t *testing.T) {
	r := newRegistry(nil, "", time.UnixMilli(0))
	last := audio.Session(-1)
	for _, c := range []struct {
		at   int64
		want Named
	}{{0, Named{0, true, ""}}, {0, Named{1, true, ""}}, {5e12, Named{5e12, true, ""}}, {4e12, Named{5e12 + 1, false, ""}}, {-5, Named{5e12 + 2, false, ""}}} {
		n, err := r.Name(time.UnixMilli(c.at), last)
		if n != c.want || err != nil {
			t.Errorf("at %d: got %+v, %v; want %+v", c.at, n, err, c.want)
		}
		last = -1 // it remembers by itself
	}
}

// starts starts a thousand times by a clock, each time with a new Registry, and
// returns the ids. The stores are emptied now and then.
func starts(t *testing.T, clock func(i int) time.Time) (ids []audio.Session) {
	t.Helper()
	folder, stored := newMemFolder(), audio.Session(-1)
	for i := range 1000 {
		n, err := newRegistry(folder, "", built1).Name(clock(i), stored)
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) > 0 && n.ID <= ids[len(ids)-1] {
			t.Fatalf("start %d: id %d behind %d", i, n.ID, ids[len(ids)-1])
		}
		if len(strconv.FormatInt(int64(n.ID), 10)) != 13 {
			t.Fatalf("start %d: id %d", i, n.ID)
		}
		ids = append(ids, n.ID)
		if stored = n.ID; i%3 == 0 {
			stored = -1
		}
	}
	return ids
}

func TestIDsIncreaseUnderAnyClock(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, clock := range map[string]func(int) time.Time{
		"stopped":  func(int) time.Time { return now1 },
		"reversed": func(i int) time.Time { return now1.Add(-time.Duration(i) * time.Hour) },
		"random":   func(int) time.Time { return time.UnixMilli(rng.Int64N(5e12)) },
		"1970":     func(i int) time.Time { return at1970.Add(time.Duration(i) * time.Second) },
		"2099":     func(i int) time.Time { return at2099.Add(time.Duration(i) * time.Second) },
		"slow":     func(i int) time.Time { return now1.Add(time.Duration(i) * time.Microsecond) },
	} {
		t.Run(name, func(t *testing.T) { starts(t, clock) })
	}
}

// TestAClockThatWasIn2099PoisonsNothing: ids are times again once it is right.
func TestAClockThatWasIn2099PoisonsNothing(t *testing.T) {
	ids := starts(t, func(i int) time.Time {
		if i < 500 {
			return at2099
		}
		return now1.Add(time.Duration(i) * time.Hour)
	})
	if got, want := ids[500], audio.SessionAt(now1.Add(500*time.Hour)); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

// TestNoCrashGivesAnIDTwice crashes in each operation of the third start, and
// starts again with the stores emptied and the clock in 1970.
func TestNoCrashGivesAnIDTwice(t *testing.T) {
	crashes := 0
	for _, view := range []string{syncedOnly, allKept} {
		for _, late := range []bool{false, true} {
			for at := 1; ; at++ {
				var given []audio.Session
				folder := newMemFolder()
				for range 2 {
					n, err := newRegistry(folder, "", built1).Name(now1, -1)
					if err != nil {
						t.Fatal(err)
					}
					given = append(given, n.ID)
				}
				folder.late, folder.crashAt = late, len(folder.log)+at
				if n, err := newRegistry(folder, "", built1).Name(now1, -1); err == nil {
					given = append(given, n.ID) // else whoever asked is gone
				}
				over := !folder.crashed
				next := folder.reboot(view)
				for range 2 {
					n, err := newRegistry(next, "", built1).Name(at1970, -1)
					if err != nil {
						t.Fatalf("%s, late %v: %v behind a crash in %v", view, late, err, folder)
					}
					if slices.Contains(given, n.ID) || n.ID < given[len(given)-1] {
						t.Errorf("%s, late %v: %d is given behind %v and a crash in %v", view, late, n.ID, given, folder)
					}
					given = append(given, n.ID)
				}
				if over {
					break
				}
				crashes++
			}
		}
	}
	if crashes != 2*2*7 {
		t.Errorf("there were %d crashes", crashes)
	}
}

// TestAFaultGivesNoIDTwice: the id is used all the same, and the next is
// greater, also one of a later start.
func TestAFaultGivesNoIDTwice(t *testing.T) {
	for _, late := range []bool{false, true} {
		for at := 1; at <= 7; at++ {
			folder := newMemFolder()
			folder.late, folder.failAt = late, 7+at
			r := newRegistry(folder, "state", built1)
			var ids []audio.Session
			for i := range 3 {
				n, err := r.Name(now1, -1)
				if (err != nil) != (i == 1) || err != nil && !errors.Is(err, errFault) {
					t.Fatalf("late %v, fault %d, id %d: %v", late, at, i, err)
				}
				ids = append(ids, n.ID)
			}
			n, err := newRegistry(folder, "state", built1).Name(at1970, -1)
			ids = append(ids, n.ID)
			if err != nil || !slices.IsSortedFunc(ids, func(a, b audio.Session) int { return int(a-b)*2 - 1 }) {
				t.Errorf("late %v, fault %d: got %v, %v", late, at, ids, err)
			}
		}
	}
}

func TestWhatAnIDCostsIsInOrder(t *testing.T) {
	folder := newMemFolder()
	if _, err := newRegistry(folder, "", built1).Name(now1, -1); err != nil {
		t.Fatal(err)
	}
	want := []string{"read sessions.json", "create sessions.json.part", "write", "sync file", "close", "rename sessions.json", "sync"}
	if !slices.Equal(folder.log, want) {
		t.Errorf("got %v, want %v", folder.log, want)
	}
}

func TestTheRegistryIsAFileThatTellsADamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sessions.json")
	name := func(stored audio.Session) (audio.Session, error) {
		n, err := NewRegistry(dir, built1).Name(at1970, stored)
		return n.ID, err
	}
	build := audio.SessionAt(built1)
	if id, err := name(-1); id != build || err != nil {
		t.Fatal(id, err)
	}
	if id, err := name(build + 7); id != build+8 || err != nil {
		t.Fatal(id, err)
	}
	good, err := os.ReadFile(path)
	if want := `{"v":1,"last":1793491200008,"c":"4a87c1c4"}` + "\n"; err != nil || string(good) != want {
		t.Fatalf("it holds %q, %v; want %q", good, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	for i := range good[:len(good)-1] {
		bad := slices.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := name(build + 100); !errors.Is(err, errDamaged) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if id, err := name(-1); id != build+102 || err != nil {
			t.Fatalf("byte %d flipped: it is not replaced: %d, %v", i, id, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}

// TestAnUnknownRegistryIsLeftAlone: a later program wrote it.
func TestAnUnknownRegistryIsLeftAlone(t *testing.T) {
	later, err := line.Encode(registered{Version: 2})
	if err != nil {
		t.Fatal(err)
	}
	folder := newMemFolder()
	folder.names[registryName] = &file{data: later}
	n, err := newRegistry(folder, "state", built1).Name(now1, 5)
	if err == nil || errors.Is(err, errDamaged) || err.Error() != "state/sessions.json: version 2, this program knows 1" || n.ID != audio.SessionAt(now1) {
		t.Errorf("got %+v, %v", n, err)
	}
	if got := string(folder.names[registryName].data); got != string(later) {
		t.Errorf("it holds %q", got)
	}
}

func TestAFolderThatIsNotThereIsTold(t *testing.T) {
	n, err := NewRegistry(filepath.Join(t.TempDir(), "gone"), built1).Name(now1, -1)
	if !errors.Is(err, fs.ErrNotExist) || n.ID != audio.SessionAt(now1) {
		t.Errorf("got %+v, %v", n, err)
	}
}
