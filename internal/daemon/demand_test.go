package daemon

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
	"github.com/ingestd/ingestd/sink/mem"
	"github.com/ingestd/ingestd/source"
	"github.com/ingestd/ingestd/source/tone"
)

// onDemand adds a sensor that is on demand, and counts its sources; nil is the
// ramp.
func (b *bench) onDemand(id string, open func(context.Context, source.Admit) (source.Source, error)) *countedOpens {
	c := &countedOpens{}
	if open == nil {
		open = b.ramp(mono, tone.Config{Speed: 1})
	}
	b.sensor(id, mono, 20*time.Second, c.of(open)).OnDemand = true
	return c
}

// state is what the status says of the first sensor.
func state(d *Daemon) string {
	synctest.Wait()
	return d.Status().Sensors[0].State
}

// S12: the first reader starts the source and the last one stops it, however
// often a reader is closed; then another first one starts it anew. The time
// between is a hole.
func TestSeed_S12(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.onDemand("mic", nil)
		b.during(func(d *Daemon) {
			b.pass(5 * time.Second)
			c.want(t, "before the first reader", 0, 0)
			if s := state(d); s != "off" {
				t.Errorf("before the first reader it is %s", s)
			}
			first := walk(t, d, "mic", reader.From(0))
			c.want(t, "with the first reader", 1, 0)
			first.to(frames(7 * time.Second))
			second := walk(t, d, "mic", reader.FromHead)
			c.want(t, "with two readers", 1, 0)
			if s := state(d); s != "recording" {
				t.Errorf("with two readers it is %s", s)
			}
			for range 3 {
				first.Close()
			}
			c.want(t, "when the first has left", 1, 0)
			second.to(frames(9 * time.Second))
			second.Close()
			c.want(t, "when the last has left", 1, 1)
			second.Close()
			first.Close()
			if s := state(d); s != "off" {
				t.Errorf("when the last has left it is %s", s)
			}
			b.pass(33 * time.Second)
			c.want(t, "a while later", 1, 1)
			third := walk(t, d, "mic", reader.From(0))
			c.want(t, "with another first reader", 2, 1)
			third.to(frames(45 * time.Second))
			first.wantMet(off(0, 5*time.Second), sound(5*time.Second, 7*time.Second))
			second.wantMet(sound(7*time.Second, 9*time.Second))
			third.wantMet(off(0, 5*time.Second), sound(5*time.Second, 9*time.Second), off(9*time.Second, 42*time.Second), sound(42*time.Second, 45*time.Second))
			third.Close()
			c.want(t, "in the end", 2, 2)
		})
	})
}

func TestASourceOnDemandIsOpenedAnewAHundredTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.onDemand("mic", nil)
		b.during(func(d *Daemon) {
			at, met := time.Duration(0), []stretch(nil)
			for i := range 100 {
				away := time.Duration(i%25) * 1250 * time.Millisecond // some as short as a batch, some longer than a hole grows
				b.pass(away)
				if i == 0 {
					away = 0
				}
				w := walk(t, d, "mic", reader.FromHead)
				from := at + away
				w.to(frames(from + time.Second))
				w.Close()
				c.want(t, "after a turn", int64(i+1), int64(i+1))
				met = w.met
				if last := met[len(met)-1]; last != sound(from, from+time.Second) {
					t.Fatalf("turn %d met %v, want %v last", i, met, sound(from, from+time.Second))
				}
				at = from + time.Second
			}
			s := d.Status().Sensors[0]
			if s.Captured != int64(frames(at)) || s.Captured-s.LostFrames != int64(frames(100*time.Second)) || s.Holes != 96 || s.Restarts != 0 {
				t.Errorf("after %v: %+v", at, s)
			}
		})
	})
}

func TestWhatAReaderStoresIsNeverOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		logs := watched(b)
		c := b.onDemand("mic", nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		alone := b.onDemand("alone", nil)
		b.during(func(d *Daemon) {
			walk(t, d, "mic").Close()
			b.pass(10*time.Second + source.DefaultBatch/2)
			c.want(t, "with a reader that stores", 1, 0)
			alone.want(t, "another sensor that nobody reads", 0, 0)
			s := d.Status().Sensors
			if s[0].State != "recording" || s[1].State != "off" {
				t.Errorf("%+v", s)
			}
		})
		c.want(t, "in the end", 1, 1)
		if got := b.told("disk", "mic"); got.sound != int64(frames(10*time.Second)) || len(got.holes) != 0 {
			t.Errorf("stored: %+v", got)
		}
		if n := logs.FilterMessageSnippet("mic: off").Len(); n > 0 {
			t.Errorf("it was said %d times to be off", n)
		}
	})
}

func TestTheEndOfTheRunIsTheEndForWhoListens(t *testing.T) {
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			c := b.onDemand("mic", nil)
			var w *walker
			d := b.during(func(d *Daemon) {
				b.pass(5 * time.Second)
				if on {
					w = walk(t, d, "mic", reader.From(0))
					w.to(frames(6 * time.Second))
					b.pass(1500 * time.Millisecond)
				}
			})
			opens := int64(0)
			if on {
				opens = 1
				w.to(never)
				w.wantMet(off(0, 5*time.Second), sound(5*time.Second, 7500*time.Millisecond))
			}
			c.want(t, "after the end", opens, opens)
			late := walk(t, d, "mic")
			if late.to(never); !late.ended {
				t.Error("a reader that comes after the end waits")
			}
			c.want(t, "with a reader that came after the end", opens, opens)
			want := int64(frames(5*time.Second)) + opens*int64(frames(2500*time.Millisecond))
			if s := d.Status().Sensors[0]; s.State != "ended" || s.Captured != want {
				t.Errorf("%+v, want %d captured", s, want)
			}
		})
	}
}

func TestASourceThatFailsIsTriedForAsLongAsSomebodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var tries atomic.Int64
		var away atomic.Bool
		away.Store(true)
		plain := b.ramp(mono, tone.Config{Speed: 1})
		c := b.onDemand("mic", func(ctx context.Context, admit source.Admit) (source.Source, error) {
			if tries.Add(1); away.Load() {
				return nil, notThere()
			}
			return plain(ctx, admit)
		})
		b.config.Sensors[0].Once = true // which is of sound that was begun
		b.during(func(d *Daemon) {
			b.pass(10 * time.Second)
			w := walk(t, d, "mic", reader.From(0))
			b.pass(20 * time.Second)
			if s := d.Status().Sensors[0]; s.State != "retrying" || s.Restarts < 3 || s.LastError == "" {
				t.Errorf("while somebody waits: %+v", s)
			}
			if code, body := readyNow(d); code != 503 || !strings.HasPrefix(body, "[-] mic retrying for 20s: no input") {
				t.Errorf("while somebody waits: %d %s", code, body)
			}
			w.Close()
			synctest.Wait()
			tried := tries.Load()
			b.pass(30 * time.Second)
			if s := d.Status().Sensors[0]; s.State != "off" || tries.Load() != tried || s.LastError != "" {
				t.Errorf("tried %d times, and %d when nobody reads: %+v", tried, tries.Load(), s)
			}
			away.Store(false)
			w = walk(t, d, "mic", reader.From(0))
			w.to(frames(61 * time.Second))
			w.wantMet(off(0, 10*time.Second), stretch{audio.Span{From: frames(10 * time.Second), To: frames(30 * time.Second)}, audio.Device},
				off(30*time.Second, 60*time.Second), sound(60*time.Second, 61*time.Second))
			c.want(t, "at last", 1, 0)
			w.Close()
			b.pass(30 * time.Second)
			away.Store(true)
			tried = tries.Load()
			w = walk(t, d, "mic")
			b.pass(time.Second)
			if s := d.Status().Sensors[0]; s.State != "retrying" || tries.Load() < tried+4 {
				t.Errorf("away again, it was tried %d times in a second: %+v", tries.Load()-tried, s)
			}
			away.Store(false)
			b.pass(time.Second)
			c.want(t, "back again", 2, 1)
			runtime.KeepAlive(w) // a reader that nobody knows is given back
		})
		c.want(t, "in the end", 2, 2)
	})
}

