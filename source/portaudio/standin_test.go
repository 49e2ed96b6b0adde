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
	if part == "" {
		return false
	}
	if part == "parent" {
		parent(exit)
		return true
	}
	data := os.NewFile(3, "data")
	out := &outlet{pipe: data, clock: clock.System{}}
	if part != "deaf" && part != "stopped" {
		go obey(os.Stdin, make(chan order, 1), exit)
	}
	say := func(k kind, n notice) { _ = out.notice(k, n) }
	reach := func(stages ...string) {
		say(hello, notice{Version: protocol, PID: os.Getpid()})
		for _, s := range stages {
			say(state, notice{Stage: s})
		}
	}
	all := []string{initialized, opened, started}
	f := &feed{ring: newRing(1 << 20), frame: 2, rate: 8000}
	send := func() { f.sound(make([]byte, 800), out.clock.Monotonic(), 0, false) }
	switch part {
	case "mute":
	case "hello":
		reach()
	case "initialized":
		reach(all[:1]...)
	case "opened", "deaf":
		reach(all[:2]...)
		if part == "deaf" {
			signal.Ignore(syscall.SIGPIPE)
		}
	case "silent":
		reach(all...)
		_ = out.run(f.ring)
	case "stall":
		reach(all...)
		send()
		_ = out.run(f.ring)
	case "still": // neither sound nor beat
		reach(all...)
	case "fast":
		reach(all...)
		for range 100 {
			send()
		}
		_ = out.run(f.ring)
	case "flood":
		reach(all...)
		for {
			fmt.Fprintln(os.Stderr, "ALSA lib pcm.c: No such device")
		}
	case "garbage":
		reach(all...)
		_, _ = data.WriteString(fmt.Sprintf("%0100d", 0))
	case "early":
		reach(all[:2]...)
		send()
		_ = out.run(f.ring)
	case "skips":
		reach(all...)
		f.pos = 5
		send()
		_ = out.run(f.ring)
	case "version":
		say(hello, notice{Version: protocol + 1})
	case "exit":
		reach(all...)
		fmt.Fprintln(os.Stderr, "out of luck\x1b[31m")
		exit(7)
	case "abort":
		reach(all...)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "stopped":
		reach(all...)
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	<-context.Background().Done()
	return true
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
