//go:build chaos

package reader

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// What a reader waits for happens between any two steps of its going to sleep:
// it wakes, and without the help of a timer or of another reader.
func TestWriterBetweenTheStepsOfWaiting(t *testing.T) {
	for name, happens := range map[string]func(*buffer.Writer){
		"the frame":        func(w *buffer.Writer) { insert(w, 1) },
		"a hole":           func(w *buffer.Writer) { w.Skip(10, audio.XRun) },
		"the end":          func(w *buffer.Writer) { w.Close(nil) },
		"a frame, the end": func(w *buffer.Writer) { insert(w, 1); w.Close(nil) },
	} {
		steps := 0
		for step, more := 0, true; more; step++ {
			synctest.Test(t, func(t *testing.T) {
				ring, w := newRing(t, buffer.Config{Frames: 10, BlockFrames: 1})
				rd := mustOpen(t, ring)
				insert(w, 3)
				at, where := 0, ""
				ring.Inject(func(point string) {
					if at++; at-1 == step {
						where = point
						ring.Inject(nil)
						happens(w)
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				late := time.AfterFunc(time.Minute, func() { // for the run that injects nothing
					ring.Inject(nil)
					happens(w)
				})
				err := rd.Await(ctx, 4)
				late.Stop()
				if err != nil || ring.Stats().Waiting != 0 {
					t.Errorf("%s before step %d, %s: %v, %d wait", name, step, where, err, ring.Stats().Waiting)
				}
				if more = where != ""; more {
					steps++
				}
			})
		}
		if steps < 4 {
			t.Errorf("%s: only %d steps", name, steps)
		}
	}
}

// A context that ends between any two steps ends the waiting too, and nothing
// is left behind for the next time.
func TestContextEndsBetweenTheStepsOfWaiting(t *testing.T) {
	for step, more := 0, true; more; step++ {
		synctest.Test(t, func(t *testing.T) {
			ring, w := newRing(t, buffer.Config{Frames: 10, BlockFrames: 1})
			rd := mustOpen(t, ring)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			at, where := 0, ""
			ring.Inject(func(point string) {
				if at++; at-1 == step {
					where = point
					cancel()
				}
				if point == "leave" { // told while it leaves
					ring.Inject(nil)
					insert(w, 1)
				}
			})
			late := time.AfterFunc(time.Minute, cancel) // for the run that injects nothing
			defer late.Stop()
			if err := rd.Await(ctx, 1); err != nil && err != context.Canceled {
				t.Errorf("step %d, %s: %v", step, where, err)
			}
			ring.Inject(nil)
			if n := ring.Stats().Waiting; n != 0 {
				t.Errorf("step %d, %s: %d wait", step, where, n)
			}
			head := ring.Head()
			woken := make(chan error, 1)
			go func() { woken <- rd.Await(t.Context(), head+1) }()
			synctest.Wait()
			select {
			case err := <-woken:
				t.Errorf("step %d, %s: the next time it did not wait: %v", step, where, err)
			default:
				insert(w, 1)
				if err := <-woken; err != nil {
					t.Error(err)
				}
			}
			more = where != ""
		})
	}
}
