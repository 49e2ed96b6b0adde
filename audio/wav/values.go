package wav

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ingestd/ingestd/audio"
)

func putTime(layout string) func([]byte, audio.Format, *Tags) []byte {
	return func(dst []byte, _ audio.Format, t *Tags) []byte {
		if t.Start.IsZero() {
			return dst
		}
		return t.Start.UTC().AppendFormat(dst, layout)
	}
}

// getTime takes a time with an offset only: without one it is the local time
// of an unknown place. The later field, with more digits, wins.
func getTime(t *Tags, value string) {
	at, err := time.Parse(time.RFC3339Nano, strings.Replace(value, " ", "T", 1))
	if at = at.UTC(); err == nil && at.Year() >= 1 && at.Year() <= 9999 && !at.IsZero() {
		t.Start = at
	}
}

func putMake(dst []byte, _ audio.Format, t *Tags) []byte {
	begin := len(dst)
	if dst = appendLine(dst, t.Make); len(dst) == begin {
		dst = append(dst, "ingestd"...)
	}
	return dst
}

// putLocation writes degrees as GUANO does: latitude, space, longitude.
func putLocation(dst []byte, _ audio.Format, t *Tags) []byte {
	if t.Location == nil {
		return dst
	}
	dst = strconv.AppendFloat(dst, t.Location[0], 'f', -1, 64)
	return strconv.AppendFloat(append(dst, ' '), t.Location[1], 'f', -1, 64)
}

func getLocation(t *Tags, value string) {
	a, b, ok := strings.Cut(value, " ")
	lat, err := strconv.ParseFloat(a, 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if ok && err == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 {
		t.Location = &[2]float64{lat, lon}
	}
}

// putTimeError writes seconds with nine digits.
func putTimeError(dst []byte, _ audio.Format, t *Tags) []byte {
	if t.TimeError <= 0 {
		return dst
	}
	dst = strconv.AppendInt(dst, int64(t.TimeError/time.Second), 10)
	at := len(dst)
	dst = strconv.AppendInt(dst, int64(time.Second+t.TimeError%time.Second), 10)
	dst[at] = '.' // instead of the 1 that keeps the zeros
	return dst
}

func getTimeError(t *Tags, value string) {
	whole, part, _ := strings.Cut(value, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	ns, err2 := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	if err == nil && err2 == nil && s >= 0 && s < math.MaxInt64/int64(time.Second) && ns >= 0 {
		t.TimeError = time.Duration(s)*time.Second + time.Duration(ns)
	}
}

// putCauses writes what the lost frames were lost by: "xrun 480, overrun 12".
func putCauses(dst []byte, _ audio.Format, t *Tags) []byte {
	for i, l := range t.Causes {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, l.Cause.String()...), ' ')
		dst = strconv.AppendInt(dst, l.Frames, 10)
	}
	return dst
}

func getCauses(t *Tags, value string) {
	var losses []Loss
	for one := range strings.SplitSeq(value, ",") {
		name, count, _ := strings.Cut(strings.TrimSpace(one), " ")
		cause, err := audio.ParseCause(name)
		frames, err2 := strconv.ParseInt(count, 10, 64)
		if err != nil || err2 != nil {
			return
		}
		losses = append(losses, Loss{frames, cause})
	}
	t.Causes = losses
}
