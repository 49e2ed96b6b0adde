package daemon

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// TestReadersThatComeAndGoAtOnceLeaveOneSourceOrNone lets many readers come and
// go, some at the same instant. Whenever nothing moves the source is open if
// there is a reader, and closed if there is none.
func TestReadersThatComeAndGoAtOnceLeaveOneSourceOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.onDemand("mic", nil)
		b.during(func(d *Daemon) {
			for round := range 60 {
				stays := round%3 == 0
				var left *reader.Reader
				var comers sync.WaitGroup
				for i := range listeners + 4 {
					comers.Go(func() {
						rng := rand.New(rand.NewPCG(uint64(round), uint64(i)))
						for range 20 {
							r, err := d.Listen("mic")
							if errors.Is(err, reader.ErrTooManyReaders) {
								continue
							}
							if err != nil {
								t.Error(err)
								return
							}
							if rng.IntN(3) == 0 {
								_ = b.clock.Sleep(t.Context(), b.clock.Monotonic()+rng.Int64N(int64(time.Second)))
							}
							r.Close()
						}
					})
				}
				comers.Wait()
				if stays {
					left = walk(t, d, "mic").Reader
				}
				synctest.Wait()
				open := int64(0)
				if stays {
					open = 1
				}
				c.want(t, "at rest", c.closes.Load()+open, c.closes.Load())
				if got := state(d); (got == "off") == stays {
					t.Fatalf("round %d, a reader stays: %v: it is %s", round, stays, got)
				}
				if left != nil {
					left.Close()
				}
			}
			if c.opens.Load() < 20 {
				t.Errorf("opened %d times only", c.opens.Load())
			}
		})
		c.want(t, "in the end", c.opens.Load(), c.opens.Load())
	})
}

func TestASensorThatIsOffIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		fed := b.fed()
		b.sensor("mic", mono, 5*time.Second, nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.onDemand("cam", nil)
		b.watch(5*time.Minute, 5*time.Second, func(d *Daemon, at time.Duration) {
			code, body := readyNow(d)
			if code != http.StatusOK || !strings.Contains(body, "[+] cam off: nobody reads it\n") || fed() > 10*time.Second {
				t.Errorf("after %v: %d %s, the watchdog was fed %v ago", at, code, body, fed())
			}
			if got, want := d.summary(), "1 of 2 sensors recording, 1 off"; got != want {
				t.Errorf("after %v: %q, want %q", at, got, want)
			}
			got := b.scrape()
			got.want(t, at, map[string]float64{
				`source_up{sensor="cam"}`: 0, `source_off{sensor="cam"}`: 1, `source_up{sensor="mic"}`: 1, `source_off{sensor="mic"}`: 0,
				`source_restarts_total{reason="error",sensor="cam"}`: 0, `hole_frames_total{cause="device",sensor="cam"}`: 0,
			})
			// The hole grows, and stays behind the clock by less than two of its steps.
			behind := at - mono.Duration(int64(got[`captured_position_frames{sensor="cam"}`]))
			if lost := got[`hole_frames_total{cause="stopped",sensor="cam"}`]; behind < 0 || behind > growHole+holeMargin || lost != got[`captured_position_frames{sensor="cam"}`] {
				t.Errorf("after %v the hole is %v behind, and has %v frames", at, behind, lost)
			}
		})
		if got := b.told("disk", "mic"); len(got.holes) != 0 || got.sound < int64(frames(299*time.Second)) {
			t.Errorf("the other sensor: %+v", got)
		}
	})
}

// TestASourceOnDemandMayTakeAMomentToStart: what it takes belongs to the time
// off. What takes longer is the device's, and after a minute it is a fault.
func TestASourceOnDemandMayTakeAMomentToStart(t *testing.T) {
	for _, c := range []struct {
		takes time.Duration
		ready bool // in the end
	}{{1500 * time.Millisecond, true}, {20 * time.Second, true}, {70 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			plain := b.ramp(mono, tone.Config{Speed: 1})
			b.onDemand("mic", func(ctx context.Context, admit source.Admit) (source.Source, error) {
				if err := b.clock.Sleep(ctx, b.clock.Monotonic()+int64(c.takes)); err != nil {
					return nil, err
				}
				return plain(ctx, admit)
			})
			b.config.Sensors[0].Slow = 2 * time.Minute
			b.during(func(d *Daemon) {
				b.pass(5 * time.Second)
				w := walk(t, d, "mic", reader.From(0))
				defer w.Close()
				b.pass(c.takes - time.Second)
				if code, body := readyNow(d); (code == http.StatusOK) != c.ready {
					t.Errorf("after %v: %d %s", c.takes-time.Second, code, body)
				}
				begin := 5*time.Second + c.takes
				w.to(frames(begin + time.Second))
				want := []stretch{off(0, 5*time.Second), {audio.Span{From: frames(5 * time.Second), To: frames(begin)}, audio.Device}}
				if c.takes < lateStart {
					want = []stretch{off(0, begin)}
				}
				w.wantMet(append(want, sound(begin, begin+time.Second))...)
				if code, body := readyNow(d); code != http.StatusOK {
					t.Errorf("at last: %d %s", code, body)
				}
			})
		})
	}
}

func TestTheLogTellsWhenASourceOnDemandStartsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		b.onDemand("cam", nil)
		b.during(func(d *Daemon) {
			for range 2 {
				b.pass(90 * time.Second)
				w := walk(t, d, "cam", reader.FromHead)
				b.pass(90 * time.Second)
				w.Close()
			}
			b.pass(time.Second)
		})
		var got []string
		for _, e := range logs.All() {
			if e.ContextMap()["sensor"] == "cam" {
				got = append(got, e.Message)
			}
			if e.Level != zapcore.InfoLevel {
				t.Errorf("%v: %s", e.Level, e.Message)
			}
		}
		want := []string{
			"cam: off until somebody reads it",
			"cam: recording, because somebody reads it. It was off for 1m30s (720000 frames)",
			"cam: off until somebody reads it",
			"cam: recording, because somebody reads it. It was off for 1m30s (720000 frames)",
			"cam: off until somebody reads it",
			"ended",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestManyReadersFillNoLog has somebody look in every ten seconds, and then stay,
// or not: the last word of the log is true.
func TestManyReadersFillNoLog(t *testing.T) {
	for _, stays := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			logs := watched(b)
			b.onDemand("cam", nil)
			b.during(func(d *Daemon) {
				for range 32 {
					b.pass(7 * time.Second)
					w := walk(t, d, "cam", reader.FromHead)
					b.pass(3 * time.Second)
					w.Close()
				}
				if stays {
					defer walk(t, d, "cam", reader.FromHead).Close()
				}
				b.pass(3 * time.Minute)
				told := logs.FilterMessageSnippet("cam: ").All()
				last, want := told[len(told)-1].Message, offText("cam")
				if stays {
					want = readText("cam", mono, 0)
				}
				if len(told) < 4 || len(told) > 20 || !strings.HasPrefix(last, want) {
					t.Errorf("%d lines, the last is %q, want %q", len(told), last, want)
				}
			})
		})
	}
}
