package reader

import (
	"errors"
	"fmt"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

// An Option changes how a reader is opened or forked.
type Option func(*options) error

type options struct {
	begin    func(*buffer.Ring) audio.Pos
	keys     KeyTrans
	policy   policy
	items    func(keys KeyTrans) (starts, ends KeyTrans)
	interval Interval
}

// policy says where the cursor is to stand after an overrun; nil does not
// move it.
type policy func(*buffer.Ring) audio.Pos

// FromOldest begins at the oldest frame.
func FromOldest(o *options) error {
	o.begin = oldest
	return nil
}

// FromHead begins with the next frame that is captured.
func FromHead(o *options) error {
	o.begin = (*buffer.Ring).Head
	return nil
}

// From begins at p, which may be lost or yet to come.
func From(p audio.Pos) Option {
	return func(o *options) error {
		if p < 0 {
			return fmt.Errorf("open reader at %d: a position is not negative", p)
		}
		o.begin = func(*buffer.Ring) audio.Pos { return p }
		return nil
	}
}

// Keys sets the reader's keys.
func Keys(k KeyTrans) Option {
	return func(o *options) error {
		if k == nil {
			return errors.New("open reader: no keys")
		}
		o.keys = k
		return nil
	}
}

// Oldest resumes at the oldest frame after an overrun: the least is lost, but
// a reader that cannot follow is overrun again at once.
func Oldest(o *options) error {
	o.policy = oldest
	return nil
}

// Latest resumes at the head after an overrun.
func Latest(o *options) error {
	o.policy = (*buffer.Ring).Head
	return nil
}

// Margin resumes at the oldest frame and a part of the window, 0 to 1, after
// an overrun: fewer and longer holes than Oldest. What is given up is reported
// as lost.
func Margin(part float64) Option {
	return func(o *options) error {
		if !(part >= 0 && part <= 1) {
			return fmt.Errorf("open reader: margin %v is out of range 0 to 1", part)
		}
		return MarginBy(func() float64 { return part })(o)
	}
}

// MarginBy is a Margin whose part is asked for after each overrun, by the
// goroutine of the reader. What is out of range is cut to it.
func MarginBy(part func() float64) Option {
	return func(o *options) error {
		o.policy = func(r *buffer.Ring) audio.Pos {
			b := r.Bounds()
			from := r.Stored(b.From)
			give := min(1, max(0, part()))
			// Counted in stored frames: there may be holes of any length.
			return min(b.To, r.PosOf(from+int64(give*float64(r.Stored(b.To)-from))))
		}
		return nil
	}
}

// Fail makes the error of an overrun stay until Seek.
func Fail(o *options) error {
	o.policy = nil
	return nil
}

func oldest(r *buffer.Ring) audio.Pos { return r.Bounds().From }
