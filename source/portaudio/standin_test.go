//go:build linux

package portaudio

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/clock"
)

// standInVariable makes the test binary a child that misbehaves as said, or a
// parent that captures.
const standInVariable = "INGESTD_TEST_STAND_IN"

// standInFormat is what the stand-ins deliver.
func standInFormat() audio.Format { return format(8000, 1, audio.S16) }

// standIn plays the part that the environment names. It says whether there was
// one.
func standIn(exit func(int)) bool {
	part := os.Getenv(standInVariable)
	switch part {
	case "":
		return false
	case "parent":
		parent(exit)
		return true
	case "confess":
		return Child(os.Args, confess)
	}
	if part != "deaf" && part != "stopped" {
		go obey(os.Stdin, make(chan order, 1), exit)
	}
	a := &actor{out: &outlet{pipe: os.NewFile(3, "data"), clock: clock.System{}}, exit: exit}
	a.feed = &feed{ring: newRing(1 << 20), frame: 2, rate: 8000}
	if !a.start(part) {
		a.capture(part)
	}
	// A timer: without cgo the runtime ends a process that waits for nothing.
	_ = a.out.clock.Sleep(context.Background(), a.out.clock.Monotonic()+int64(time.Minute))
	return true
}

// actor is a child that misbehaves.
type actor struct {
	out  *outlet
	feed *feed
	exit func(int)
}

func (a *actor) say(k kind, n notice) { _ = a.out.notice(k, n) }

// reach says that the start has come so far.
func (a *actor) reach(stages ...string) {
	a.say(hello, notice{Version: protocol, Build: thisBuild(), PID: os.Getpid()})
	for _, s := range stages {
		a.say(state, notice{Stage: s})
	}
}

// sound sends some, and then nothing but beats.
func (a *actor) sound(callbacks int) {
	for range callbacks {
		a.feed.sound(make([]byte, 800), a.out.clock.Monotonic(), 0, false)
	}
	a.out.run(a.feed.ring)
}

// start plays those that do not get far. It says whether the part is one.
func (a *actor) start(part string) bool {
	switch part {
	case "mute":
	case "hello":
		a.reach()
	case "initialized":
		a.reach(initialized)
	case "opened":
		a.reach(initialized, opened)
	case "deaf":
		signal.Ignore(syscall.SIGPIPE)
		a.reach(initialized, opened)
	case "early":
		a.reach(initialized, opened)
		a.sound(1)
	case "nameless":
		a.say(state, notice{Stage: initialized})
	case "version":
		a.say(hello, notice{Version: protocol + 1, Build: thisBuild()})
	case "build":
		a.say(hello, notice{Version: protocol, Build: "v0.9 go1.99 123456789abc"})
	default:
		return false
	}
	return true
}

// capture plays those that are started.
func (a *actor) capture(part string) {
	a.reach(initialized, opened, started)
	switch part {
	case "silent":
		a.sound(0)
	case "stall":
		a.sound(1)
	case "still": // neither sound nor beat
	case "fast":
		a.sound(100)
	case "flood":
		for {
			fmt.Fprintln(os.Stderr, "ALSA lib pcm.c: No such device")
		}
	case "garbage":
		_, _ = fmt.Fprintf(a.out.pipe, "%0100d", 0)
	case "skips":
		a.feed.pos = 5
		a.sound(1)
	case "unplug": // a second is missing before the last two callbacks
		now := a.out.clock.Monotonic()
		for i := range int64(12) {
			a.feed.sound(make([]byte, 800), now+i*50*ms+i/10*1000*ms, 0, false)
		}
		_, _ = a.out.pipe.Write(a.feed.ring.peek(1 << 20))
		a.exit(7)
	case "exit":
		fmt.Fprintln(os.Stderr, "out of luck\x1b[31m")
		a.exit(7)
	case "abort":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "stopped":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// parent captures until it is killed, and prints the id of its child.
func parent(exit func(int)) {
	s, err := Open(context.Background(), Config{Device: "name:mic0", Format: format(48000, 1, audio.S32)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		exit(1)
	}
	fmt.Println(s.Info().PID)
	buf := make([]byte, 1<<16)
	for {
		if _, err := s.Read(context.Background(), buf); err != nil {
			exit(1)
		}
	}
}

// The limits of the tests: the usual ones, a tenth as long.
func quick() limits {
	l := usual()
	for _, d := range []*time.Duration{&l.initialize, &l.open, &l.start, &l.first, &l.polite} {
		*d /= 10
	}
	l.stall, l.hang = 600*time.Millisecond, 800*time.Millisecond
	return l
}
