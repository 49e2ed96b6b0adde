package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
	"pgregory.net/rapid"
)

// What comes of a reader that was set aside is Late up to the front, which a
// frame of the same key belongs to by its index, and in order from there on.
func TestMergeGivesExactlyTheFramesBeforeTheFrontAsLate(t *testing.T) {
	for _, c := range []struct {
		silent int       // the reader that is set aside
		late   audio.Pos // where its frames are in order again
	}{{0, 30}, {1, 29}} {
		synctest.Test(t, func(t *testing.T) {
			config := buffer.Config{Frames: 100, BlockFrames: 4}
			x := newMerged(MergeOptions{Patience: time.Second}, newSensor(t, 0, config), newSensor(t, 1, config))
			silent, other := x.sensors[c.silent], x.sensors[1-c.silent]
			go x.all(t.Context())
			silent.write(step{frames: 10})
			other.write(step{frames: 30})
			synctest.Wait()
			<-time.After(time.Second - 1)
			synctest.Wait()
			if now := x.now(); now.at[other.index] > 11 || len(now.aside) > 0 {
				t.Errorf("before the patience is over: given up to %v, set aside %v", now.at, now.aside)
			}
			<-time.After(1)
			synctest.Wait()
			now := x.now()
			if now.at[other.index] != 30 || !slices.Equal(now.aside, []int{c.silent}) {
				t.Errorf("after it: given up to %v, set aside %v", now.at, now.aside)
			}
			silent.write(step{frames: 15})
			silent.write(step{3, audio.XRun})
			silent.write(step{frames: 20})
			synctest.Wait()
			other.write(step{frames: 20})
			silent.w.Close(nil)
			other.w.Close(nil)
			synctest.Wait()
			var late, ordered audio.Pos = 10, c.late
			for _, one := range x.pieces[len(now.pieces):] {
				at := &ordered
				if one.late {
					at = &late
				} else if one.index != c.silent {
					continue
				}
				if one.index != c.silent || one.From != *at {
					t.Errorf("got %v at %d of those Late, %d of the others", one, late, ordered)
				}
				*at = one.To
			}
			if x.wrong != nil || late != c.late || ordered != 48 || x.at[other.index] != 50 {
				t.Errorf("%v; Late up to %d, want %d; in order up to %d; %v", x.wrong, late, c.late, ordered, x.at)
			}
		})
	}
}

// A reader that is always later than the patience holds the others once.
func TestMergeIsHeldOnceByAReaderThatIsAlwaysBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := buffer.Config{Frames: 100, BlockFrames: 4}
		x := newMerged(MergeOptions{Patience: time.Second}, newSensor(t, 0, config), newSensor(t, 1, config))
		slow, quick := x.sensors[0], x.sensors[1]
		go x.all(t.Context())
		for i := range audio.Pos(50) {
			quick.write(step{frames: 2})
			if i >= 3 {
				slow.write(step{frames: 2})
			}
			<-time.After(time.Second / 2)
			synctest.Wait()
			if i < 2 {
				continue // the time that it is held
			}
			if now := x.now(); now.at[1] != 2*i+2 || now.at[0] < 2*i-6 {
				t.Errorf("after write %d: given up to %v", i, now.at)
			}
		}
		slow.w.Close(nil)
		quick.w.Close(nil)
		synctest.Wait()
		for _, one := range x.pieces {
			if one.late != (one.index == 0) {
				t.Errorf("%v: Late is what the first reader gives, and no other", one)
			}
			if one.Len() < 2 {
				t.Errorf("%v: it is given in smaller parts than written", one)
			}
		}
		if x.wrong != nil || !slices.Equal(x.aside, []int{0}) {
			t.Errorf("%v; set aside %v", x.wrong, x.aside)
		}
	})
}

// A reader that is silent for ever is told once, and the rest is merged. The
// end of the context is the last thing told.
func TestMergeGoesOnWithoutASilentReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := buffer.Config{Frames: 100, BlockFrames: 4}
		x := newMerged(MergeOptions{Patience: time.Second}, newSensor(t, 0, config), newSensor(t, 1, config), newSensor(t, 2, config))
		ctx, cancel := context.WithCancel(t.Context())
		go x.all(ctx)
		for _, i := range []int{0, 2} {
			x.sensors[i].write(step{frames: 50})
			x.sensors[i].w.Close(nil)
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if now := x.now(); now.wrong != nil || !slices.Equal(now.at, []audio.Pos{50, 0, 50}) || !slices.Equal(now.aside, []int{1}) || len(now.told) > 0 {
			t.Errorf("%v; given up to %v, set aside %v, told %v", now.wrong, now.at, now.aside, now.told)
		}
		cancel()
		synctest.Wait()
		if len(x.told) != 1 || !errors.Is(x.told[1], context.Canceled) {
			t.Errorf("told %v", x.told)
		}
	})
}

