//go:build chaos

package reader

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// happenings are what ends the waiting for a frame.
func happenings() map[string]func(*buffer.Writer) {
	return map[string]func(*buffer.Writer){
		"the frame":        func(w *buffer.Writer) { insert(w, 1) },
		"a hole":           func(w *buffer.Writer) { w.Skip(10, audio.XRun) },
		"the end":          func(w *buffer.Writer) { w.Close(nil) },
		"a frame, the end": func(w *buffer.Writer) { insert(w, 1); w.Close(nil) },
		"a hole, the end":  func(w *buffer.Writer) { w.Skip(10, audio.XRun); w.Close(nil) },
	}
}

// What a reader waits for happens between any two steps of its going to sleep:
// it wakes, and without the help of a timer or of another reader.
func TestWriterBetweenTheStepsOfWaiting(t *testing.T) {
	for name, happens := range happenings() {
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
				late := time.AfterFunc(time.Minute, func() {
					if where == "" { // the run that injects nothing
						ring.Inject(nil)
						happens(w)
					}
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
			leader := mustOpen(t, ring)
			go func() { // takes the kick and tells who is leaving
				if err := leader.Await(t.Context(), 2); err != nil {
					t.Errorf("the leader: %v", err)
				}
			}()
			synctest.Wait()
			at, where := 0, ""
			ring.Inject(func(point string) {
				if at++; at-1 == step {
					where = point
					cancel()
				}
				if point == "leave" {
					ring.Inject(nil)
					insert(w, 1)
					synctest.Wait()
				}
			})
			late := time.AfterFunc(time.Minute, cancel) // for the run that injects nothing
			defer late.Stop()
			if err := rd.Await(ctx, 1); err != nil && err != context.Canceled {
				t.Errorf("step %d, %s: %v", step, where, err)
			}
			ring.Inject(nil)
			if n := ring.Stats().Waiting; n != 1 {
				t.Errorf("step %d, %s: %d wait, want the leader", step, where, n)
			}
			insert(w, 1)
			synctest.Wait()
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

// A reader goes to sleep between any two steps of the writer that do what it
// waits for: it wakes.
func TestReaderFallsAsleepBetweenTheStepsOfTheWriter(t *testing.T) {
	for name, happens := range happenings() {
		for step, more := 0, true; more; step++ {
			synctest.Test(t, func(t *testing.T) {
				ring, w := newRing(t, buffer.Config{Frames: 10, BlockFrames: 1})
				rd := mustOpen(t, ring)
				insert(w, 3)
				at, where, woken := 0, "", make(chan error, 1)
				ring.Inject(func(point string) {
					if at++; at-1 == step {
						where = point
						ring.Inject(nil)
						go func() {
							ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
							defer cancel()
							woken <- rd.Await(ctx, 4)
						}()
						synctest.Wait()
					}
				})
				happens(w)
				ring.Inject(nil)
				if more = where != ""; !more {
					return
				}
				if err := <-woken; err != nil {
					t.Errorf("%s, asleep before step %d, %s: %v", name, step, where, err)
				}
			})
		}
	}
}

// Whatever happens between any two steps of a read, the reader gets all of it
// in the end.
func TestReaderMissesNothingBetweenItsSteps(t *testing.T) {
	for name, happens := range happenings() {
		for step, more := 0, true; more; step++ {
			synctest.Test(t, func(t *testing.T) {
				ring, w := newRing(t, buffer.Config{Frames: 10, BlockFrames: 1})
				rd := mustOpen(t, ring, FromHead)
				at, where := 0, ""
				once := func() {
					ring.Inject(nil)
					happens(w)
				}
				ring.Inject(func(point string) {
					if at++; at-1 == step {
						where = point
						once()
					}
				})
				late := time.AfterFunc(time.Minute, func() {
					if where == "" {
						once()
					}
				})
				end := time.AfterFunc(time.Hour, func() { w.Close(nil) })
				defer end.Stop()
				positions := audio.Pos(0)
				for p := make([]byte, 100*frameBytes); ; {
					n, err := rd.Read(t.Context(), p)
					late.Stop()
					if err == io.EOF {
						break
					}
					if positions += audio.Pos(n) + audio.Pos(loss(err).Len()); err != nil && loss(err).Empty() {
						t.Fatal(err)
					}
				}
				if positions != ring.Head() {
					t.Errorf("%s before step %d, %s: %d positions of %d", name, step, where, positions, ring.Head())
				}
				more = where != ""
			})
		}
	}
}
