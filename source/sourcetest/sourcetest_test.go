package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
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

// A source with a bug must fail a check, and one that is stuck is given up.
func caught(t *testing.T, all []check, open Open) bool {
	for _, c := range all {
		if run(t, open, c.check, time.Second) != nil {
			return true
		}
	}
	return false
}

func TestEveryBugIsCaught(t *testing.T) {
	all := bugsOfSound()
	maps.Copy(all, bugsOfWaiting())
	maps.Copy(all, bugsOfPackets())
	for name, read := range all {
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
	for name, read := range map[string]read{
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
