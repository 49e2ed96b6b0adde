package system

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingestd/ingestd/clock"
)

// ramps is the configuration of tone sensors whose every sample tells its
// position: s16, mono.
func ramps(rate int, ids ...string) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, "[[sensor]]\nid = %q\nsource = \"tone\"\nkind = \"ramp\"\nrate = %d\n", id, rate)
	}
	return b.String()
}

// disk is the configuration of a reader of all sensors and its sink.
func disk(root, chunk, sync string) string {
	return fmt.Sprintf("[[reader]]\nname = \"archive\"\nchunk = %q\nsink = \"disk\"\n[sink.disk]\ndriver = \"files\"\nroot = %q\nsync = %q\n", chunk, root, sync)
}

// kills is how often the daemon is killed: INGESTD_KILLS, or 20.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("INGESTD_KILLS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("INGESTD_KILLS=%s: it must be a number from 1 on", text)
	}
	return n
}

// A memory is the sums of all files that a store has had.
type memory struct {
	root string
	sums map[string][sha256.Size]byte
}

// look fails unless all files that were there are still there, and those of
// the sessions from since on are what they were, and takes note of the new
// ones.
func (m *memory) look(t *testing.T, since string) {
	t.Helper()
	now := map[string]bool{}
	for _, name := range tree(t, m.root) {
		now[name] = true
		old, known := m.sums[name]
		if name == "store.lock" || name == "sessions.json" || known && name < since {
			continue
		}
		body, err := os.ReadFile(filepath.Join(m.root, name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		if known && sum != old {
			t.Errorf("%s is no longer what it was", name)
		}
		m.sums[name] = sum
	}
	for name := range m.sums {
		if !now[name] {
			t.Errorf("%s is gone", name)
		}
	}
}

// lastNamed is the last session that the registry knows.
func lastNamed(t *testing.T, root string) int64 {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(root, "sessions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Last int64 }
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatalf("sessions.json: %v", err)
	}
	return told.Last
}

func TestKillingLosesNothingDurableAndChangesNothingStored(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "store")
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	m := &memory{root: root, sums: map[string][sha256.Size]byte{}}
	proved := 0
	for i := range kills(t) {
		before := sessions(t, root)
		length := []string{"200ms", "300ms", "500ms", "1s"}[random.IntN(4)]
		p := start(t, freePort+ramps(8000, "a", "b")+disk(root, length, "1s"))
		durable := p.killSoon(random, i%2 == 0)
		after := sessions(t, root)
		if !slices.Equal(after[:len(before)], before) || len(after) > len(before)+1 || len(before) > 0 && slices.Max(before) != before[len(before)-1] {
			t.Fatalf("sessions %v, then %v", before, after)
		}
		if len(after) == len(before) {
			continue // it was killed before it had begun
		}
		m.look(t, after[max(0, len(after)-3)])
		session := after[len(after)-1]
		if last := lastNamed(t, root); fmt.Sprint(last) < session {
			t.Errorf("sessions.json ends with %d, and there is a session %s", last, session)
		}
		for sensor, frames := range durable {
			what := fmt.Sprintf("cycle %d, session %s, sensor %s", i, session, sensor)
			l := left(t, root, session, sensor)
			l.check(t, what)
			if frames > 0 {
				proved++
			}
			if got := l.reaches(); got < frames {
				t.Errorf("%s: %d frames were durable, %d are there", what, frames, got)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	p := start(t, freePort+ramps(8000, "a", "b")+disk(root, "1s", "1s"))
	p.see(`"recording"`)
	p.stop()
	m.look(t, "")
	if proved < kills(t)/4 {
		t.Errorf("in %d kills something was durable only %d times", kills(t), proved)
	}
}

// killSoon kills the daemon within 2.5 s: at any moment, or just behind a tick
// of its work. It returns the frames that /metrics called durable just before,
// by sensor.
func (p *process) killSoon(random *rand.Rand, atTick bool) map[string]int64 {
	p.t.Helper()
	const tick = int64(250 * time.Millisecond)
	c := clock.System{}
	at := c.Monotonic() + random.Int64N(10*tick)
	if atTick {
		at = at - at%tick + tick + random.Int64N(int64(10*time.Millisecond))
	}
	if err := c.Sleep(p.t.Context(), at); err != nil {
		p.t.Fatal(err)
	}
	durable := map[string]int64{"a": 0, "b": 0}
	if strings.Contains(p.log.String(), `"session begins"`) {
		_, body := p.get("/metrics")
		for _, m := range regexp.MustCompile(`(?m)^ingestd_durable_position_frames\{sensor="(.)",sink="disk"\} (.*)$`).FindAllStringSubmatch(body, -1) {
			frames, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				p.t.Fatal(err)
			}
			durable[m[1]] = int64(frames)
		}
	}
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
	return durable
}

func TestASecondDaemonIsRefusedAndTheFirstUnharmed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	config := freePort + ramps(48000, "a") + disk(root, "300ms", "1s")
	first := start(t, config)
	first.see(`"recording"`)
	second := start(t, config)
	<-second.done
	want := fmt.Sprintf("in use by pid %d on this machine. Two writers would mix sessions. Read commands work without the lock.", first.cmd.Process.Pid)
	if said := second.log.String(); !strings.Contains(said, want) || second.cmd.ProcessState.ExitCode() == 0 {
		t.Errorf("the second ended with %v and said\n%swant\n%s", second.err, said, want)
	}
	r := do(t, "replay", wavs(t, "s16-48000-1.wav")[0], "--root", root, "--speed", "0")
	if r.code == 0 || !strings.Contains(r.stderr, want) {
		t.Errorf("replay: exit %d\n%s", r.code, r.stderr)
	}
	until(t, "the first goes on", func() bool {
		return first.number(`ingestd_sink_chunks_total{sensor="a",sink="disk"}`) >= 3
	})
	first.stop()
	all := sessions(t, root)
	if len(all) != 1 {
		t.Fatalf("sessions %v", all)
	}
	l := left(t, root, all[0], "a")
	if _, holes, end := l.whole(t, "a"); len(holes) > 0 || end <= 0 || len(l.parts) > 0 {
		t.Errorf("%d frames, holes %+v, unnamed %v", end, holes, l.parts)
	}
}

func TestASessionNeverGoesBackBehindAStoreFromTheFuture(t *testing.T) {
	t.Parallel()
	const future = 4102444800123 // in the year 2100
	root := t.TempDir()
	name := wavs(t, "s16-48000-1.wav")[0]
	replay := func(start string) {
		must(t, "replay", name, "--sensor", "a", "--root", root, "--speed", "0", "--chunk", "20ms", "--start", start)
	}
	const past = "1999-12-31T23:59:59.000Z"
	replay(past)
	if err := os.Rename(filepath.Join(root, sessions(t, root)[0]), filepath.Join(root, fmt.Sprint(future))); err != nil {
		t.Fatal(err)
	}
	m := &memory{root: root, sums: map[string][sha256.Size]byte{}}
	m.look(t, "")
	want := []string{fmt.Sprint(future)}
	for i, start := range []string{past, "now", past} {
		replay(start)
		m.look(t, "")
		want = append(want, fmt.Sprint(future+1+i))
		if got := sessions(t, root); !slices.Equal(got, want) {
			t.Fatalf("sessions %v, want %v", got, want)
		}
	}
	_, sound := readWAV(t, name)
	for _, session := range want {
		var pcm []byte
		for _, c := range left(t, root, session, "a").chunks {
			pcm = append(pcm, c.pcm...)
		}
		if string(pcm) != string(sound) {
			t.Errorf("session %s has %d bytes of sound, or other ones than %d", session, len(pcm), len(sound))
		}
	}
}
