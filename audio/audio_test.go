package audio

import (
	"math"
	"testing"
	"time"
)

func TestTextNamesRoundTrip(t *testing.T) {
	for _, name := range Encodings() {
		var e Encoding
		if err := e.UnmarshalText([]byte(name)); err != nil || e.String() != name {
			t.Errorf("encoding %q read as %v, %v", name, e, err)
		}
	}
	for _, c := range Causes() {
		text, err := c.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Cause
		if err := back.UnmarshalText(text); err != nil || back != c {
			t.Errorf("cause %q read as %v, %v", text, back, err)
		}
	}
	if _, err := Cause(0).MarshalText(); err == nil {
		t.Error("the zero cause was written")
	}
	if _, err := ParseEncoding("u8"); err == nil {
		t.Error("u8 was taken for an encoding")
	}
}

func TestDurationAndFramesAreExact(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000, 384000} {
		f := Format{Rate: rate, Channels: 1, Encoding: S16}
		for _, n := range []int64{0, 1, int64(rate) - 1, int64(rate), 86400 * int64(rate), 1 << 40} {
			d := f.Duration(n)
			// Rounding down loses less than a nanosecond, so one more brings the frame back.
			if got := f.Frames(d + 1); got != n {
				t.Errorf("%v: %d frames last %v, which holds %d", f, n, d, got)
			}
		}
		for ms := range int64(1000) {
			want := ms * int64(rate) / 1000
			if got := f.Frames(time.Duration(ms) * time.Millisecond); got != want {
				t.Fatalf("%v: %d ms holds %d frames, want %d", f, ms, got, want)
			}
		}
	}
}

func TestFrameBytes(t *testing.T) {
	for _, c := range []struct {
		f    Format
		want int
	}{{Format{48000, 1, S16}, 2}, {Format{48000, 3, S24}, 9}, {Format{1, 64, F32}, 256}, {Format{48000, 1, 0}, 0}} {
		if got := c.f.FrameBytes(); got != c.want {
			t.Errorf("%v: %d bytes a frame, want %d", c.f, got, c.want)
		}
	}
}

func TestFormatOutOfRangeIsRefused(t *testing.T) {
	good := Format{48000, 2, S24}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, f := range []Format{{0, 1, S16}, {MaxRate + 1, 1, S16}, {1, 0, S16}, {1, MaxChannels + 1, S16}, {1, 1, 0}, {1, 1, 9}} {
		if f.Check() == nil {
			t.Errorf("%v was accepted", f)
		}
	}
}

func TestIntersect(t *testing.T) {
	a := Span{10, 20}
	for _, c := range []struct{ b, want Span }{
		{Span{0, 10}, Span{10, 10}}, {Span{0, 11}, Span{10, 11}}, {Span{12, 13}, Span{12, 13}},
		{Span{19, 40}, Span{19, 20}}, {Span{20, 40}, Span{20, 20}}, {Span{30, 40}, Span{30, 30}},
	} {
		if got := a.Intersect(c.b); got != c.want {
			t.Errorf("%v and %v share %v, want %v", a, c.b, got, c.want)
		}
	}
}

func TestSensorNames(t *testing.T) {
	long := string(make([]byte, MaxSensor+1))
	for _, bad := range []string{"", "A", "-a", "_a", "a/b", "..", "a.b", "a b", "é", "a\n", "a\x00", long} {
		if CheckSensor(bad) == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	for _, good := range []string{"a", "0", "mic0", "pump-house_2"} {
		if err := CheckSensor(good); err != nil {
			t.Error(err)
		}
	}
}

func TestKeysOrderAndCheck(t *testing.T) {
	k := Key{1, "a", 5}
	for _, c := range []struct {
		l    Key
		want int
	}{{Key{1, "a", 5}, 0}, {Key{2, "a", 0}, -1}, {Key{1, "b", 0}, -1}, {Key{1, "a", 4}, 1}} {
		if got := k.Compare(c.l); got != c.want {
			t.Errorf("%v against %v: %d, want %d", k, c.l, got, c.want)
		}
	}
	for _, bad := range []Key{{-1, "a", 0}, {1, "a", -1}, {1, "A", 0}, {1, "a", math.MinInt64}} {
		if bad.Check() == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if s := SessionAt(time.UnixMilli(1795287841150)); s != 1795287841150 || s.Time().Location() != time.UTC {
		t.Errorf("session %d at %v", s, s.Time())
	}
}
