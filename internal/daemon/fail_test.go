package daemon

import (
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
)

// TestStoringGoesOnOnceItIsDurable has a disk that takes everything, and makes
// nothing durable for a while: what is written anew meanwhile is no recovery.
func TestStoringGoesOnOnceItIsDurable(t *testing.T) {
	for _, all := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			logs := watched(b)
			from := b.clock.Monotonic() + int64(10*time.Second)
			b.sensor("mic", mono, 20*time.Second, nil)
			b.reader("disk", hook(all, func(what string) error {
				if now := b.clock.Monotonic(); now >= from && now < from+int64(10*time.Second) && what != "create" && what != "write" {
					return syscall.EIO
				}
				return nil
			}), 7*time.Second, byBytes)
			d := b.watch(30*time.Second, 100*time.Millisecond, func(d *Daemon, at time.Duration) {
				code, body := readyNow(d)
				if bad := at > 10500*time.Millisecond && at < 20*time.Second; bad && code == http.StatusOK || at > 22*time.Second && code != http.StatusOK {
					t.Errorf("all at once %v, after %v: %d\n%s", all, at, code, body)
				}
			})
			if s := d.Status(); s.Drains[0].Overrun != 0 || s.Drains[0].Durable != s.Sensors[0].Captured {
				t.Errorf("%+v", s)
			}
			stopped, back := logs.FilterMessageSnippet(": STORING of mic STOPPED: "), logs.FilterMessageSnippet(": storing of mic goes on. Nothing was lost.")
			if stopped.Len() != 1 || back.Len() != 1 || back.All()[0].Level != zapcore.InfoLevel {
				t.Errorf("all at once %v: %q, %v", all, said(logs, zapcore.ErrorLevel), back.All())
			}
		})
	}
}
