package reader

import (
	"slices"

	"github.com/ingestd/ingestd/audio"
)

// model is the stream as plain slices, and what a ring of that size may say
// about it.
type model struct {
	sound  []audio.Pos // of each frame stored
	holes  []audio.Hole
	sealed bool // a frame was stored since the last hole
	head   audio.Pos
	window int // blocks that can be read
	block  int // frames in one
	log    int // holes that are remembered
}

func (m *model) commit(frames int) {
	for range frames {
		m.sound = append(m.sound, m.head)
		m.head++
	}
	m.sealed = m.sealed || frames > 0
}

func (m *model) skip(n int64, c audio.Cause) {
	if n == 0 {
		return
	}
	if last := len(m.holes) - 1; last >= 0 && !m.sealed && m.holes[last].Cause == c {
		m.holes[last].To += audio.Pos(n)
	} else {
		m.holes = append(m.holes, audio.Hole{Span: span(m.head, m.head+audio.Pos(n)), Cause: c})
	}
	m.head += audio.Pos(n)
	m.sealed = false
}

func (m *model) known() []audio.Hole { return m.holes[max(0, len(m.holes)-m.log):] }

// readable is the frames that can be read: those of the newest blocks, and of
// which the position is known.
func (m *model) readable() []audio.Pos {
	if len(m.sound) == 0 {
		return nil
	}
	last := (len(m.sound) - 1) / m.block
	from := max(0, last-m.window+1) * m.block
	if len(m.holes) > m.log {
		first, _ := slices.BinarySearch(m.sound, m.known()[0].From)
		from = max(from, first)
	}
	return m.sound[from:]
}

func (m *model) bounds() audio.Span {
	if r := m.readable(); len(r) > 0 {
		return span(r[0], m.head)
	}
	return span(m.head, m.head)
}

// lost is what is lost from p on, up to at least resume, the empty hole if
// nothing is.
func (m *model) lost(p, resume audio.Pos) audio.Hole {
	if p >= m.head {
		return audio.Hole{}
	}
	for _, h := range m.known() {
		if h.Contains(p) {
			return audio.Hole{Span: span(p, h.To), Cause: h.Cause}
		}
	}
	to := max(m.bounds().From, resume)
	if p >= to {
		return audio.Hole{}
	}
	for _, h := range m.known() {
		if h.From > p {
			to = min(to, h.From)
			break
		}
	}
	return audio.Hole{Span: span(p, to), Cause: audio.Overrun}
}

// stretch is the end of the sound that p lies in.
func (m *model) stretch(p audio.Pos) audio.Pos {
	for _, h := range m.known() {
		if h.From > p {
			return h.From
		}
	}
	return m.head
}

func (m *model) stored(p audio.Pos) int64 {
	n, _ := slices.BinarySearch(m.sound, p)
	return int64(n)
}

func (m *model) resumeOf(policy string) audio.Pos {
	b := m.bounds()
	switch policy {
	case "latest":
		return b.To
	case "margin":
		from := m.stored(b.From)
		if at := from + (int64(len(m.sound))-from)/2; at < int64(len(m.sound)) {
			return m.sound[at]
		}
		return b.To
	}
	return b.From
}