func TestASourceThatBreaksSoonAfterItsStartWasAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		begun, plain := b.clock.Monotonic(), b.ramp(mono, tone.Config{Speed: 1})
		b.onDemand("mic", func(ctx context.Context, admit source.Admit) (source.Source, error) {
			src, err := plain(ctx, admit)
			if now := time.Duration(b.clock.Monotonic() - begun); now < 6*time.Second {
				return &breaking{src, b.clock, begun + int64(6*time.Second)}, err
			}
			return src, err
		})
		b.during(func(d *Daemon) {
			b.pass(5 * time.Second)
			w := walk(t, d, "mic", reader.From(0))
			w.to(frames(8 * time.Second))
			w.Close()
			if len(w.met) != 4 || w.met[0] != off(0, 5*time.Second) || w.met[2].cause != audio.Device || w.met[2].From < frames(5500*time.Millisecond) || w.met[2].To > frames(6500*time.Millisecond) {
				t.Errorf("met %v", w.met)
			}
		})
	})
}

func TestTheLastReaderEndsWhateverTheSourceWaitsFor(t *testing.T) {
	blocked := func(ctx context.Context, _ source.Admit) (source.Source, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for name, open := range map[string]func(b *bench) func(context.Context, source.Admit) (source.Source, error){
		"in Open": func(*bench) func(context.Context, source.Admit) (source.Source, error) { return blocked },
		"in Read": func(b *bench) func(context.Context, source.Admit) (source.Source, error) {
			return func(ctx context.Context, admit source.Admit) (source.Source, error) {
				src, err := b.ramp(mono, tone.Config{Speed: 1})(ctx, admit)
				return &hanging{src, b.clock, 0}, err
			}
		},
		"in back-off": func(*bench) func(context.Context, source.Admit) (source.Source, error) {
			return func(context.Context, source.Admit) (source.Source, error) { return nil, notThere() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				c := b.onDemand("mic", open(b))
				b.during(func(d *Daemon) {
					for range 3 {
						w := walk(t, d, "mic")
						b.pass(7 * time.Second)
						before := b.clock.Monotonic()
						w.Close()
						if s := state(d); s != "off" || b.clock.Monotonic() != before {
							t.Errorf("%v after the last reader has gone it is %s", time.Duration(b.clock.Monotonic()-before), s)
						}
						c.want(t, "when nobody reads", c.opens.Load(), c.opens.Load())
					}
				})
			})
		})
	}
}

func TestASourceThatIsOverIsNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.onDemand("wav", b.ramp(mono, tone.Config{Speed: 1, Frames: int64(frames(3 * time.Second))}))
		b.config.Sensors[0].Once = true
		b.config.UntilEnded = true
		b.during(func(d *Daemon) {
			w := walk(t, d, "wav")
			w.to(frames(2 * time.Second))
			w.Close()
			b.pass(8 * time.Second)
			w = walk(t, d, "wav") // it begins anew, as a file that is opened does
			w.to(never)
			w.wantMet(sound(0, 2*time.Second), off(2*time.Second, 10*time.Second), sound(10*time.Second, 13*time.Second))
			c.want(t, "when it is over", 2, 2)
			if s := state(d); s != "ended" {
				t.Errorf("it is %s", s)
			}
			if again := walk(t, d, "wav"); again.Close() != nil {
				t.Error("a reader of what is over cannot be closed")
			}
			c.want(t, "with another reader", 2, 2)
		})
	})
}

func TestListeningToWhatIsNotThereSaysWhatIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.onDemand("mic0", nil)
		b.onDemand("mic1", nil)
		b.during(func(d *Daemon) {
			if _, err := d.Listen("mic"); err == nil || err.Error() != `no sensor "mic": there are mic0, mic1` {
				t.Errorf("an unknown sensor: %v", err)
			}
			for range listeners {
				walk(t, d, "mic0")
			}
			if _, err := d.Listen("mic0"); !errors.Is(err, reader.ErrTooManyReaders) || !strings.HasPrefix(err.Error(), "listen to mic0: ") {
				t.Errorf("one reader too many: %v", err)
			}
			walk(t, d, "mic1")
		})
		b.config.Sensors[0].Unpaced = true
		if err := b.config.Check(); err == nil {
			t.Error("an unpaced source may be on demand")
		}
	})
}
