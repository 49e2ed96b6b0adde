package sourcetest

import (
	"context"
	"errors"
	"io"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

type (
	ctxt = context.Context
	pkt  = source.Packet
	read = func(s *plain, ctx ctxt, p []byte) (pkt, error)
)

// spoil makes a Read that begins with what a right one would return.
func spoil(f func(s *plain, ctx ctxt, p []byte, pk *pkt, err *error)) read {
	return func(s *plain, ctx ctxt, p []byte) (pkt, error) {
		pk, err := s.right(ctx, p)
		f(s, ctx, p, &pk, &err)
		return pk, err
	}
}

// What a driver may do wrong in Read. Each must be caught.

func bugsOfSound() map[string]read {
	return map[string]read{
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
		"ends early": spoil(func(s *plain, _ ctxt, p []byte, pk *pkt, err *error) {
			if s.pos == len(s.sound) && len(p) > 0 {
				*pk, *err = pkt{}, io.EOF
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
		"neither frame nor error": spoil(func(s *plain, _ ctxt, _ []byte, pk *pkt, err *error) {
			if s.reads == 3 && *err == nil {
				s.pos -= pk.Frames * 3
				*pk = pkt{}
			}
		}),
	}
}

func bugsOfWaiting() map[string]read {
	return map[string]read{
		"context ignored": func(s *plain, _ context.Context, p []byte) (source.Packet, error) {
			return s.right(context.Background(), p)
		},
		"own error for the context": spoil(func(_ *plain, ctx ctxt, _ []byte, _ *pkt, err *error) {
			if *err != nil && *err == ctx.Err() {
				*err = errors.New("stopped")
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
		"waits without an end": spoil(func(s *plain, _ ctxt, p []byte, _ *pkt, _ *error) {
			if s.reads == 6 {
				waits(s, context.Background(), p)
			}
		}),
	}
}

func bugsOfPackets() map[string]read {
	return map[string]read{
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
		"format changes": spoil(func(s *plain, _ ctxt, _ []byte, _ *pkt, _ *error) {
			if s.reads == 5 {
				s.format.Rate++
			}
		}),
	}
}
