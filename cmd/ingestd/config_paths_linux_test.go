package main

import (
	"errors"
	"io/fs"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFolderOfAnotherUserMayNotBeWritten: root asks in the place of nobody, on
// a thread that ends with the question.
func TestFolderOfAnotherUserMayNotBeWritten(t *testing.T) {
	answer := make(chan error)
	go func() {
		runtime.LockOSThread()
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			answer <- err
			return
		}
		answer <- mayWrite("/usr")
	}()
	if err := <-answer; !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		t.Errorf("/usr: %v", err)
	}
}
