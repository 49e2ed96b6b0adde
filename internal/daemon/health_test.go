package daemon

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ingestd/ingestd/clock"
	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// alive is what /livez answers.
func alive(d *Daemon) int {
	w := httptest.NewRecorder()
	d.livez(w, httptest.NewRequest(http.MethodGet, "/livez", nil))
	return w.Code
}

func TestItLivesOnWhenEverySensorHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		fed := b.fed()
		b.sensor("mic", mono, time.Second, nil).Limit = mono.Frames(5 * time.Second)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(3*time.Minute, 5*time.Second, func(d *Daemon, at time.Duration) {
			if code, body := readyNow(d); alive(d) != http.StatusOK || code != http.StatusOK || fed() > 10*time.Second {
				t.Errorf("after %v /livez is %d, the watchdog was fed %v ago, ready: %d\n%s", at, alive(d), fed(), code, body)
			}
		})
		if got := b.told("disk", "mic"); got.sound != mono.Frames(5*time.Second) || got.end != got.sound {
			t.Errorf("%+v", got)
		}
	})
}

// notThere is the fault of a microphone that is not plugged in.
func notThere() *source.Fault {
	return source.Faultf(source.Failed, "no input matches device %q.\n    Check the cable.", "usb-id:2752:0007")
}

// unplugged is a source that is away from the first instant to the second, in
// the time since it was made; each attempt to open it meanwhile takes a while.
func (b *bench) unplugged(from, to, takes time.Duration) func(context.Context, source.Admit) (source.Source, error) {
	begun, plain := b.clock.Monotonic(), b.ramp(mono, tone.Config{Speed: 1})
	return func(ctx context.Context, admit source.Admit) (source.Source, error) {
		now := time.Duration(b.clock.Monotonic() - begun)
		if now >= from && now < to {
			if err := b.clock.Sleep(ctx, b.clock.Monotonic()+int64(takes)); err != nil {
				return nil, err
			}
			return nil, notThere()
		}
		src, err := plain(ctx, admit)
		if err != nil || now >= to {
			return src, err
		}
		return &breaking{src, b.clock, begun + int64(from)}, nil
	}
}

func TestTheWatchdogIsFedWhileAMicrophoneIsAway(t *testing.T) {
	for _, takes := range []time.Duration{0, 10 * time.Second} {
		for _, from := range []time.Duration{0, 20 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				logs, fed := watched(b), b.fed()
				b.sensor("mic", mono, 5*time.Second, b.unplugged(from, from+3*time.Minute, takes))
				b.reader("disk", mem.New(), time.Second, byBytes)
				d := b.watch(from+200*time.Second, time.Second, func(d *Daemon, at time.Duration) {
					if ago := fed(); ago > 2*time.Second || alive(d) != http.StatusOK {
						t.Errorf("away from %v on, each attempt takes %v: after %v it was fed %v ago, /livez is %d", from, takes, at, ago, alive(d))
					}
				})
				if s := d.Status().Sensors[0]; s.Restarts < 10 || s.State != "ended" || s.LastError != "" {
					t.Errorf("it never came back: %+v", s)
				}
				if n := logs.FilterMessageSnippet("no progress").Len(); n > 0 {
					t.Errorf("%d times no progress", n)
				}
			})
		}
	}
}

// A hangs is what hangs from an instant on until it is released.
type hangs struct {
	clock    clock.Clock
	from     int64
	released chan struct{}
}

func (h *hangs) wait() {
	if h.clock.Monotonic() >= h.from {
		<-h.released
	}
}

// at is a bucket that hangs at that.
func (h *hangs) at(what string) sink.Bucket {
	return hook(false, func(now string) error {
		if now == what {
			h.wait()
		}
		return nil
	})
}

type hangingSource struct {
	source.Source
	*hangs
}

func (s hangingSource) Read(ctx context.Context, p []byte) (source.Packet, error) {
	s.wait()
	return s.Source.Read(ctx, p)
}

func TestTheWatchdogStarvesWithWhateverHangs(t *testing.T) {
	const from = 20 * time.Second
	for _, c := range []struct {
		what     string
		patience time.Duration
		grow     func(b *bench, h *hangs)
	}{
		{"source of mic", pumpPatience, func(b *bench, h *hangs) {
			b.sensor("mic", mono, time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
				src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
				return hangingSource{src, h}, err
			})
			b.reader("disk", mem.New(), time.Second, byBytes)
		}},
		{"reader disk of mic", drainPatience, func(b *bench, h *hangs) {
			b.sensor("mic", mono, time.Second, nil)
			b.reader("disk", h.at("create"), time.Second, byBytes)
		}},
		{"sync of disk", drainPatience, func(b *bench, h *hangs) {
			b.sensor("mic", mono, time.Second, nil)
			b.reader("disk", h.at("sync"), 7*time.Second, byBytes)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				logs, fed := watched(b), b.fed()
				h := &hangs{b.clock, b.clock.Monotonic() + int64(from), make(chan struct{})}
				c.grow(b, h)
				starved := from + c.patience
				b.watch(starved+time.Minute, time.Second, func(_ *Daemon, at time.Duration) {
					ago := fed()
					switch {
					case at < starved-time.Second && ago > 2*time.Second:
						t.Errorf("after %v it was fed %v ago", at, ago)
					case at > starved+5*time.Second && at < starved+30*time.Second && ago < 2*time.Second:
						t.Errorf("after %v, %v of them without progress, it is fed", at, at-from)
					case at == starved+30*time.Second+time.Second/2:
						close(h.released)
					case at > starved+35*time.Second && ago > 2*time.Second:
						t.Errorf("after %v, when it goes on, it was fed %v ago", at, ago)
					}
				})
				told := logs.FilterMessage("no progress: the watchdog is not fed").All()
				if len(told) != 1 || told[0].Level != zapcore.ErrorLevel || !slices.ContainsFunc(told[0].Context, zap.String("stuck", c.what).Equals) {
					t.Errorf("told: %v", told)
				}
			})
		})
	}
}

func TestReadyTellsOfASyncThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := &hangs{b.clock, b.clock.Monotonic() + int64(20*time.Second), make(chan struct{})}
		b.sensor("mic", mono, time.Second, nil)
		b.reader("disk", h.at("sync"), 7*time.Second, byBytes)
		b.watch(100*time.Second, time.Second, func(d *Daemon, at time.Duration) {
			code, body := readyNow(d)
			bad := at > 20*time.Second+slowPass && at < 80*time.Second
			const why = "[-] disk: the disk takes longer than 30s to make durable what was written\n"
			if at > 2*time.Second && (code != http.StatusOK) != bad || strings.Contains(body, why) != bad {
				t.Errorf("after %v: %d\n%s", at, code, body)
			}
			if at == 79500*time.Millisecond {
				close(h.released)
			}
		})
	})
}

func TestReadyTellsHowLongASensorIsAway(t *testing.T) {
	const stores = "[+] disk: disk stores mic0\n"
	for _, c := range []struct {
		from, to time.Duration // it is away
		want     map[time.Duration]string
	}{
		{10 * time.Second, 2 * time.Hour, map[time.Duration]string{
			5500 * time.Millisecond:  "[+] mic0 recording\n" + stores + "ok\n",
			12500 * time.Millisecond: "[+] mic0 retrying for 2s: no input matches device \"usb-id:2752:0007\".\n" + stores + "ok\n",
			69500 * time.Millisecond: "[+] mic0 retrying for 59s: no input matches device \"usb-id:2752:0007\".\n" + stores + "ok\n",
			72500 * time.Millisecond: "[-] mic0 retrying for 1m2s: no input matches device \"usb-id:2752:0007\".\n" + stores + "not ready\n",
		}},
		{0, time.Minute, map[time.Duration]string{ // one that was never heard is missed at once
			500 * time.Millisecond:   "[-] mic0 retrying for 0s: no input matches device \"usb-id:2752:0007\".\n" + stores + "not ready\n",
			50500 * time.Millisecond: "[-] mic0 retrying for 50s: no input matches device \"usb-id:2752:0007\".\n" + stores + "not ready\n",
			70500 * time.Millisecond: "[+] mic0 recording\n" + stores + "ok\n",
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.sensor("mic0", mono, 5*time.Second, b.unplugged(c.from, c.to, 0))
			b.reader("disk", mem.New(), time.Second, byBytes)
			b.watch(80*time.Second, time.Second, func(d *Daemon, at time.Duration) {
				if _, body := readyNow(d); c.want[at] != "" && body != c.want[at] {
					t.Errorf("after %v:\n%swant\n%s", at, body, c.want[at])
				}
			})
		})
	}
}

func TestASensorThatNothingIsHeardOfYetStartsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pass(time.Hour) // the machine has been up for a while
		h := &hangs{b.clock, 0, make(chan struct{})}
		b.sensor("mic0", mono, time.Second, func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
			return hangingSource{src, h}, err
		})
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(9*time.Second, time.Second, func(d *Daemon, at time.Duration) {
			if at == 4500*time.Millisecond {
				_, body := readyNow(d)
				if s := d.Status().Sensors[0]; s.ForSeconds != 4.5 || !strings.HasPrefix(body, "[-] mic0 starting for 4s\n") || d.summary() != "mic0 away for 0 s, 0 of 1 sensors recording" {
					t.Errorf("%+v\n%s%s", s, body, d.summary())
				}
				close(h.released)
			}
		})
	})
}

// spied is a clock that has somebody look round before it is read.
type spied struct {
	clock.Clock
	look atomic.Pointer[func()] // nil: nobody
}

func (c *spied) Monotonic() int64 {
	if look := c.look.Swap(nil); look != nil { // what it does may look at the clock
		(*look)()
		c.look.CompareAndSwap(nil, look)
	}
	return c.Clock.Monotonic()
}

func TestNoStateIsSeenToLastSinceBeforeItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &spied{Clock: clock.NewBubble()}
		b := &bench{clock: c.Clock}
		p := newPump(t, c, b.unplugged(5*time.Minute, 5*time.Minute+3*time.Second, 0))
		p.Limit = mono.Frames(6 * time.Minute)
		looks := 0
		look := func() {
			if looks++; p.State() == Retrying && p.away(c.Clock.Monotonic()) {
				t.Errorf("%v since %v ago", p.State(), time.Duration(c.Clock.Monotonic()-p.since.Load()))
			}
		}
		c.look.Store(&look)
		if err := p.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if looks < 10 || p.State() != Ended {
			t.Errorf("%d looks, at the end it has %v", looks, p.State())
		}
	})
}
