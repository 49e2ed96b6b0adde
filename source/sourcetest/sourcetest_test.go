package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

var format = audio.Format{Rate: 48000, Channels: 1, Encoding: audio.S24}

// plain is a source that does as the contract says, with room for a bug.
type plain struct {
	sound  []byte
	pos    int
	reads  int // Reads with room
	closed int
	kept   []byte
	format audio.Format
	read   func(s *plain, ctx context.Context, p []byte) (source.Packet, error)
	close  func(s *plain) error
}

func (s *plain) Format() audio.Format { return s.format }

func (s *plain) Read(ctx context.Context, p []byte) (source.Packet, error) {
	if len(p) > 0 {
		s.reads++
	}
	if s.read != nil {
		return s.read(s, ctx, p)
	}
	return s.right(ctx, p)
}

// right is a Read without a bug: up to 100 frames at a time.
func (s *plain) right(ctx context.Context, p []byte) (source.Packet, error) {
	switch {
	case len(p) == 0:
		return source.Packet{}, nil
	case s.pos == len(s.sound):
		return source.Packet{}, io.EOF
	case ctx.Err() != nil:
		return source.Packet{}, ctx.Err()
	}
	first := s.pos == 0
	n := copy(p[:min(len(p), 300)], s.sound[s.pos:])
	s.pos += n
	return source.Packet{Frames: n / 3, At: int64(s.pos), First: first}, nil
}

func (s *plain) Close() error {
	if s.closed++; s.close != nil {
		return s.close(s)
	}
	return nil
}

func sound() []byte {
	b := make([]byte, 3*4000)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

func TestPlainSourcePasses(t *testing.T) {
	Test(t, func(*testing.T) (source.Source, Want) {
		return &plain{sound: sound(), format: format}, Want{Bytes: sound(), Ends: true}
	})
	TestWaiting(t, func(*testing.T) (source.Source, Want) {
		return &plain{format: format, read: waits}, Want{}
	})
}

func waits(_ *plain, ctx context.Context, _ []byte) (source.Packet, error) {
	<-ctx.Done()
	return source.Packet{}, ctx.Err()
}

// A bug in Read that begins with what a right one would return.
func spoil(f func(s *plain, ctx context.Context, p []byte, pk *source.Packet, err *error)) func(*plain, context.Context, []byte) (source.Packet, error) {
	return func(s *plain, ctx context.Context, p []byte) (source.Packet, error) {
		pk, err := s.right(ctx, p)
		f(s, ctx, p, &pk, &err)
		return pk, err
	}
}

type (
	ctxt = context.Context
	pkt  = source.Packet
)

// bugs are what a driver may do wrong in Read. Each must be caught.
func bugs() map[string]func(*plain, context.Context, []byte) (source.Packet, error) {
	stop := errors.New("stopped")
	return map[string]func(*plain, context.Context, []byte) (source.Packet, error){
		"a frame too many": spoil(func(_ *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if *err == nil && pk.Frames > 0 {
				pk.Frames++
			}
		}),
		"a frame dropped": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if s.reads == 5 && pk.Frames > 1 {
				pk.Frames--
			}
		}),
		"a frame twice": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if s.reads == 5 && pk.Frames > 0 {
				s.pos -= 3
			}
		}),
		"a byte changed": spoil(func(s *plain, _ ctxt, p []byte, pk *pkt, err *error) {
			if s.pos == len(s.sound) && pk.Frames > 0 {
				p[pk.Frames*3-1] ^= 1
			}
		}),
		"frames with the end": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if s.pos == len(s.sound) && *err == nil && pk.Frames > 0 {
				*err = io.EOF
			}
		}),
		"the end once": spoil(func(s *plain, _ ctxt, p []byte, pk *pkt, err *error) {
			if *err == io.EOF {
				s.pos = 0
			}
		}),
		"an end of its own": spoil(func(s *plain, _ ctxt, p []byte, pk *pkt, err *error) {
			if *err == io.EOF {
				*err = errors.Join(io.EOF)
			}
		}),
		"ends early": spoil(func(s *plain, _ ctxt, p []byte, pk *pkt, err *error) {
			if s.pos == len(s.sound) && len(p) > 0 {
				*pk, *err = pkt{}, io.EOF
			}
		}),
		"neither frame nor error": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if s.reads == 3 && *err == nil {
				s.pos -= pk.Frames * 3
				*pk = pkt{}
			}
		}),
		"context ignored": func(s *plain, _ context.Context, p []byte) (source.Packet, error) {
			return s.right(context.Background(), p)
		},
		"own error for the context": spoil(func(_ *plain, ctx ctxt, _ []byte, _ *pkt, err *error) {
			if *err != nil && *err == ctx.Err() {
				*err = stop
			}
		}),
		"context's error of itself": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if s.reads == 4 && *err == nil {
				s.pos -= pk.Frames * 3
				*pk, *err = pkt{}, context.DeadlineExceeded
			}
		}),
		"frames lost by a context": spoil(func(s *plain, ctx ctxt, _ []byte, _ *pkt, err *error) {
			if *err != nil && *err == ctx.Err() && s.pos < len(s.sound) {
				s.pos += 3
			}
		}),
		"First every time": spoil(func(_ *plain, _ ctxt, _ []byte, pk *pkt, _ *error) {
			pk.First = pk.Frames > 0
		}),
		"First never": spoil(func(_ *plain, _ ctxt, _ []byte, pk *pkt, _ *error) { pk.First = false }),
		"At goes back": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, _ *error) {
			if s.reads == 3 {
				pk.At = 0
			}
		}),
		"lost without a cause": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, _ *error) {
			if pk.Frames > 0 {
				pk.Lost = 1
			}
		}),
		"a cause without a loss": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, _ *error) {
			if pk.Frames > 0 {
				pk.Cause = audio.XRun
			}
		}),
		"a loss out of nothing": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, _ *error) {
			if pk.Frames > 0 {
				pk.Lost, pk.Cause = 1, audio.XRun
			}
		}),
		"empty takes a frame": spoil(func(s *plain, _ ctxt, p []byte, _ *pkt, _ *error) {
			if len(p) == 0 && s.pos < len(s.sound) {
				s.pos += 3
			}
		}),
		"empty is an error": spoil(func(_ *plain, _ ctxt, p []byte, _ *pkt, err *error) {
			if len(p) == 0 {
				*err = io.ErrShortBuffer
			}
		}),
		"empty waits": spoil(func(s *plain, ctx ctxt, p []byte, _ *pkt, err *error) {
			if len(p) == 0 {
				_, *err = waits(s, ctx, p)
			}
		}),
		"empty is the end at the end": spoil(func(s *plain, _ ctxt, p []byte, _ *pkt, err *error) {
			if len(p) == 0 && s.pos == len(s.sound) {
				*err = io.EOF
			}
		}),
		"writes behind its buffer": spoil(func(_ *plain, _ ctxt, p []byte, pk *pkt, _ *error) {
			if pk.Frames > 0 && cap(p) > len(p) {
				p[:len(p)+1][len(p)] = 0
			}
		}),
		"keeps its buffer": spoil(func(s *plain, _ ctxt, p []byte, pk *pkt, _ *error) {
			if len(s.kept) > 0 {
				s.kept[0]++
			}
			s.kept = p
		}),
		"format changes": spoil(func(s *plain, _ ctxt, _ []byte, _ *pkt, _ *error) {
			if s.reads == 5 {
				s.format.Rate++
			}
		}),
		"waits without an end": spoil(func(s *plain, _ ctxt, p []byte, _ *pkt, _ *error) {
			if s.reads == 6 {
				waits(s, context.Background(), p)
			}
		}),
	}
}