// A reader whose frames are there is not set aside, though nobody woke the merge.
func TestMergeSetsNobodyAsideWhoIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newMerged(MergeOptions{Patience: time.Second}, newSensor(t, 0, buffer.Config{Frames: 100, Wake: buffer.ByTimer}))
		go x.all(t.Context())
		synctest.Wait()
		x.sensors[0].write(step{frames: 5})
		<-time.After(time.Second)
		synctest.Wait()
		if now := x.now(); len(now.aside) > 0 || now.at[0] != 5 {
			t.Errorf("set aside %v, given up to %v", now.aside, now.at)
		}
		x.sensors[0].w.Close(nil)
		synctest.Wait()
	})
}

// Without patience a reader is waited for as long as the context lasts.
func TestMergeWaitsWithoutPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := buffer.Config{Frames: 100, BlockFrames: 4}
		x := newMerged(MergeOptions{}, newSensor(t, 0, config), newSensor(t, 1, config))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begin := time.Now()
		x.sensors[1].write(step{frames: 50})
		x.all(ctx)
		if waited := time.Since(begin); waited != time.Hour || len(x.told) != 1 || !errors.Is(x.told[0], context.DeadlineExceeded) {
			t.Errorf("after %v: told %v", waited, x.told)
		}
		if x.wrong != nil || !slices.Equal(x.at, []audio.Pos{0, 0}) || len(x.aside) > 0 {
			t.Errorf("%v; given up to %v, set aside %v", x.wrong, x.at, x.aside)
		}
	})
}

// Whoever is silent at any time for however long: nobody is set aside before
// the patience is over, all is given at the latest when that of everybody is,
// once, and Late or in order as the rule says.
func TestMergeWithPatienceGivesEverythingOnce(t *testing.T) {
	const patience = 10*time.Second + 1 // never over at the time of an act
	rapid.Check(t, func(rt *rapid.T) {
		o, sensors := drawOptions(rt), drawSensors(rt, t)
		o.Patience = patience
		var acts []act
		for range rapid.IntRange(0, 30).Draw(rt, "acts") {
			one := act{sensor: rapid.IntRange(0, len(sensors)-1).Draw(rt, "sensor"), step: drawStep(rt)}
			one.pause = time.Duration(rapid.SampledFrom([]int64{0, 0, 1, 4, 15, 100}).Draw(rt, "pause")) * time.Second
			acts = append(acts, one)
		}
		var err error
		synctest.Test(t, func(t *testing.T) { err = mergePatient(t, o, sensors, acts) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func mergePatient(t *testing.T, o MergeOptions, like []*sensor, acts []act) (err error) {
	x := newMerged(o, again(t, like)...)
	over := false
	spoke := make([]time.Time, len(like))
	for i := range spoke {
		spoke[i] = time.Now()
	}
	x.word = func(index int) error {
		if silent := time.Since(spoke[index]); silent < o.Patience {
			return fmt.Errorf("it was silent for %v", silent)
		}
		return nil
	}
	go func() {
		x.all(t.Context())
		over = true
	}()
	complete := func(when any) {
		synctest.Wait()
		now := x.now()
		for i, s := range x.sensors {
			if err == nil && now.at[i] != s.w.Head() {
				err = fmt.Errorf("after %v reader %d has given up to %d of %d", when, i, now.at[i], s.w.Head())
			}
		}
	}
	for n, a := range acts {
		x.mu.Lock()
		spoke[a.sensor] = time.Now() // before it can be seen
		x.mu.Unlock()
		x.sensors[a.sensor].write(a.step)
		<-time.After(a.pause)
		if a.pause > o.Patience*time.Duration(len(like)+1) {
			complete(acts[:n+1])
		}
	}
	for _, s := range x.sensors {
		s.w.Close(nil)
	}
	complete("the end")
	if err == nil && (x.wrong != nil || len(x.told) > 0 || !over) {
		err = fmt.Errorf("%w; told %v; over: %v\n%v\n%v", x.wrong, x.told, over, x.pieces, acts)
	}
	return err
}
