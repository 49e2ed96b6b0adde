package portaudio

// window sees a device that delivers much faster than its rate: no sound card
// does, but a sound server without one.
type window struct {
	rate   int64
	over   int64 // ns that it judges over
	begun  int64 // child's time of its first record
	frames int64 // since then
}

// tooFast takes in a record. It returns the frames a second if they are more
// than one and a half of the rate, else 0. Times are the child's: a parent that
// stood still reads fast afterwards.
func (w *window) tooFast(r record) (perSecond int64) {
	if w.begun == 0 {
		w.begun = r.mono
		return 0
	}
	w.frames += int64(r.frames)
	took := r.mono - w.begun
	if w.frames > wholeFrames(max(took, w.over), w.rate)*3/2 {
		return int64(float64(w.frames) * 1e9 / float64(max(took, 1)))
	}
	if took >= w.over {
		w.begun, w.frames = r.mono, 0
	}
	return 0
}
