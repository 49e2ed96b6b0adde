package readertest

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// spoiled answers like another one, but for what is set.
type spoiled struct {
	reader.KeyTrans
	key   func(p audio.Pos) (int64, error)
	lower func(key int64) (audio.Pos, error)
}

func (s *spoiled) Key(p audio.Pos) (int64, error) {
	if s.key != nil {
		return s.key(p)
	}
	return s.KeyTrans.Key(p)
}

func (s *spoiled) Lower(key int64) (audio.Pos, error) {
	if s.lower != nil {
		return s.lower(key)
	}
	return s.KeyTrans.Lower(key)
}

var (
	millis   = reader.Millis(0, 44100)
	errSpoil = errors.New("spoiled")
)

// plus adds to what was answered.
func plus[T ~int64](n T, err error, more T) (T, error) {
	if err != nil {
		return 0, err
	}
	return n + more, nil
}

// spoilKey makes a Key of milliseconds that begins with the right answer.
func spoilKey(f func(p audio.Pos, key int64, err error) (int64, error)) func() reader.KeyTrans {
	return func() reader.KeyTrans {
		return &spoiled{KeyTrans: millis, key: func(p audio.Pos) (int64, error) {
			key, err := millis.Key(p)
			return f(p, key, err)
		}}
	}
}

// spoilLower does the same for Lower.
func spoilLower(f func(key int64, p audio.Pos, err error) (audio.Pos, error)) func() reader.KeyTrans {
	return func() reader.KeyTrans {
		return &spoiled{KeyTrans: millis, lower: func(key int64) (audio.Pos, error) {
			p, err := millis.Lower(key)
			return f(key, p, err)
		}}
	}
}

// All of these are in milliseconds of 44,100 frames a second.

func bugsOfRounding() map[string]func() reader.KeyTrans {
	return map[string]func() reader.KeyTrans{
		"keys rounded up": spoilKey(func(p audio.Pos, key int64, err error) (int64, error) {
			if p*1000%44100 != 0 {
				return plus(key, err, 1)
			}
			return key, err
		}),
		"Lower rounded down": spoilLower(func(key int64, p audio.Pos, err error) (audio.Pos, error) {
			if key > 0 && key*44100%1000 != 0 {
				return plus(p, err, -1)
			}
			return p, err
		}),
		"Lower one too late":  spoilLower(func(_ int64, p audio.Pos, err error) (audio.Pos, error) { return plus(p, err, 1) }),
		"Lower one too early": spoilLower(func(_ int64, p audio.Pos, err error) (audio.Pos, error) { return plus(p, err, -min(p, 1)) }),
		"< for <= in Lower": spoilLower(func(key int64, _ audio.Pos, _ error) (audio.Pos, error) {
			return millis.Lower(min(key, math.MaxInt64-1) + 1)
		}),
	}
}

func bugsOfOnePlace() map[string]func() reader.KeyTrans {
	return map[string]func() reader.KeyTrans{
		"not monotone at one place": spoilKey(func(p audio.Pos, key int64, err error) (int64, error) {
			if p == 1234 {
				return plus(key, err, -1)
			}
			return key, err
		}),
		"one key too great": spoilKey(func(p audio.Pos, key int64, err error) (int64, error) {
			if p == 2500 {
				return plus(key, err, 1)
			}
			return key, err
		}),
		"one position too late": spoilLower(func(key int64, p audio.Pos, err error) (audio.Pos, error) {
			if key == 77 {
				return plus(p, err, 1)
			}
			return p, err
		}),
		"a position without a key": spoilKey(func(p audio.Pos, key int64, err error) (int64, error) {
			if p == 3000 {
				return 0, errSpoil
			}
			return key, err
		}),
		"a key without a position": spoilLower(func(key int64, p audio.Pos, err error) (audio.Pos, error) {
			if key == 33 {
				return 0, errSpoil
			}
			return p, err
		}),
	}
}

func bugsOfRange() map[string]func() reader.KeyTrans {
	return map[string]func() reader.KeyTrans{
		"a product of 64 bits": spoilKey(func(p audio.Pos, _ int64, _ error) (int64, error) {
			if p < 0 {
				return 0, errSpoil
			}
			return int64(p) * 1000 / 44100, nil
		}),
		"a sum of 64 bits": func() reader.KeyTrans {
			return &spoiled{KeyTrans: reader.Frames(1000), lower: func(key int64) (audio.Pos, error) { return audio.Pos(max(0, key+1000)), nil }}
		},
		"a panic far away": spoilLower(func(key int64, p audio.Pos, err error) (audio.Pos, error) {
			if err != nil {
				panic("out of range")
			}
			return p, err
		}),
		"a key of a negative position": spoilKey(func(p audio.Pos, key int64, err error) (int64, error) {
			if p < 0 && p > -1<<40 {
				return int64(p) * 1000 / 44100, nil
			}
			return key, err
		}),
		"a negative position": spoilLower(func(key int64, p audio.Pos, err error) (audio.Pos, error) {
			if key < 0 && key > -1<<40 {
				return audio.Pos(key * 44100 / 1000), nil
			}
			return p, err
		}),
		"not yet, and no way to wait": spoilKey(func(p audio.Pos, key int64, err error) (int64, error) {
			if p > 5000 {
				return 0, fmt.Errorf("key of position %d: %w", p, reader.ErrNotYet)
			}
			return key, err
		}),
	}
}

// bugsOfMemory change from question to question.
func bugsOfMemory() map[string]func() reader.KeyTrans {
	return map[string]func() reader.KeyTrans{
		"another answer later": func() reader.KeyTrans {
			var asked atomic.Int64
			return &spoiled{KeyTrans: millis, key: func(p audio.Pos) (int64, error) {
				key, err := millis.Key(p)
				return plus(key, err, asked.Add(1)/40)
			}}
		},
		"an answer after a refusal": func() reader.KeyTrans {
			var asked atomic.Int64
			return &spoiled{KeyTrans: millis, lower: func(key int64) (audio.Pos, error) {
				if key > 200 && asked.Add(1) < 20 {
					return 0, errSpoil
				}
				return millis.Lower(key)
			}}
		},
		"one question at a time": func() reader.KeyTrans {
			var question atomic.Int64
			return &spoiled{KeyTrans: millis, key: func(p audio.Pos) (int64, error) {
				question.Store(int64(p))
				runtime.Gosched()
				return millis.Key(audio.Pos(question.Load()))
			}}
		},
	}
}