// A source with a bug must fail a check, and one that is stuck is given up.
func caught(t *testing.T, all []check, open Open) bool {
	for _, c := range all {
		if run(t, open, c.check, 2*time.Second) != nil {
			return true
		}
	}
	return false
}

func TestEveryBugIsCaught(t *testing.T) {
	for name, read := range bugs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !caught(t, checks(), func(*testing.T) (source.Source, Want) {
				return &plain{sound: sound(), format: format, read: read}, Want{Bytes: sound(), Ends: true}
			}) {
				t.Error("the suite passed it")
			}
		})
	}
}

func TestBadCloseIsCaught(t *testing.T) {
	if !caught(t, checks(), func(*testing.T) (source.Source, Want) {
		return &plain{sound: sound(), format: format, close: func(s *plain) error {
			if s.closed > 1 {
				return errors.New("closed already")
			}
			return nil
		}}, Want{Bytes: sound(), Ends: true}
	}) {
		t.Error("the suite passed it")
	}
}

func TestReadThatDoesNotHearItsContextIsCaught(t *testing.T) {
	for name, read := range map[string]func(*plain, context.Context, []byte) (source.Packet, error){
		"deaf": func(s *plain, ctx context.Context, p []byte) (source.Packet, error) {
			return waits(s, context.Background(), p)
		},
		"own error": func(s *plain, ctx context.Context, p []byte) (source.Packet, error) {
			<-ctx.Done()
			return source.Packet{}, io.EOF
		},
		"hears a deadline only": func(s *plain, ctx context.Context, p []byte) (source.Packet, error) {
			if _, ok := ctx.Deadline(); !ok {
				ctx = context.Background()
			}
			return waits(s, ctx, p)
		},
	} {
		if !caught(t, waitingChecks(), func(*testing.T) (source.Source, Want) {
			return &plain{format: format, read: read}, Want{}
		}) {
			t.Errorf("%s: the suite passed it", name)
		}
	}
}

func TestSoundOfAnEndlessSourceIsCompared(t *testing.T) {
	for _, at := range []int{0, 5999, 11999} {
		if !caught(t, checks(), func(*testing.T) (source.Source, Want) {
			other := bytes.Clone(sound())
			other[at] ^= 1
			return &plain{sound: other, format: format}, Want{Bytes: sound()}
		}) {
			t.Errorf("byte %d differs and the suite passed it", at)
		}
	}
}
