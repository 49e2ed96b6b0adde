package reader

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/buffer"
)

func TestEndTravelsLikeTheData(t *testing.T) {
	r, err := buffer.New(buffer.Config{FrameBytes: 2, Frames: 100})
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Writer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Writer(); err == nil {
		t.Error("a second writer was handed out")
	}
	rd, err := Open(r)
	if err != nil {
		t.Fatal(err)
	}
	copy(w.Reserve(3), "aabbcc")
	w.Skip(5, audio.Device)
	w.Commit(3)
	w.Close(nil)
	ctx, p := context.Background(), make([]byte, 100)
	_, err = rd.Read(ctx, p)
	var lost *LostError
	if !errors.As(err, &lost) || lost.Lost != (audio.Span{From: 0, To: 5}) || lost.Cause != audio.Device {
		t.Fatal(err)
	}
	if n, err := rd.Read(ctx, p); n != 3 || err != nil || string(p[:6]) != "aabbcc" {
		t.Fatal(n, err)
	}
	for range 2 {
		if n, err := rd.Read(ctx, p); n != 0 || err != io.EOF {
			t.Fatal(n, err)
		}
	}
}
